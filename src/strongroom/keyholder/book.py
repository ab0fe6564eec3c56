"""The book: appends entries, signs checkpoints, proves and publishes (SPEC.md section 5)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from strongroom.errors import LedgerError, NoteError, Refused, StoreError, naming
from strongroom.keyholder.cosigning import merged
from strongroom.keyholder.keys import Keys, sync_folder
from strongroom.keyholder.store import Store
from strongroom.ledger import checkpoint, confirm, entry, note, proof, publish, tile, tree, witnessed
from strongroom.ledger import policy as policies
from strongroom.ledger.edge import Edge
from strongroom.ledger.prover import Prover

# Tiles in memory: the right edge is read at each append and proof. 1,000 tiles are 8 MB.
_CACHED_TILES = 1000
# The last entries, too: each answer holds those that the vault has not, which are those of one or two commits.
_RECENT = 512


class Book:
    """The ledger inside the keyholder's store. ``append`` and ``flush`` belong inside one transaction of it."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store, self._keys = store, keys
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._staged: list[bytes] = []
        self._staged_time = 0
        self._prover = Prover(self._read)
        self._roots: dict[int, bytes] = {}
        # Texts of the last entries, up to ``size``.
        self._recent: list[str] = []
        self.size = store.size()
        self._edge = Edge.read(self._read, self.size)
        self.signed = self.size
        self.time = entry.parse(store.entries(self.size - 1, self.size)[0]).time if self.size else 0
        self.note = self._sign()

    def _read(self, level: int, n: int) -> bytes:
        found = self._tiles.get((level, n))
        if found is None:
            found = self._store.tile(level, n)
            if len(self._tiles) >= _CACHED_TILES:
                self._tiles.clear()
            self._tiles[level, n] = found
        return found

    def stage(self, item: entry.Entry) -> int:
        """Number an entry; it is written by ``flush``. Returns its index."""
        self._staged.append(entry.encode(item))
        self._staged_time = item.time
        return self.size + len(self._staged) - 1

    def mark(self) -> tuple[int, int]:
        """How far has been staged, for ``unstage`` to go back to."""
        return len(self._staged), self._staged_time

    def unstage(self, mark: tuple[int, int]) -> None:
        count, self._staged_time = mark
        del self._staged[count:]

    def flush(self) -> None:
        """Write what is staged, and the tiles that change, into the transaction that is open."""
        if self._staged:
            self.extend(self._staged, self._staged_time)
            self._staged = []

    def extend(self, entries: Sequence[bytes], time: int) -> None:
        """Append entries as they are, the last of them of ``time``; within a transaction, with nothing staged before them."""
        leaves = [tree.leaf_hash(item) for item in entries]
        changed = tile.append(self._read, self.size, leaves)
        self._store.add_entries(self.size, entries)
        self._store.put_tiles(changed)
        self._tiles.update(changed)
        self._edge.extend(leaves)
        self._recent += [item.decode() for item in entries]
        del self._recent[:-_RECENT]
        self.size += len(entries)
        self.time = time

    def reset(self) -> None:
        """After a rollback: believe only the store again."""
        self._staged.clear()
        self._tiles.clear()
        self.__init__(self._store, self._keys)  # type: ignore[misc]

    def _sign(self) -> str:
        text = self._text(self.size)
        return f"{text}\n{self._keys.log.sign(text)}"

    def _text(self, size: int) -> str:
        return checkpoint.Checkpoint(self._keys.origin, size, self.root(size)).marshal()

    def root(self, size: int) -> bytes:
        """Root of the first ``size`` committed entries (32 bytes); the last ones asked for are remembered."""
        found = self._roots.get(size)
        if found is None:
            if len(self._roots) >= _CACHED_TILES:
                self._roots.clear()
            found = self._edge.root() if size == self.size else self._prover.root(size)
            self._roots[size] = found
        return found

    def sign(self) -> str:
        """The signed checkpoint of what is committed."""
        if self.signed != self.size:
            self.note = self._sign()
            self.signed = self.size
        return self.note

    def receipt(self, index: int) -> str:
        """C2SP tlog-proof of an entry in the last signed checkpoint."""
        hashes = self._prover.inclusion(index, self.size)
        return proof.Proof(index, tuple(hashes), self.note).marshal()

    def consistency(self, old: int, new: int) -> list[bytes]:
        """RFC 6962 proof between two sizes of the committed ledger."""
        return self._prover.consistency(old, new)

    def entries(self, start: int, limit: int) -> list[str]:
        """Texts of the entries from ``start`` on, at most ``limit``, of those under the last checkpoint."""
        stop = min(start + limit, self.size)
        known = self.size - len(self._recent)
        if start >= known:
            return self._recent[start - known : max(stop, start) - known]
        return [item.decode() for item in self._store.entries(start, stop)]

    # --- publishing ------------------------------------------------------------------------------------------
    def publish(self, directory: Path, now: int, vkeys: Sequence[str], policy: str) -> str:
        """Write what changed since the last time as static files; the notes last. Returns the published note. ``policy``: the text of
        the charter in force.

        On disk before the store says so: after a power cut nothing would write a lost tile again.
        """
        before = int(self._store.state("published_size") or b"0")
        if not (directory / "checkpoint").exists():
            before = 0
        elif before == self.size:
            self.write_notes(directory)
            return self.published()

        def read_entries(first: int, count: int) -> list[bytes]:
            return self._store.entries(first, first + count)

        def read_day(path: str) -> bytes | None:
            found = directory / path
            return found.read_bytes() if found.exists() else None

        written = [directory / "vkeys", directory / "policy"]
        for path, data in publish.files(self._read, read_entries, before, self.size, read_day):
            write_public(directory / path, data)
            written.append(directory / path)
        write_public(directory / "vkeys", "".join(f"{key}\n" for key in vkeys).encode())
        write_public(directory / "policy", policies.published(self._keys.log.vkey, policy).encode())
        for folder in {parent for place in written for parent in place.parents if parent.is_relative_to(directory)}:
            sync_folder(folder)
        text = self._text(self.size)
        published = self.note + self._keys.ml_dsa.cosign(text, now)
        cosigned = (self._store.state("cosignature") or b"").decode()
        if cosigned and self._store.state("cosigned") == text.encode():
            published += cosigned
        write_public(directory / "checkpoint", published.encode())
        sync_folder(directory)
        self._store.set_state("published", published.encode())
        self._store.set_state("published_size", str(self.size).encode())
        self.write_notes(directory)
        for place in written:
            # A full tile's partial ones are read no more (C2SP tlog-tiles), and there may be 255 of them.
            shutil.rmtree(place.with_name(f"{place.name}.p"), ignore_errors=True)
        return published

    def check_published(self, directory: Path) -> None:
        """Raises ``StoreError`` when the published checkpoint is not one of this book."""
        try:
            at, _ = note.open_checkpoint((directory / "checkpoint").read_text(), [note.verifier(self._keys.log.vkey)])
        except FileNotFoundError:
            return
        except (LedgerError, ValueError):
            raise StoreError(
                f"{directory / 'checkpoint'}: not signed by this keyholder's log. Take the file away"
            ) from None
        if at.size > self.size or at.root != self.root(at.size):
            raise StoreError(
                f"{directory}: the published ledger has {at.size} entries that this book of {self.size} does not: it was restored "
                "from an old copy. Nothing is given until it has what it lacks: strongroom keyholder recover"
            )

    def published(self) -> str:
        """The published checkpoint with the cosignatures that have come for it; empty where there is none."""
        return merged(self._published(), self._state("witnessed"))

    def _published(self) -> str:
        return self._state("published")

    def _state(self, key: str) -> str:
        return (self._store.state(key) or b"").decode()

    def write_notes(self, directory: Path) -> None:
        """Bring ``checkpoint``, ``cosigned`` and ``witnessed`` up to what the store says: a cosignature may have come since."""
        published = self.published()
        if not published or not (directory / "checkpoint").exists():
            return
        # In this order, and the others never ahead: whoever reads it first must not take an honest ledger for one that was cut.
        notes = {"checkpoint": published, confirm.PATH: self._confirmed(), witnessed.PATH: self._witnessed()}
        for name, text in notes.items():
            path = directory / name
            if text and not (path.exists() and path.read_bytes() == text.encode()):
                write_public(path, text.encode())
                sync_folder(directory)

    def _confirmed(self) -> str:
        """The last checkpoint that the vault has cosigned, as a note; empty where there is none, or none that is published yet."""
        text, line = self._state("cosigned"), self._state("cosignature")
        if not text or not 0 < checkpoint.parse(text).size <= int(self._store.state("published_size") or b"0"):
            return ""
        return f"{text}\n{self._keys.log.sign(text)}{line}"

    def _witnessed(self) -> str:
        """The last checkpoint that a quorum has cosigned, as a note; empty where there is none, or none that is published yet."""
        found = self._state("witnessed")
        return found if found and witnessed.claimed(found).size <= int(self._state("published_size") or "0") else ""

    def cosigned(self, line: str, verifier: note.Verifier, size: int) -> None:
        """Take the vault's cosignature of this book's checkpoint of ``size`` entries. Raises ``Refused`` (``vault``)."""
        if not _well_formed(line, verifier):
            raise Refused("vault", "the cosignature is not the vault's")
        text = self._text(size)
        if not _verifies(text, line, verifier):
            return
        known = self._state("cosigned")
        if not known or checkpoint.parse(known).size < size:
            self._store.set_state("cosigned", text.encode())
            self._store.set_state("cosignature", line.encode())
        published = self._published()
        if published and note.parse_note(published).text == text and f"\n— {verifier.name} " not in published:
            self._store.set_state("published", (published + line).encode())


def _verifies(text: str, line: str, verifier: note.Verifier) -> bool:
    try:
        return note.open_note(f"{text}\n{line}", [verifier]) == text
    except NoteError:
        return False


def _well_formed(line: str, verifier: note.Verifier) -> bool:
    # Exactly one line: a second one under the log's name would make every reader refuse the published checkpoint.
    # A cosignature of an older checkpoint, overtaken meanwhile, is no fault; it is of no use either.
    return line.startswith(f"— {verifier.name} ") and line.endswith("\n") and line.count("\n") == 1


def write_public(path: Path, data: bytes) -> None:
    """Replace a public file in one step, so that a reader sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        with naming(path), draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        # The next one may be of another name: a tile that has grown meanwhile.
        with suppress(OSError):
            draft.unlink()
        raise
