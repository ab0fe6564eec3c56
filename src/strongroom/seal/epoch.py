"""Two days: when a record expires, and when the key is destroyed to which its batch is sealed for now (SPEC.md section 3.1)."""

from __future__ import annotations

from datetime import date

from strongroom.errors import FormatError, SealError

__all__ = ["NEVER", "epoch_of", "epoch_text", "expiry_of", "parse_epoch"]

NEVER = 2**32 - 1
"""When a record of an open-ended holding expires."""

_ORIGIN = date(1970, 1, 1).toordinal()
_MONTHLY_FROM = 366


def expiry_of(day: int, retention_days: int) -> int:
    """Days since 1970-01-01 UTC: ``day`` + retention, at retentions of a year and more the first of that month;
    ``NEVER`` for a retention of 0.

    Floored, so nothing outlives what was promised. SealError when a number is negative or past the year 9999.
    """
    if day < 0 or retention_days < 0:
        raise SealError("expiry: day and retention want numbers from 0")
    if retention_days == 0:
        return NEVER
    found = _date(day + retention_days)
    if retention_days >= _MONTHLY_FROM:
        found = found.replace(day=1)
    return found.toordinal() - _ORIGIN


def epoch_of(day: int, rotation_days: int, expires: int) -> int:
    """The epoch, named by the day its key is destroyed, to which a batch that expires on ``expires`` is sealed on
    ``day``: the second multiple of the rotation after it, or its expiry where that is sooner.

    So a key lives one to two rotations, and its batches can be resealed during the last one. SealError as above.
    """
    if day < 0 or rotation_days < 1:
        raise SealError("epoch: want a day from 0 and a rotation from 1")
    return min((day // rotation_days + 2) * rotation_days, expires)


def epoch_text(epoch: int) -> str:
    """``YYYY-MM-DD``. SealError when out of range."""
    return _date(epoch).isoformat()


def parse_epoch(text: str) -> int:
    """Accept exactly what ``epoch_text`` emits, else FormatError."""
    try:
        epoch = date.fromisoformat(text).toordinal() - _ORIGIN
    except ValueError:
        raise FormatError("epoch: want YYYY-MM-DD") from None
    # fromisoformat takes week dates and dates without dashes, too.
    if epoch < 0 or epoch_text(epoch) != text:
        raise FormatError("epoch: want YYYY-MM-DD")
    return epoch


def _date(epoch: int) -> date:
    if not 0 <= epoch <= date.max.toordinal() - _ORIGIN:
        raise SealError("epoch: want a day from 1970 to 9999")
    return date.fromordinal(_ORIGIN + epoch)
