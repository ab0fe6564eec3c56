"""Watching a ledger: whoever remembers one checkpoint can tell whether the next only adds to it (SPEC.md section 5.2)."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from strongroom.errors import CheckpointError, EntryError, InputError, LedgerError, naming
from strongroom.ledger import audit, confirm, entry, tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.directory import Directory, Fetch
from strongroom.ledger.edge import Edge
from strongroom.ledger.note import Verifier, open_checkpoint

_CONCERNS_ALL = entry.CharterEntry | entry.ExpiryEntry | entry.HoldEntry | entry.NoticeEntry
_MOST_TOLD = 100


@dataclass(frozen=True)
class News:
    """What one look found. ``before`` is None at the first, which verifies everything. ``counts``: new entries by type.

    ``confirmed`` is what the vault has cosigned of the ledger; None where the vault's key is not known. ``told``: of the new
    entries the last that concern everybody, with their index: charters, keys destroyed, holds, notices.
    """

    before: Checkpoint | None
    now: Checkpoint
    signers: tuple[str, ...]
    counts: dict[str, int]
    time: int | None
    confirmed: Checkpoint | None
    told: tuple[tuple[int, entry.Entry], ...] = ()

    @property
    def added(self) -> int:
        return self.now.size - (self.before.size if self.before else 0)


class Watcher:
    """Remembers the last verified checkpoint in ``state``, a file with the signed note as it was published; beside it, in
    ``state.cosigned``, the last that the vault had cosigned. Where the vault's key is among ``verifiers`` its word is wanted."""

    def __init__(self, state: Path, fetch: Fetch, verifiers: Sequence[Verifier]) -> None:
        self._state, self._fetch, self._verifiers = state, fetch, list(verifiers)
        self._vouched = state.with_name(f"{state.name}.cosigned")

    def remembered(self) -> Checkpoint | None:
        """Raises ``InputError`` when the file is not one of ours: it is the only memory there is, so nothing is guessed."""
        return self._read(self._state)

    def _read(self, path: Path) -> Checkpoint | None:
        try:
            note = path.read_text()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read ({type(error).__name__})") from None
        try:
            return open_checkpoint(note, self._verifiers)[0]
        except LedgerError as error:
            raise InputError(
                f"{path}: not a checkpoint signed by these keys ({error}). Give the right keys, or another file"
            ) from None

    def look(self, progress: audit.Progress | None = None) -> News:
        """Verify that the ledger only grew since the last look, and remember it.

        Raises ``CheckpointError`` for a fork, a rewind or what the vault does not know, and what else of ``LedgerError`` is wrong; then
        the memory stays.
        """
        before = self.remembered()
        cosigned = confirm.read(self._fetch)
        if before is None:
            found = audit.audit(self._fetch, self._verifiers, None, progress)
            confirmed = self._confirmed(cosigned, found.checkpoint, found.note)
            names = tuple(one.name for one in found.signers)
            time = found.times[1] if found.times else None
            _write(self._state, found.note)
            return News(None, found.checkpoint, names, found.counts, time, confirmed)
        note = Directory(self._fetch).note()
        now, signers = open_checkpoint(note, self._verifiers)
        try:
            counts, time, told = self._grew(before, now, progress)
        except CheckpointError as error:
            # Two notes of one size and two roots convict their signer, whoever shows them: keep the second beside the first.
            evidence = self._keep("conflict", note)
            raise CheckpointError(f"{error}. The evidence, both notes signed: {self._state} and {evidence}") from None
        confirmed = self._confirmed(cosigned, now, note)
        _write(self._state, note)
        return News(before, now, tuple(one.name for one in signers), counts, time, confirmed, told)

    def _keep(self, name: str, note: str) -> Path:
        path = self._state.with_name(f"{self._state.name}.{name}")
        _write(path, note)
        return path

    def _confirmed(self, cosigned: str | None, now: Checkpoint, note: str) -> Checkpoint | None:
        """What the vault has cosigned of ``now``, at least as much as at the last look."""
        if not confirm.vaults(self._verifiers, now.origin):
            return None
        if cosigned is None:
            raise CheckpointError(confirm.MISSING)
        try:
            found = confirm.confirm(self._fetch, cosigned, self._verifiers, now)
        except CheckpointError as error:
            evidence = self._keep("conflict", note), self._keep("conflict.cosigned", cosigned)
            raise CheckpointError(
                f"{error}. The evidence, both notes signed: {evidence[0]} and {evidence[1]}"
            ) from None
        before = self._read(self._vouched)
        if before is not None and found.size < before.size:
            raise CheckpointError(
                f"cosigned: REWOUND: the vault had confirmed {before.size} entries when we last looked, and now only {found.size}"
            )
        _write(self._vouched, cosigned)
        return found

    def _grew(
        self, before: Checkpoint, now: Checkpoint, progress: audit.Progress | None
    ) -> tuple[dict[str, int], int | None, tuple[tuple[int, entry.Entry], ...]]:
        if now.origin != before.origin:
            raise CheckpointError(f"this is the ledger {now.origin}; remembered is {before.origin}")
        if now.size < before.size:
            raise CheckpointError(f"REWOUND: it has {now.size} entries, and had {before.size} when we last looked")
        if now.size == before.size and now.root != before.root:
            raise CheckpointError(f"FORKED: at {now.size} entries it says another root than when we last looked")
        directory = Directory(self._fetch)
        edge = Edge.read(directory.read_tile(now.size), before.size)
        if edge.root() != before.root:
            raise CheckpointError(f"REWRITTEN: its first {before.size} entries are not those of when we last looked")
        counts, time, at = Counter[str](), None, before.size
        told = deque[tuple[int, entry.Entry]](maxlen=_MOST_TOLD)
        while at < now.size:
            n, skip = divmod(at, tile.WIDTH)
            for data in directory.entries(n, min(tile.WIDTH, now.size - n * tile.WIDTH))[skip:]:
                item = _entry(data, at)
                if time is not None and item.time < time:
                    raise EntryError(f"entry {at}: its time is before that of the entry before it")
                time = item.time
                counts[str(item.__struct_config__.tag)] += 1
                if isinstance(item, _CONCERNS_ALL):
                    told.append((at, item))
                edge.append(tree.leaf_hash(data))
                at += 1
            if progress:
                progress(at - before.size, now.size - before.size)
        if edge.root() != now.root:
            raise CheckpointError(f"the entries up to {now.size} do not give the root that the checkpoint signs")
        return dict(counts), time, tuple(told)


def _write(path: Path, note: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), draft.open("w") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _entry(data: bytes, index: int) -> entry.Entry:
    try:
        return entry.parse(data)
    except EntryError as error:
        raise EntryError(f"entry {index}: {error}") from None
