"""What stands behind the question mark of an address."""

from __future__ import annotations

from typing import Annotated

import msgspec

from strongroom.api.base import Handle, Name, Request

Cursor = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,15}$(?!\n)",
        description="Where to go on: as an answer before said. From the first on where absent.",
    ),
]


class Nothing(Request):
    """No parameter."""


class Pages(Request):
    cursor: Cursor = "0"
    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="At most so many.")] = 10


class Lines(Request):
    cursor: Cursor = "0"
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000, description="At most so many.")] = 1000


class Of(Request):
    """Whose budgets: of the reader (16 bytes of SPEC.md 1.4 in hex), asking for this purpose in this holding."""

    purpose: Name
    holding: Name
    reader: Handle


class Certified(Request):
    """Which records of the erasure; the parameter may stand more than once."""

    record: Annotated[list[Handle], msgspec.Meta(min_length=1, max_length=100)]
