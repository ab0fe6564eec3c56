"""A witness: cosigns a checkpoint once it has seen that the log only grew since the last one (C2SP tlog-witness; SPEC.md 5.9).

What was cosigned last is compared, replaced and on disk in one transaction, before the cosignature leaves it: of two requests that
start from one size one alone passes. The time in a cosignature is taken inside it too, so that a later one never tells of a smaller tree.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.errors import CheckpointError, Declined, FormatError, NoteError, ProofError, StoreError
from strongroom.ledger import checkpoint, note, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import Cosigner, MLDSACosigner
from strongroom.witness import request
from strongroom.witness.store import Fork, Head, Store

log = logging.getLogger("strongroom.witness")

BACK_SECONDS = 60
"""By how much the clock may have gone back since the last cosignature of a log."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose checkpoint a known key of its log has signed. ``own``: the note with these signatures alone."""

    old: int
    proof: tuple[bytes, ...]
    at: Checkpoint
    text: str
    own: str


class Witness:
    """``now`` gives POSIX seconds. Belongs to the thread that opened ``store``."""

    def __init__(self, store: Store, cosigners: Sequence[Cosigner | MLDSACosigner], now: Callable[[], int]) -> None:
        self._store, self._cosigners, self._now = store, cosigners, now

    def add_checkpoint(self, body: bytes) -> str:
        """The cosignature lines. Raises ``Declined``, whose status is what C2SP tlog-witness says, and ``StoreError``."""
        asked = self._read(body)
        origin = asked.at.origin
        with self._store.transaction():
            last = self._store.head(origin)
            fork = self._verify(asked, last)
            if fork is None:
                time = self._time(last)
                if last.note and time == last.time and (given := self._given(asked, last)):
                    return given
                lines = "".join(one.cosign(asked.text, time) for one in self._cosigners)
                self._store.put(origin, Head(asked.at.size, asked.at.root, time, asked.own + lines))
                return lines
            self._store.keep(origin, fork)
        # Whoever shows these two notes convicts the log, so they are kept; what was cosigned stands.
        log.error("the log %s has signed two roots for size %d; both notes are kept", origin, asked.at.size)
        raise Declined(409, "another root was cosigned at this size")

    def _given(self, asked: _Asked, last: Head) -> str:
        """The lines of a moment ago: anybody can send what a log has published, and would have us sign and write each time."""
        found = note.parse_note(last.note)
        own = {(one.name, one.key_id) for one in self._cosigners}
        lines = [one.marshal() for one in found.signatures if (one.name, one.key_id) in own]
        return "".join(lines) if found.text == asked.text and len(lines) == len(own) else ""

    def _read(self, body: bytes) -> _Asked:
        try:
            found = request.parse(body)
            signed = note.parse_note(found.note)
            at = checkpoint.parse_any(signed.text)
        except (FormatError, NoteError, CheckpointError) as error:
            raise Declined(400, str(error)) from None
        known = [note.verifier(vkey) for vkey in self._store.vkeys(at.origin)]
        if not known:
            raise Declined(404, "this witness does not know the log")
        try:
            note.signed_by(found.note, known)
        except NoteError:
            raise Declined(
                403, "no key that this witness trusts for the log has signed, or a signature is bad"
            ) from None
        if found.old > at.size:
            raise Declined(400, "the old size is above the checkpoint's")
        ids = {(one.name, one.key_id) for one in known}
        own = [one.marshal() for one in signed.signatures if (one.name, one.key_id) in ids]
        return _Asked(found.old, found.proof, at, signed.text, f"{signed.text}\n{''.join(own)}")

    def _verify(self, asked: _Asked, last: Head) -> Fork | None:
        """Raises ``Declined``. A fork is what the log itself has signed."""
        if asked.old != last.size:
            raise Declined(409, "another size was cosigned last", size=last.size)
        if asked.at.size == last.size and asked.at.root != last.root and last.note:
            return Fork(self._now(), last.note, asked.own)
        try:
            tree.verify_consistency(last.size, asked.at.size, last.root, asked.at.root, asked.proof)
        except ProofError as error:
            raise Declined(422, str(error)) from None
        return None

    def _time(self, last: Head) -> int:
        now = self._now()
        if now < last.time - BACK_SECONDS:
            raise StoreError(
                f"the clock is {last.time - now:,} s behind the last cosignature of this log. Set it right; nothing is cosigned until then"
            )
        return max(now, last.time)
