"""One checkpoint, and who of the policy's witnesses has cosigned it (SPEC.md section 5.9). No network, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from strongroom.errors import NoteError
from strongroom.ledger import note
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.note import Verifier
from strongroom.ledger.policy import Policy
from strongroom.ledger.witnessed import AHEAD_SECONDS


@dataclass(eq=False)
class House:
    """Whoever answers at one address, with all its keys. ``size``: what it has cosigned last, as far as is known; ``fault``: why the
    last asking came to nothing, empty where it did not."""

    url: str
    verifiers: tuple[Verifier, ...]
    size: int = 0
    fault: str = ""


def houses(policy: Policy) -> Iterator[House]:
    """The witnesses to ask: one that signs with two keys is two lines of the policy, and asked once."""
    for url in dict.fromkeys(one.url for one in policy.witnesses):
        yield House(url, tuple(one.verifier for one in policy.witnesses if one.url == url))


@dataclass(eq=False)
class Round:
    """``at`` under the log's own signatures (``signed``, a note), and what cosignatures have come by now."""

    at: Checkpoint
    signed: str
    policy: Policy
    tried: set[str] = field(default_factory=set)
    """Addresses that have been asked about it, or cannot be any more."""
    _lines: dict[Verifier, tuple[int, str]] = field(default_factory=dict)

    @property
    def quorate(self) -> bool:
        return self.policy.met(self._lines.keys())

    def take(self, house: House, answer: str, now: int) -> None:
        """The cosignatures of ``house`` out of its answer: at least one, none bad, dated about now. Others' are left out.

        Raises NoteError.
        """
        text = self.at.marshal()
        note.signed_by(f"{text}\n{answer}", house.verifiers)
        known = {(one.name, one.key_id): one for one in house.verifiers}
        found = {}
        for line in note.parse_note(f"{text}\n{answer}").signatures:
            signer = known.get((line.name, line.key_id))
            if signer is not None:
                time = int.from_bytes(line.signature[:8], "big")
                if abs(time - now) > AHEAD_SECONDS:
                    raise NoteError(f"its clock is {abs(time - now):,} s from ours")
                found[signer] = (time, line.marshal())
        self._lines |= found

    def times(self) -> dict[Verifier, int]:
        return {one: time for one, (time, _) in self._lines.items()}

    def note(self) -> str:
        """With each witness's last line, in the order of the policy."""
        return self.signed + "".join(self._lines[one][1] for one in self.policy.verifiers if one in self._lines)


def merged(published: str, witnessed: str) -> str:
    """``published`` with the lines of ``witnessed`` that it lacks, where both are of one text."""
    if not published or not witnessed:
        return published
    mine, theirs = note.parse_note(published), note.parse_note(witnessed)
    if mine.text != theirs.text:
        return published
    have = {(one.name, one.key_id) for one in mine.signatures}
    return published + "".join(one.marshal() for one in theirs.signatures if (one.name, one.key_id) not in have)
