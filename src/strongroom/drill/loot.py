"""What a thief of the vault's disk carries away, and how it is searched."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.custody import keys as vault_keys
from strongroom.seal import body
from strongroom.store.rows import BatchRow, Stored
from strongroom.store.vault import VaultStore

LEAST = 6
"""Shorter needles would be met by chance: 5 bytes once in a terabyte, 4 in four gigabytes, and there are thousands."""


@dataclass(frozen=True)
class Loot:
    """A copy of DIR/vault. ``files``: every file as it lay there; ``cells``: every value of every table."""

    files: Mapping[str, bytes] = field(repr=False)
    cells: tuple[bytes, ...] = field(repr=False)
    keys: vault_keys.VaultKeys
    records: Mapping[str, list[Stored]] = field(repr=False)
    batches: tuple[BatchRow, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes, of all files."""
        return sum(map(len, self.files.values()))

    def haystacks(self) -> Iterator[bytes]:
        yield from self.files.values()
        # A value that lies across two pages of the file stands whole in its cell.
        yield b"\0".join(self.cells)

    def slots(self, holding: str) -> list[tuple[Stored, body.Slot]]:
        return [(row, slot) for row in self.records[holding] for slot in body.parse(row.body)]


def steal(vault: Path, to: Path) -> Loot:
    """Copy the vault's directory while it is in use, write-ahead log included, and read all of it."""
    shutil.copytree(vault, to)
    files = {str(path.relative_to(to)): path.read_bytes() for path in sorted(to.rglob("*")) if path.is_file()}
    cells: list[bytes] = []
    for path in sorted(to.rglob("*.db")):
        cells += _cells(path)
    with VaultStore(to / "vault.db") as store:
        records = {row.name: list(store.records(row.number)) for row in store.holdings()}
        return Loot(files, tuple(cells), vault_keys.load(to), records, tuple(store.batches()))


def _cells(path: Path) -> Iterator[bytes]:
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name out of the file's own schema
                for value in row:
                    if isinstance(value, str | bytes):
                        yield value.encode() if isinstance(value, str) else value
    db.close()


def sightings(haystacks: Iterable[bytes], needles: Mapping[bytes, str]) -> set[str]:
    """The labels of the needles (at least ``LEAST`` bytes each) that stand anywhere."""
    starts: dict[bytes, list[bytes]] = {}
    for needle in needles:
        starts.setdefault(needle[:LEAST], []).append(needle)
    found = set()
    for hay in haystacks:
        for at in range(len(hay) - LEAST + 1):
            if hay[at : at + LEAST] in starts:
                found |= {needles[one] for one in starts[hay[at : at + LEAST]] if hay.startswith(one, at)}
    return found


def standing(haystacks: Iterable[bytes], wanted: Collection[bytes], width: int) -> set[bytes]:
    """Those of ``wanted`` (``width`` bytes each) that stand anywhere, at any offset."""
    sought, found = frozenset(wanted), set()
    for hay in haystacks:
        for at in range(len(hay) - width + 1):
            if hay[at : at + width] in sought:
                found.add(hay[at : at + width])
    return found


def spellings(value: str) -> set[bytes]:
    """A value as it might lie around: encodings of its forms."""
    forms = {value, value.lower(), value.upper(), value.casefold()}
    forms |= {unicodedata.normalize(form, value) for form in ("NFC", "NFD", "NFKC")}
    forms |= {value.replace("-", ""), value.replace(" ", ""), value.removeprefix("+86"), value.removeprefix("+")}
    found: set[bytes] = set()
    for form in forms:
        plain = form.encode()
        raw = {plain, form.encode("utf-16-le"), form.encode("utf-16-be"), form.encode("gb18030")}
        raw.add(form.encode("ascii", "backslashreplace"))
        found |= raw
        for one in raw:
            found |= {one.hex().encode(), one.hex().upper().encode(), *_base64(one)}
    return {one for one in found if len(one) >= LEAST}


def _base64(data: bytes) -> Iterator[bytes]:
    # Within a longer text a value may begin at any of three places of base64's groups; the edges are its neighbours'.
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)
        start, end = -(-8 * shift // 6), 8 * (shift + len(data)) // 6
        yield text[start:end]
