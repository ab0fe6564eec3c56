"""How much of a published ledger the vault has confirmed: the file ``cosigned`` (SPEC.md sections 5.6 and 5.7).

The keyholder signs whatever it likes. A fork that it shows to one person alone lacks the vault's cosignature, or is not what the
vault has cosigned: so ``cosigned`` is read before ``checkpoint``, and what is published must be the same up to there, and no shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.errors import CheckpointError, NoteError, ProofError
from strongroom.ledger import checkpoint
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.directory import Directory, Fetch, verify_growth
from strongroom.ledger.key import COSIGNATURE
from strongroom.ledger.note import Verifier, open_checkpoint, parse_note

PATH = "cosigned"

MISSING = (
    "cosigned: missing. Nothing shows that the vault knows this ledger: it may be a fork made for you alone."
    " Have the custodian run: strongroom ledger publish"
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The vault has recomputed and cosigned the first ``checkpoint.size`` entries, the last of them of ``time`` (POSIX seconds)."""

    checkpoint: Checkpoint
    time: int

    @property
    def size(self) -> int:
        return self.checkpoint.size


def read(fetch: Fetch) -> str | None:
    """The note, of which nothing is verified; None where there is none. Read it before ``checkpoint``: then no honest
    publisher's is ahead of that. Raises TileError, NoteError."""
    data = Directory(fetch).find(PATH)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        raise NoteError(f"{PATH}: not UTF-8") from None


def claimed(note: str) -> Checkpoint:
    """What the note says, unverified. Raises NoteError, CheckpointError."""
    try:
        found = checkpoint.parse(parse_note(note).text)
    except (NoteError, CheckpointError) as error:
        raise type(error)(f"{PATH}: {error}") from None
    if not found.size:
        raise CheckpointError(f"{PATH}: of an empty ledger")
    return found


def vaults(verifiers: Sequence[Verifier], origin: str) -> list[Verifier]:
    """Those of ``verifiers`` that are the vault's of that ledger."""
    return [one for one in verifiers if one.name == f"{origin}/vault" and one.type == COSIGNATURE]


def confirm(fetch: Fetch, note: str, verifiers: Sequence[Verifier], published: Checkpoint) -> Checkpoint:
    """The checkpoint in ``note``, signed by the log and by its vault, with which ``published`` begins.

    Raises NoteError for a signature, CheckpointError for a ledger that is shorter or another, TileError for what is missing.
    """
    try:
        found, signers = open_checkpoint(note, verifiers)
    except NoteError as error:
        raise NoteError(f"{PATH}: {error}") from None
    if not vaults(signers, found.origin):
        raise NoteError(f"{PATH}: the vault's cosignature is not under it")
    if found.size > published.size:
        raise CheckpointError(
            f"the published ledger ends at {published.size}; the vault has confirmed {found.size}: it was cut, or is an old copy"
        )
    try:
        verify_growth(fetch, found, published)
    except ProofError:
        raise CheckpointError(
            f"FORKED: the vault has confirmed another ledger than this: their first {found.size} entries differ"
        ) from None
    return found
