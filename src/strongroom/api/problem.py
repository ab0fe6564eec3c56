"""Problems (RFC 9457), with stable codes (SPEC.md section 10.2)."""

from __future__ import annotations

import msgspec

from strongroom.api.base import Answer, Count, Entry

MEDIA_TYPE = "application/problem+json"
URN = "urn:strongroom:problem:"


class Row(Answer):
    """What is wrong with one record. ``row``: its number, from 1; ``field``: empty where it is no one field."""

    row: Count
    field: str
    reason: str


class Problem(Answer):
    """Why there is no answer. ``code`` is stable, and ``type`` says the same; ``detail`` is for people, and never has a
    personal value or what somebody typed. ``entry``: where the ledger says that this was refused."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    entry: Entry | None = None
    rows: list[Row] = msgspec.field(default_factory=list)
