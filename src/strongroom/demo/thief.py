"""The thief's view: everything the vault has on its disk, its keys included, and nothing of the keyholder's."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SHORTEST = 6


@dataclass(frozen=True)
class Loot:
    """What a copy of the vault's directory gives. ``sample``: the first bytes of some sealed records, in hex."""

    bytes: int
    files: int
    records: int
    sample: tuple[str, ...]
    sought: int
    found: int


def steal(vault: Path, values: Sequence[str]) -> Loot:
    """Copy the vault while it is open, and look for personal values in every byte of it, in UTF-8 and UTF-16."""
    with tempfile.TemporaryDirectory(prefix="strongroom-thief-") as directory:
        copy = Path(directory) / "loot"
        shutil.copytree(vault, copy)
        spellings = [value.encode(form) for value in values for form in ("utf-8", "utf-16-le")]
        # Four bytes (a name of two Han characters in UTF-16) stand by chance in any 35 MB; six do not.
        sought = [one for one in spellings if len(one) >= _SHORTEST]
        size = files = 0
        found: set[bytes] = set()
        for path in sorted(copy.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                size, files = size + len(data), files + 1
                found.update(one for one in sought if one in data)
        database = sqlite3.connect(copy / "vault.db")
        try:
            rows = database.execute("SELECT handle, body FROM records LIMIT 3").fetchall()
            records = database.execute("SELECT count(*) FROM records").fetchone()[0]
        finally:
            database.close()
    sample = tuple(f"{handle.hex()[:12]}…  {body.hex()[:56]}…" for handle, body in rows)
    return Loot(size, files, records, sample, len(values), len(found))
