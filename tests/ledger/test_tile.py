"""Tiles: what append writes is what the tree is, at every size and in every step."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.errors import EntryError, ProofError, TileError
from strongroom.ledger import tile, tree
from strongroom.ledger.edge import Edge

LEAVES = [tree.leaf_hash(b"%d" % n) for n in range(1400)]
Tiles = dict[tuple[int, int], bytes]


def reader(tiles: Tiles) -> tile.ReadTile:
    return lambda level, n: tiles.get((level, n), b"")


@given(st.lists(st.sampled_from([1, 2, 254, 255, 256, 257, 511, 600]), max_size=6))
def test_steps_do_not_matter(steps: list[int]) -> None:
    tiles: Tiles = {}
    edge, size = Edge(), 0
    for step in steps:
        added = LEAVES[size : size + step]
        tiles |= tile.append(reader(tiles), size, added)
        edge.extend(added)
        size += len(added)
    assert tiles == tile.append(reader({}), 0, LEAVES[:size])
    assert edge.root() == tile.root(reader(tiles), size) == tree.root(LEAVES[:size])
    assert Edge.read(reader(tiles), size).root() == edge.root()


def test_three_levels() -> None:
    size = 65536 + 256 + 1
    leaves = [tree.leaf_hash(b"%d" % (n % 1000)) for n in range(size)]
    tiles = tile.append(reader({}), 0, leaves[:65530])
    tiles |= tile.append(reader(tiles), 65530, leaves[65530:])
    widths = {at: len(content) // 32 for at, content in tiles.items() if len(content) < 8192}
    assert widths == {(0, 257): 1, (1, 1): 1, (2, 0): 1}
    assert tile.root(reader(tiles), size) == tree.root(leaves)


@given(st.data())
def test_old_sizes_from_newer_tiles(data: st.DataObject) -> None:
    read = reader(tile.append(reader({}), 0, LEAVES))
    size = data.draw(st.integers(1, 1400))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    root = tree.root(LEAVES[:size])
    assert tile.root(read, size) == root
    tree.verify_inclusion(index, size, LEAVES[index], tile.prove_inclusion(read, index, size), root)
    tree.verify_consistency(old, size, tree.root(LEAVES[:old]), root, tile.prove_consistency(read, old, size))
    # Appending at an old size drops what was beyond it.
    other = [tree.leaf_hash(b"other")] * 3
    tiles = tile.append(read, size, other)
    assert tile.root(lambda level, n: tiles.get((level, n), read(level, n)), size + 3) == tree.root(
        LEAVES[:size] + other
    )


def test_a_prover_follows_a_growing_ledger_and_forgets_tiles() -> None:
    tiles: Tiles = {}
    prover = tile.Prover(reader(tiles), tiles=2)
    for size in range(0, 1400, 7):
        tiles |= tile.append(reader(tiles), size, LEAVES[size : size + 7])
        root = prover.root(size + 7)
        for index in (0, size // 2, size, size + 6):
            tree.verify_inclusion(index, size + 7, LEAVES[index], prover.inclusion(index, size + 7), root)
    assert len(prover._rows) == 2


def test_what_is_missing_is_said() -> None:
    tiles = tile.append(reader({}), 0, LEAVES[:300])
    with pytest.raises(TileError, match="tile 0/1: needs"):
        tile.root(reader(tiles), 301)
    with pytest.raises(TileError, match="tile 0/1: needs 45 hashes, has 44"):
        tile.append(reader(tiles), 301, LEAVES[:1])
    with pytest.raises(TileError, match="31 bytes"):
        tile.root(lambda _level, _n: bytes(31), 1)
    with pytest.raises(TileError):
        tile.append(reader({}), 0, [bytes(31), bytes(33), bytes(31)])
    for index, size in ((300, 300), (-1, 3)):
        with pytest.raises(ProofError):
            tile.prove_inclusion(reader(tiles), index, size)
    with pytest.raises(ProofError):
        tile.prove_consistency(reader(tiles), 3, 2)
    with pytest.raises(ValueError, match="each set bit"):
        Edge(3, [bytes(32)])


def test_paths_of_the_specification() -> None:
    # The examples of C2SP tlog-tiles.
    assert tile.path(0, 1234067, 256) == "tile/0/x001/x234/067"
    assert tile.published(0, 70_000)[-3:] == [(1, 0, 256), (1, 1, 17), (2, 0, 1)]
    assert tile.published(0, 70_000)[273] == ("entries", 273, 112)
    assert tile.published(0, 256) == [("entries", 0, 256), (0, 0, 256), (1, 0, 1)]
    assert tile.entries_path(273, 112) == "tile/entries/273.p/112"


levels = st.one_of(st.integers(0, 63), st.just(tile.ENTRIES))


@given(levels, st.integers(0, 2**55), st.integers(1, 256))
@example(0, 999, 256)
@example(63, 1000, 255)
@example("entries", 1_000_000, 1)
def test_paths_come_back(level: tile.Level, n: int, width: int) -> None:
    assert tile.parse_path(tile.path(level, n, width)) == (level, n, width)


@pytest.mark.parametrize(
    "text",
    [
        "", "tile/0/1", "tile/0/0001", "tile/00/001", "tile/64/001", "tile/0/x000/001", "tile/0/001.p/0", "tile/0/001.p/256",
        "tile/0/001.p/01", "tile/0/001/", "/tile/0/001", "tile/data/001", "tile/0/x001/x002", "tile/0/001\n", "tile/0/٠٠١",
        "tile/-1/001", "tile/0/../001", "tile/0/001.p/1.p/1",
    ],
)  # fmt: skip
def test_no_other_path_is_read(text: str) -> None:
    with pytest.raises(TileError):
        tile.parse_path(text)


@given(st.one_of(st.text(), st.from_regex(r"tile/[0-9a-z]{1,3}/[x0-9/]{1,9}(\.p/[0-9]{1,3})?", fullmatch=True)))
def test_any_path_is_canonical_or_refused(text: str) -> None:
    try:
        found = tile.parse_path(text)
    except TileError:
        return
    assert tile.path(*found) == text


@pytest.mark.parametrize(("level", "n", "width"), [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_no_such_tile(level: int, n: int, width: int) -> None:
    with pytest.raises(TileError):
        tile.path(level, n, width)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundles_come_back(entries: list[bytes]) -> None:
    data = tile.bundle(entries)
    assert tile.parse_bundle(data, len(entries)) == entries
    for wrong in (data + b"\0", data + b"\0\0", data[:-1]):
        if wrong != data:
            with pytest.raises(TileError):
                tile.parse_bundle(wrong, len(entries))


@given(st.binary(), st.integers(0, 256))
def test_any_bundle_is_canonical_or_refused(data: bytes, count: int) -> None:
    try:
        found = tile.parse_bundle(data, count)
    except TileError:
        return
    assert tile.bundle(found) == data


def test_limits_of_a_bundle() -> None:
    assert len(tile.bundle([bytes(65_535)])) == 65_537
    with pytest.raises(EntryError):
        tile.bundle([bytes(65_536)])
    with pytest.raises(TileError):
        tile.bundle([b""] * 257)


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_published_is_what_append_changes(one: int, other: int) -> None:
    old, new = sorted((one, other))
    files = tile.published(old, new)
    for level, n, width in files:
        below = new if level == tile.ENTRIES else new >> 8 * level
        before = old if level == tile.ENTRIES else old >> 8 * level
        assert n * 256 + width <= below
        assert n * 256 + width > before
    # Whatever the new ledger needs is new here or was published for the old one.
    assert set(tile.published(0, new)) <= set(files) | set(tile.published(0, old))
    with pytest.raises(TileError):
        tile.published(new + 1, new)
