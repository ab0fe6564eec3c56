"""Where records are taken from, as a command line names it: a file, or a PostgreSQL database by its address.

An address never has a password in it: a command line is seen by every process of the machine and kept by shells. So one
that has is refused, and neither it nor what only looks like it is quoted in a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

from strongroom.errors import InputError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|postgres(?:ql)?:", re.IGNORECASE)
_POSTGRESQL = ("postgresql://", "postgres://")
_SECRET = re.compile(r"passw|secret|scram_.*key")  # of libpq's parameters: all that hold one, and not passfile
_KEYWORDS = re.compile(r"(?:^|\s)password\s*=", re.IGNORECASE)

REFUSAL = (
    "the address has a password in it, or an @ that is not written %40. A command line is for everybody to read: "
    "change that password now, and put it into ~/.pgpass, or name a file of that form in PGPASSFILE, or a service in PGSERVICE"
)

UNKNOWN = "not an address that is read here. Write postgresql://USER@HOST/DATABASE, or the name of a file"


@dataclass(frozen=True, slots=True)
class Address:
    """A PostgreSQL database, as a URI of libpq's without a password."""

    url: str


Place: TypeAlias = Path | Address


def parse(text: str) -> Place:
    """What ``text`` names. Raises ``InputError``; of an address nothing is quoted."""
    if _KEYWORDS.search(text):
        raise InputError(REFUSAL)
    if not _SCHEME.match(text):
        return Path(text)
    scheme = next((known for known in _POSTGRESQL if text.lower().startswith(known)), None)
    if scheme is None:
        raise InputError(UNKNOWN)
    rest = text[len(scheme) :]
    before, _, query = rest.partition("?")
    if any(":" in part.rpartition("@")[0] for part in (before, rest.partition("/")[0])):
        raise InputError(REFUSAL)
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if _SECRET.search(unquote(name).lower()):
            raise InputError(REFUSAL)
    return Address(scheme + rest)
