"""Whether what the vault answered is in the ledger, and the ledger the one that it was (SPEC.md sections 5.3, 5.7 and 8.2).

The vault is not trusted for any of it. The log's key, pinned in the anchors, signs the checkpoint; the proof leads from the entry to
that checkpoint; the entry commits to the very ask that was signed here; and that checkpoint continues, or is continued by, the last
one that this client has verified, whoever showed it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from strongroom.client.answers import Witnessed
from strongroom.client.device import SignedAsk
from strongroom.client.flow import Do, Flow
from strongroom.client.growth import Growth
from strongroom.client.memory import Memory, remembered
from strongroom.errors import CheckpointError, EntryError, ProofError
from strongroom.gate import ask as asks
from strongroom.gate import written as entries
from strongroom.gate.written import Written
from strongroom.ledger import entry, note, proof, tree
from strongroom.ledger import witnessed as witnesses
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.policy import Policy


class Believer:
    """``told``: index -> the entry and a receipt of today, as the vault shows them."""

    def __init__(
        self, log: str, memory: Memory, growth: Growth, told: Callable[[int], Flow[tuple[bytes, str]]]
    ) -> None:
        self._log, self._memory, self._growth, self._told = note.verifier(log), memory, growth, told

    def proved(self, index: int, receipt: str) -> Flow[bytes]:
        """Entry ``index`` of the ledger that this client knows, as it is or as it has grown. Raises ``LedgerError`` of the kind that is
        wrong."""
        found = proof.parse(receipt)
        if found.index != index:
            raise ProofError(f"the receipt is of entry {found.index}; want that of {index}")
        at, _ = note.open_checkpoint(found.checkpoint, [self._log])
        yield from self._grown(at, found.checkpoint)
        text = self._growth.texts.get(index)
        if text is None:
            text, _ = yield from self._told(index)
        tree.verify_inclusion(index, at.size, tree.leaf_hash(text), found.hashes, at.root)
        return text

    def witnessed(self, signed: str, policy: Policy, fresh: int, now: int) -> Flow[Witnessed]:
        """The ledger of the note ``signed`` has a quorum of ``policy``, and is the one that this client knows. Raises ``LedgerError``."""
        found = witnesses.opened(signed, [self._log], policy)
        since = witnesses.verify(found, policy, fresh, now)
        yield from self._grown(found.checkpoint, signed)
        return Witnessed(found.size, since, tuple(sorted(one.name for one in found.times)))

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
            if (yield Do(partial(self._memory.swap, kept, signed))):
                return

    def _continues(self, small: Checkpoint, large: Checkpoint) -> Flow[None]:
        try:
            yield from self._growth.verify(small, large)
        except ProofError:
            raise CheckpointError(
                f"FORKED: the ledger that the vault shows now does not continue the one that was verified before: their first {small.size} "
                "entries differ, or it shows others than it has signed. Nothing that came with it was used; keep both checkpoints"
            ) from None


def of_ask(
    index: int, text: bytes, signed: SignedAsk, kind: type[Written], compartments: frozenset[int] = frozenset()
) -> Written:
    """The entry, which must be of ``kind`` and about this very ask, under as many countersignatures, within the time in which the ask
    was good, and have opened none but these ``compartments``. Raises ``EntryError``.
    """
    ask = signed.ask
    written = entries.verify(index, entry.parse(text), signed.text, ask, kind, len(signed.countersignatures))
    if not isinstance(ask, asks.Windowed) and written.count != (
        1 if isinstance(ask, asks.FindAsk) else len(ask.records)
    ):
        raise EntryError(f"entry {index} is not of as many records as were asked for")
    opened = getattr(written, "compartments", ())
    if compartments and not compartments.issuperset(opened):
        raise EntryError(f"entry {index} says that more was opened than was asked for")
    return written
