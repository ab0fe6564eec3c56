"""The day by which a record's key is destroyed, which names its epoch (SPEC.md section 3.1)."""

from __future__ import annotations

from datetime import date

from strongroom.errors import FormatError, SealError

__all__ = ["epoch_of", "epoch_text", "parse_epoch"]

_ORIGIN = date(1970, 1, 1).toordinal()
_MONTHLY_FROM = 366


def epoch_of(day: int, retention_days: int) -> int:
    """Days since 1970-01-01 UTC: ``day`` + retention, at retentions of a year and more the first of that month.

    Floored, so a key never outlives what was promised. SealError when a number is negative or past the year 9999.
    """
    if day < 0 or retention_days < 0:
        raise SealError("epoch: day and retention want numbers from 0")
    found = _date(day + retention_days)
    if retention_days >= _MONTHLY_FROM:
        found = found.replace(day=1)
    return found.toordinal() - _ORIGIN


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
