"""Which witnesses have cosigned a checkpoint, and when: the file ``witnessed`` (SPEC.md sections 5.6 and 5.9).

A ledger that is shown to some and not to others lacks the cosignatures of those to whom it was not shown. ``checkpoint`` carries what has
come for it so far; ``witnessed`` is the last one that a quorum has cosigned, and is read before it, as ``cosigned`` is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.errors import CheckpointError, NoteError, ProofError, QuorumError
from strongroom.ledger import checkpoint
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.directory import WITNESSED as PATH
from strongroom.ledger.directory import Directory, Fetch, verify_growth
from strongroom.ledger.note import Verifier, open_checkpoint, parse_note
from strongroom.ledger.policy import Policy, quorum_time, satisfied

__all__ = ["AHEAD_SECONDS", "PATH", "Witnessed", "best", "claimed", "cosigned", "opened", "read", "verify"]

AHEAD_SECONDS = 150
"""How far a cosignature's time may be past the clock of who looks: as entries' (SPEC.md 8.3)."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """``times``: of each witness of the policy that has cosigned ``checkpoint`` its last time, POSIX seconds."""

    checkpoint: Checkpoint
    times: Mapping[Verifier, int]

    @property
    def size(self) -> int:
        return self.checkpoint.size


def cosigned(note: str, verifiers: Sequence[Verifier]) -> dict[Verifier, int]:
    """Of those ``verifiers`` whose cosignature stands under ``note`` the time of the last. Raises NoteError for a bad one."""
    found, known = parse_note(note), {(one.name, one.key_id): one for one in verifiers}
    times: dict[Verifier, int] = {}
    for line in found.signatures:
        signer = known.get((line.name, line.key_id))
        if signer is not None:
            signer.verify(found.text, line.signature)
            times[signer] = max(times.get(signer, 0), int.from_bytes(line.signature[:8], "big"))
    return times


def opened(note: str, log: Sequence[Verifier], policy: Policy) -> Witnessed:
    """A checkpoint signed by the log, and by which witnesses of ``policy``; whether these are enough is ``verify``'s to say.

    Raises NoteError, CheckpointError.
    """
    found, _ = open_checkpoint(note, log)
    return Witnessed(found, cosigned(note, policy.verifiers))


def verify(found: Witnessed, policy: Policy, fresh: int, now: int) -> int:
    """A quorum has cosigned it within the last ``fresh`` seconds: since when (POSIX seconds; 2^53 of nobody's policy). Or QuorumError."""
    # One that is dated ahead would be fresh for as long as it liked.
    good = {one: time for one, time in found.times.items() if time <= now + AHEAD_SECONDS}
    satisfied(policy, good)
    since = quorum_time(policy, good)
    if now - since > fresh:
        raise QuorumError(f"the last quorum of witnesses is {now - since:,} s old, and may be {fresh:,}")
    return since


def read(fetch: Fetch) -> str | None:
    """The note ``witnessed``, unverified; None where there is none. Read it before ``checkpoint``. Raises TileError, NoteError."""
    data = Directory(fetch).find(PATH)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        raise NoteError(f"{PATH}: not UTF-8") from None


def claimed(note: str) -> Checkpoint:
    """What the note says, unverified. Raises NoteError, CheckpointError."""
    try:
        return checkpoint.parse(parse_note(note).text)
    except (NoteError, CheckpointError) as error:
        raise type(error)(f"{PATH}: {error}") from None


def best(
    fetch: Fetch, before: str | None, published: Checkpoint, note: str, log: Sequence[Verifier], policy: Policy
) -> Witnessed:
    """Of ``note``, the published checkpoint, and ``before``, what ``read`` gave, the larger one that has a quorum; where neither has,
    the published one as it is. ``published`` begins with either.

    Raises NoteError, CheckpointError for a ledger that is shorter than what was witnessed, or another; TileError.
    """
    whole = Witnessed(published, cosigned(note, policy.verifiers))
    if before is None or policy.met(whole.times):
        return whole
    try:
        found = opened(before, log, policy)
    except NoteError as error:
        raise NoteError(f"{PATH}: {error}") from None
    if found.size > published.size:
        raise CheckpointError(
            f"the published ledger ends at {published.size}; witnesses have cosigned {found.size}: it was cut, or is an old copy"
        )
    try:
        verify_growth(fetch, found.checkpoint, published)
    except ProofError:
        raise CheckpointError(
            f"FORKED: witnesses have cosigned another ledger than this: their first {found.size} entries differ"
        ) from None
    return found if policy.met(found.times) else whole
