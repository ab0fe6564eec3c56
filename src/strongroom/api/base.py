"""What all messages share: handles, names, and how strict each side is.

A request with a member that there is not is refused, since its sender means something by it. An answer may have members
that a client does not know: those of a later release.
"""

from __future__ import annotations

from typing import Annotated, dataclass_transform

import msgspec

# "$" also stands before a last line end in Python's expressions, and "\Z" is none of JSON Schema's.
Handle = Annotated[
    str, msgspec.Meta(pattern="^[0-9a-f]{32}$", min_length=32, max_length=32, description="A record: 32 hex digits.")
]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$(?!\n)", description="A name of the charter's.")]
Entry = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1, description="Index of an entry of the ledger.")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1, description="POSIX time in seconds.")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A day, UTC.")]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="32 bytes in hex.")]
Receipt = Annotated[
    str, msgspec.Meta(description="Proof that the entry is in the ledger: a C2SP tlog-proof under a signed checkpoint.")
]
Entries = Annotated[list[Entry], msgspec.Meta(description="Indexes of entries of the ledger.")]
Values = Annotated[dict[str, str | None], msgspec.Meta(description="Field -> value as text; null where there is none.")]


# msgspec hands `frozen` down to subclasses; mypy has to be told.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a client sends."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the vault answers. What has nothing to say is absent."""
