"""Whether what the vault answered is in the ledger, and the ledger the one that it was (SPEC.md sections 5.3, 5.7 and 8.2).

The vault is not trusted for any of it. The log's key, pinned in the anchors, signs the checkpoint; the proof leads from the entry to
that checkpoint; the entry commits to the very ask that was signed here; and that checkpoint continues, or is continued by, the last
one that this client has verified, whoever showed it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from strongroom.client.device import SignedAsk
from strongroom.client.flow import Flow
from strongroom.client.memory import Memory, remembered
from strongroom.errors import CheckpointError, EntryError, ProofError
from strongroom.gate import ask as asks
from strongroom.ledger import entry, note, proof, tile
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.directory import Fetch, verify_growth

T = TypeVar("T")
Written = TypeVar(
    "Written",
    entry.FindEntry,
    entry.DisclosureEntry,
    entry.CheckEntry,
    entry.CorrectionEntry,
    entry.ExportEntry,
    entry.IntakeEntry,
    entry.ErasureEntry,
)

EARLY_SECONDS, LATE_SECONDS = 30, 120
"""Around an ask's own time: when the keyholder may have taken it (SPEC 8.2)."""
_KEPT_TILES = 256


class _Wanted(Exception):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Believer:
    """``get``: path of a file of the published ledger -> its bytes, or None where it is not there."""

    def __init__(self, log: str, memory: Memory, get: Callable[[str], Flow[bytes | None]]) -> None:
        self._log, self._memory, self._get = note.verifier(log), memory, get
        self._tiles: OrderedDict[str, bytes] = OrderedDict()

    def proved(self, index: int, receipt: str, text: bytes) -> Flow[Checkpoint]:
        """``text`` is entry ``index`` of the ledger that this client knows, as it is or as it has grown. Raises ``LedgerError`` of
        the kind that is wrong."""
        found = proof.parse(receipt)
        if found.index != index:
            raise ProofError(f"the receipt is of entry {found.index}; want that of {index}")
        at = proof.verify(found, text, [self._log])
        yield from self._grown(at, found.checkpoint)
        return at

    def _grown(self, at: Checkpoint, signed: str) -> Flow[None]:
        while True:
            kept = self._memory.read()
            if kept:
                old = remembered(kept, self._log)
                small, large = (old, at) if old.size <= at.size else (at, old)
                if small != large:
                    yield from self._continues(small, large)
                if at.size <= old.size:
                    return
            if self._memory.swap(kept, signed):
                return

    def _continues(self, small: Checkpoint, large: Checkpoint) -> Flow[None]:
        try:
            yield from self._gathered(lambda fetch: verify_growth(fetch, small, large))
        except ProofError:
            raise CheckpointError(
                f"FORKED: the ledger that the vault shows now is not the one that was verified before: their first {small.size} entries "
                "differ, or its tiles are not those of its checkpoint. Nothing that came with it was used; keep both checkpoints"
            ) from None

    def _gathered(self, action: Callable[[Fetch], T]) -> Flow[T]:
        """``action`` over the published ledger. It is begun anew with each file that turns out to be wanted: its own work is a few
        hashes, and what a full tile holds never changes."""
        got: dict[str, bytes | None] = {}

        def fetch(path: str) -> bytes:
            found = self._tiles.get(path) or got.get(path, b"")
            if found is None:
                raise FileNotFoundError(path)
            if not found:
                raise _Wanted(path)
            return found

        while True:
            try:
                done = action(fetch)
            except _Wanted as wanted:
                got[wanted.path] = yield from self._get(wanted.path)
            else:
                self._keep(got)
                return done

    def _keep(self, got: dict[str, bytes | None]) -> None:
        """Full tiles, and only once they have led to a signed root."""
        for path, data in got.items():
            if data is not None and tile.parse_path(path)[2] == tile.WIDTH:
                self._tiles[path] = data
        while len(self._tiles) > _KEPT_TILES:
            self._tiles.popitem(last=False)


def of_ask(
    index: int, text: bytes, signed: SignedAsk, kind: type[Written], compartments: frozenset[int] = frozenset()
) -> Written:
    """The entry, which must be of ``kind`` and about this very ask, under as many countersignatures, within the time in which the ask
    was good, and have opened none but these ``compartments``. Raises ``EntryError``.

    Its ``commitment`` is the ask's hash: it binds reader, records, fields, nonce, case and reason.
    """
    written, ask = entry.parse(text), signed.ask
    if not isinstance(written, kind):
        raise EntryError(f"entry {index} is not of the kind that was asked for")
    said = (written.commitment, written.charter, written.holding, written.purpose)
    if said != (asks.ask_hash(signed.text), ask.charter, ask.holding, ask.purpose):
        raise EntryError(f"entry {index} is not about this ask")
    if len(written.countersigners) != len(signed.countersignatures):
        raise EntryError(f"entry {index} does not say how many countersigned")
    latest = ask.until if isinstance(ask, asks.Windowed) else ask.time + LATE_SECONDS
    if not ask.time - EARLY_SECONDS <= written.time <= latest:
        raise EntryError(f"entry {index} is dated outside the time in which the ask was good")
    if not isinstance(ask, asks.Windowed) and written.count != (
        1 if isinstance(ask, asks.FindAsk) else len(ask.records)
    ):
        raise EntryError(f"entry {index} is not of as many records as were asked for")
    opened = getattr(written, "compartments", ())
    if compartments and not compartments.issuperset(opened):
        raise EntryError(f"entry {index} says that more was opened than was asked for")
    return written
