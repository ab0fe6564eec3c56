"""What went wrong, as problem details (RFC 9457): each code once, with its status and title (SPEC.md section 10.2).

Details are those of Strongroom's own errors, which hold no personal value and nothing that somebody typed. Of what is none of these,
a defect, nothing is said at all.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from strongroom.api.problem import URN, Problem, Row
from strongroom.errors import (
    FormatError,
    InputError,
    KeyholderUnavailable,
    LedgerError,
    Refused,
    SealError,
    StoreError,
    StrongroomError,
    ValueRejected,
)
from strongroom.service.identity import caller

log = logging.getLogger("strongroom.service")


@dataclass(frozen=True, slots=True)
class Code:
    """``after``: seconds after which it may be tried again; None where that is of no use, or not the same each time."""

    status: int
    title: str
    after: int | None = None


# A refusal is 403, but where HTTP has a better word for it.
CODES: dict[str, Code] = {
    # the request
    "malformed": Code(400, "The request is not what its route takes"),
    "not-found": Code(404, "There is nothing here"),
    "method": Code(405, "This path does not take that method"),
    "timeout": Code(408, "The request did not come whole in time"),
    "too-large": Code(413, "The request is larger than its route takes"),
    "media-type": Code(415, "The request is of another media type than its route takes"),
    "input": Code(422, "What was asked for is not there, or does not fit"),
    "value": Code(422, "A value does not fit its field"),
    "rows": Code(422, "Some of the records do not fit the holding; none was taken in"),
    "idempotency": Code(422, "The Idempotency-Key was used for another request, or is none"),
    "pending": Code(409, "What became of the first request with this Idempotency-Key is not known", 1),
    "busy": Code(503, "More is under way than the vault takes at once", 1),
    # the ask, as the gate and the keyholder see it (SPEC.md 8.4, 8.6)
    "ask": Code(400, "This is no ask, or one of another action"),
    "room": Code(403, "The ask is for another room"),
    "reader": Code(403, "The asker is no reader of this room"),
    "signature": Code(403, "The asker's device did not sign this"),
    "countersign": Code(403, "The second signature is missing, or is not one that counts"),
    "charter": Code(409, "Another charter is in force by now"),
    "used": Code(409, "This ask was used"),
    "early": Code(409, "The ask is of a time to come"),
    "stale": Code(409, "The ask is too old"),
    "reason": Code(403, "The reason says nothing"),
    "case": Code(403, "The case is none"),
    "purpose": Code(403, "The purpose is none of the charter's, or not for this"),
    "role": Code(403, "The purpose is not for this role"),
    "unit": Code(403, "The purpose is not for this unit"),
    "holding": Code(403, "The purpose is not for this holding"),
    "field": Code(403, "The purpose does not have one of the fields"),
    "test": Code(403, "The purpose does not have this test"),
    "version": Code(403, "This version is not given"),
    "rule": Code(403, "A rule of the charter forbids it"),
    "budget": Code(429, "A budget of the charter is spent"),
    "compartment": Code(403, "A compartment holds none of the fields asked for"),
    "record": Code(403, "The records are not those of the ask"),
    "person": Code(403, "A record is sealed under two persons"),
    "frozen": Code(403, "The keyholder gives nothing of this for now"),
    "erased": Code(410, "A record was erased"),
    "expired": Code(410, "A record has expired"),
    "epoch": Code(410, "The records' key is gone"),
    "batch": Code(403, "The keyholder cannot open what the record was sealed with"),
    # the houses
    "clock": Code(503, "A clock is wrong, and nothing is given until it is mended", 60),
    "vault": Code(503, "The keyholder does not take this vault for its own", 60),
    "keyholder": Code(503, "The keyholder does not answer: nothing can be read until it does", 2),
    "witnesses": Code(503, "No quorum of witnesses has cosigned it yet", 2),
    "store": Code(503, "The vault's store could not take it", 2),
    "ledger": Code(502, "What the keyholder answered does not hold; nothing of it was used"),
    "seal": Code(500, "A record does not open as it should; nothing was given"),
    "defect": Code(500, "The vault has a defect"),
}


class Rejected(StrongroomError):
    """Raised where no error of custody's says it. ``code``: one of ``CODES``."""

    def __init__(self, code: str, detail: str, rows: Sequence[Row] = ()) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.rows = code, detail, list(rows)


class Told(StrongroomError):
    """A refusal that is in the ledger, as entry ``index``."""

    def __init__(self, refusal: Refused, index: int) -> None:
        super().__init__(str(refusal))
        self.code, self.refusal, self.index = refusal.code, refusal, index


def problem(error: Exception) -> Problem:
    """What to say of it."""
    if isinstance(error, Told):
        return _made(error.code, error.refusal.detail, error.index)
    if isinstance(error, Rejected):
        return _made(error.code, error.detail, rows=error.rows)
    if isinstance(error, caller.IdentityRefused):
        said = caller.CODES[error.code][2]
        return Problem(type=URN + error.code, title=said, status=error.status, code=error.code, detail=error.detail)
    if isinstance(error, Refused):
        # "malformed" of the keyholder's: what the vault sent it; the sender of the ask has no part in that.
        return _made(error.code if error.code in CODES and error.code != "malformed" else "ask", error.detail)
    for kind, code in _KINDS:
        if isinstance(error, kind):
            return _made(error.code if error.code in CODES and error.code != "malformed" else code, _detail(error))
    log.error("a defect: %s at %s", type(error).__name__, _place(error))
    return _made("defect", "the vault's log says where")


def after(error: Exception, code: str) -> int | None:
    """Seconds after which what was answered with ``code`` may be tried again (``Retry-After``, RFC 9110 section 10.2.3): of a spent budget when it has enough for what
    was asked, of other codes as ``CODES`` says; None where that is of no use or nobody knows."""
    refusal = error.refusal if isinstance(error, Told) else error
    if isinstance(refusal, Refused) and refusal.code == "budget":
        return refusal.after
    known = CODES.get(code)
    return known.after if known else None


_KINDS: tuple[tuple[type[StrongroomError], str], ...] = (
    (InputError, "input"),
    (ValueRejected, "value"),
    (KeyholderUnavailable, "keyholder"),
    (StoreError, "store"),
    (LedgerError, "ledger"),
    (FormatError, "ledger"),  # the keyholder's answer; what clients send is parsed in front
    (SealError, "seal"),
)


def _detail(error: StrongroomError) -> str:
    if isinstance(error, KeyholderUnavailable | StoreError):
        # Addresses and paths of the vault's own are for its log.
        log.warning("%s: %s", error.code, error)
        return "try again; the vault's log says more"
    if isinstance(error, LedgerError | FormatError | SealError):
        log.error("%s: %s", error.code, error)
    return str(error)


def _made(code: str, detail: str, entry: int | None = None, rows: Sequence[Row] = ()) -> Problem:
    known = CODES[code]
    return Problem(
        type=URN + code,
        title=known.title,
        status=known.status,
        code=code,
        detail=detail,
        entry=entry,
        rows=list(rows),
    )


def _place(error: Exception) -> str:
    """File and line. The error's own text may quote a value, and so may a page of trace."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
