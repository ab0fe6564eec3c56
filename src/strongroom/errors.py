"""Every exception of Strongroom, under one root.

A message names what was wrong, where, and the mend. It never holds a personal value, a key or a secret.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class StrongroomError(Exception):
    """Root of all. ``code`` is stable and short; the text is for people."""

    code = "error"


class FormatError(StrongroomError):
    """Bytes or text from outside are not what their format allows."""

    code = "malformed"


class CatalogError(StrongroomError):
    """A catalog or charter source is wrong. ``place`` is ``file:line`` or a path of members; ``mend`` says what to do."""

    code = "catalog"

    def __init__(self, place: str, problem: str, mend: str) -> None:
        super().__init__(f"{place}: {problem}. {mend}")
        self.place, self.problem, self.mend = place, problem, mend


class ValueRejected(StrongroomError):
    """A field's value does not fit its type. The text is the reason alone, never the value."""

    code = "value"


class SealError(StrongroomError):
    """Sealing or opening failed."""

    code = "seal"


class CommitmentError(SealError):
    """The share does not belong to this slot: other person, handle, version, compartment, or a wrong key."""

    code = "commitment"


class LedgerError(StrongroomError):
    """Root of what can be wrong with a ledger."""

    code = "ledger"


class NoteError(LedgerError):
    """A signed note, verifier key or cosignature does not parse or verify."""

    code = "note"


class CheckpointError(LedgerError):
    """A checkpoint does not parse, or contradicts one seen before."""

    code = "checkpoint"


class TileError(LedgerError):
    """A tile or entry bundle is missing, misshapen or does not hash to what it should."""

    code = "tile"


class ProofError(LedgerError):
    """An inclusion or consistency proof does not hold."""

    code = "proof"


class PolicyError(LedgerError):
    """A policy of witnesses does not parse, or is none that a charter may have."""

    code = "policy"


class QuorumError(LedgerError):
    """A checkpoint lacks the cosignatures that a policy wants, or they are too old."""

    code = "quorum"


class EntryError(LedgerError):
    """A ledger entry breaks its schema or its order."""

    code = "entry"


class Refused(StrongroomError):
    """The gate or the keyholder says no. ``code`` is one of SPEC.md section 8.6; ``entry``: index of the refusal's entry, where that is known.
    ``after``: seconds after which a new ask may fare better, of a budget that fills on."""

    def __init__(self, code: str, detail: str, entry: int | None = None, after: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.entry, self.after = code, detail, entry, after


class Declined(StrongroomError):
    """A witness does not cosign. ``status`` is HTTP's, as C2SP tlog-witness has it; ``size``: what it cosigned last, where that is why."""

    code = "declined"

    def __init__(self, status: int, detail: str, *, size: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.size = status, size


class WitnessUnavailable(StrongroomError):
    """A witness did not answer, or with what is no answer."""

    code = "witness"


class KeyholderUnavailable(StrongroomError):
    """The keyholder did not answer. Nothing can be read until it does."""

    code = "keyholder"


class Unwitnessed(KeyholderUnavailable):
    """In the ledger, but no quorum of witnesses has cosigned that in time. The identical request is answered once one has."""

    code = "witnesses"


class StoreError(StrongroomError):
    """The vault's or keyholder's own store is missing, of another version, or inconsistent."""

    code = "store"


class InputError(StrongroomError):
    """What the user gave (a file, an option, a name) cannot be used."""

    code = "input"


_FREE, _WRITABLE = "Free space on its disk", "Mount its disk writable"
_MENDS = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: f"{_FREE}, or have the quota raised",
    errno.EFBIG: "Have the limit on the size of files raised (ulimit -f)",
    errno.EROFS: _WRITABLE,
    errno.EIO: "Its disk fails: see the system's log",
    errno.EACCES: "Run as the user who owns it",
    errno.EPERM: "Run as the user who owns it",
    errno.EMFILE: "Have the limit on open files raised (ulimit -n)",
}


def of_system(error: OSError, place: object = None) -> str:
    """What the system refused, in words: where, what, and the mend where there is one."""
    where = place or error.filename
    what = f"{f'{where}: ' if where else ''}{error.strerror or type(error).__name__}"
    mend = _MENDS.get(error.errno or 0)
    return f"{what}. {mend}" if mend else what


@contextmanager
def naming(place: object) -> Iterator[None]:
    """Within, what the system refuses names ``place``: of a file that is open it says no name of its own."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(place)
        raise
