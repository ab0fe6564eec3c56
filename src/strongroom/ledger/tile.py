"""Hash tiles and entry bundles: how the tree lies in files (C2SP tlog-tiles; SPEC.md section 5.1).

A tile of level l holds up to 256 hashes, each of 256^l entries. A bundle holds the entries of one tile of level 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, TypeAlias

from strongroom.errors import EntryError, TileError
from strongroom.ledger.prover import Prover, ReadTile
from strongroom.ledger.tree import HASH

__all__ = [
    "ENTRIES", "Level", "Prover", "ReadTile", "append", "bundle", "entries_path", "full_root", "parse_bundle",
    "parse_path", "path", "prove_consistency", "prove_inclusion", "published", "root",
]  # fmt: skip

WIDTH = 256
BYTES = WIDTH * HASH
MAX_ENTRY = 65_535

Level: TypeAlias = int | Literal["entries"]
ENTRIES: Literal["entries"] = "entries"

_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


def append(read: ReadTile, size: int, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """New content of every tile, by (level, n), that leaf hashes after the first ``size`` change.

    What ``read`` knows beyond ``size`` is dropped. Raises TileError when it knows less.
    """
    hashes = b"".join(leaves)
    if len(hashes) != HASH * len(leaves):
        raise TileError("append: a leaf hash is not 32 bytes")
    changed: dict[tuple[int, int], bytes] = {}
    level = 0
    while hashes:
        n, width = divmod(size, WIDTH)
        if width:
            kept = read(level, n)[: width * HASH]
            if len(kept) != width * HASH:
                raise TileError(f"tile {level}/{n}: needs {width} hashes, has {len(kept) // HASH}")
            hashes = kept + hashes
        full = len(hashes) // BYTES
        if not full:
            changed[level, n] = hashes
            break
        above = []
        for k in range(full):
            tile = changed[level, n + k] = hashes[k * BYTES : (k + 1) * BYTES]
            above.append(full_root(tile))
        if len(hashes) > full * BYTES:
            changed[level, n + full] = hashes[full * BYTES :]
        hashes, size, level = b"".join(above), n, level + 1
    return changed


def full_root(tile: bytes) -> bytes:
    """Root over a full tile of 8,192 bytes: the hash that stands for it one level up."""
    row = tile
    while len(row) > HASH:
        row = b"".join([sha256(b"\1" + row[at : at + 64]).digest() for at in range(0, len(row), 64)])
    return row


def root(read: ReadTile, size: int) -> bytes:
    """Root of the first ``size`` entries. Raises TileError. For many questions keep one ``Prover``."""
    return Prover(read).root(size)


def prove_inclusion(read: ReadTile, index: int, size: int) -> list[bytes]:
    """Proof that entry ``index`` is in the first ``size``, leaf's sibling first. Raises ProofError, TileError."""
    return Prover(read).inclusion(index, size)


def prove_consistency(read: ReadTile, size1: int, size2: int) -> list[bytes]:
    """Proof that the first ``size1`` entries begin the first ``size2``. Raises ProofError, TileError."""
    return Prover(read).consistency(size1, size2)


def path(level: Level, n: int, width: int) -> str:
    """``tile/1/x001/234.p/5``: level 0 to 63 or ``entries``, index n, width 1 to 256. Raises TileError."""
    if not 1 <= width <= WIDTH or n < 0 or (level != ENTRIES and not 0 <= level <= 63):
        raise TileError(f"no tile has level {level}, index {n}, width {width}")
    name = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        name = f"x{n % 1000:03}/{name}"
    return f"tile/{level}/{name}" if width == WIDTH else f"tile/{level}/{name}.p/{width}"


def entries_path(n: int, width: int) -> str:
    """Path of the bundle of entries n * 256 on, ``width`` of them."""
    return path(ENTRIES, n, width)


def parse_path(text: str) -> tuple[Level, int, int]:
    """(level, n, width) of exactly what ``path`` writes. Raises TileError."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise TileError("not the path of a tile")
    level: Level = ENTRIES if match[1] == ENTRIES else int(match[1])
    found = level, int(match[2].replace("x", "").replace("/", "")), int(match[3] or WIDTH)
    # "x000/001" and ".p/256" match the pattern; only writing again settles the form.
    if path(*found) != text:
        raise TileError("not the canonical path of a tile")
    return found


def bundle(entries: Sequence[bytes]) -> bytes:
    """At most 256 entries, each after its u16 length. Raises EntryError over 65,535 bytes."""
    if len(entries) > WIDTH:
        raise TileError(f"{len(entries)} entries do not fit a bundle of {WIDTH}")
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise EntryError(f"an entry of {len(entry)} bytes is over {MAX_ENTRY}")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def parse_bundle(data: bytes, count: int) -> list[bytes]:
    """The ``count`` entries of a bundle that holds exactly these. Raises TileError."""
    entries: list[bytes] = []
    at, end = 0, len(data)
    for _ in range(count):
        start = at + 2
        # Two bytes taken singly cost half of what a slice and ``int.from_bytes`` do.
        at = start + (data[at] << 8 | data[at + 1]) if start <= end else start
        if at > end:
            raise TileError(f"bundle ends within entry {len(entries)} of {count}")
        entries.append(data[start:at])
    if at != end:
        raise TileError(f"bundle goes on after its {count} entries")
    return entries


def published(old_size: int, new_size: int) -> list[tuple[Level, int, int]]:
    """(level, n, width) of every file that the ledger of ``new_size`` serves and that of ``old_size`` did not.

    Bundles come first, then tiles upwards: a reader who meets a tile finds what is below it.
    """
    if not 0 <= old_size <= new_size:
        raise TileError(f"published: sizes {old_size} and {new_size} are out of order")
    found: list[tuple[Level, int, int]] = []
    old, new, level = old_size, new_size, 0
    while new > old:
        tiles = [(n, min(WIDTH, new - n * WIDTH)) for n in range(old // WIDTH, -(-new // WIDTH))]
        if level == 0:
            found += [(ENTRIES, n, width) for n, width in tiles]
        found += [(level, n, width) for n, width in tiles]
        old, new, level = old // WIDTH, new // WIDTH, level + 1
    return found
