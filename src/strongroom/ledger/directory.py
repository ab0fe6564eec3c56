"""The published ledger, read through ``fetch(path)``: files of a disk, a web server, a dict (SPEC.md section 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from strongroom.errors import EntryError, NoteError, ProofError, TileError
from strongroom.ledger import checkpoint, tag, tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.note import parse_note
from strongroom.ledger.proof import Proof

Fetch = Callable[[str], bytes]
"""path -> bytes. Raises KeyError or FileNotFoundError for what is not there, another OSError for what cannot be told."""


WITNESSED = "witnessed"
"""The last checkpoint that a quorum of witnesses has cosigned; read it before ``checkpoint``, and it is never ahead."""


class Directory:
    """Typed access to what ``fetch`` gives. Every error names the path; nothing is verified here but shapes."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def find(self, path: str) -> bytes | None:
        """None when the file is not there. Raises TileError when that cannot be told."""
        try:
            return self._fetch(path)
        except (KeyError, FileNotFoundError):
            return None
        except OSError as error:
            raise TileError(f"{path}: cannot be read ({type(error).__name__})") from None

    def get(self, path: str) -> bytes:
        """Raises TileError when the file is missing or cannot be had."""
        found = self.find(path)
        if found is None:
            raise TileError(f"{path}: missing")
        return found

    def has(self, path: str) -> bool:
        """Whether the file is there. Raises TileError when that cannot be told."""
        return self.find(path) is not None

    def note(self) -> str:
        """The signed checkpoint, unverified. Raises TileError, NoteError."""
        try:
            return self.get("checkpoint").decode()
        except UnicodeDecodeError:
            raise NoteError("checkpoint: not UTF-8") from None

    def hashes(self, level: int, n: int, width: int) -> bytes:
        """``width`` hashes of a tile, out of the full tile where the partial one is gone. Raises TileError."""
        path = self._present(level, n, width)
        data = self.get(path)
        want = (tile.WIDTH if path == tile.path(level, n, tile.WIDTH) else width) * tree.HASH
        if len(data) != want:
            raise TileError(f"{path}: {len(data)} bytes, want {want}")
        return data[: width * tree.HASH]

    def entries(self, n: int, width: int) -> list[bytes]:
        """``width`` entries of bundle ``n``, as ``hashes`` does. Raises TileError."""
        path = self._present(tile.ENTRIES, n, width)
        count = tile.WIDTH if path == tile.entries_path(n, tile.WIDTH) else width
        data = self.get(path)
        try:
            return tile.parse_bundle(data, count)[:width]
        except TileError as error:
            raise TileError(f"{path}: {error}") from None

    def entry(self, index: int, size: int) -> bytes:
        """Entry ``index`` of a ledger of ``size``. Raises TileError."""
        if not 0 <= index < size:
            raise TileError(f"no entry {index} in a ledger of {size}")
        n, place = divmod(index, tile.WIDTH)
        return self.entries(n, min(tile.WIDTH, size - n * tile.WIDTH))[place]

    def read_tile(self, size: int) -> tile.ReadTile:
        """The tiles of a ledger of ``size``, as ``tile.Prover`` reads them. Raises TileError."""

        def read(level: int, n: int) -> bytes:
            width = min(tile.WIDTH, (size >> 8 * level) - n * tile.WIDTH)
            return self.hashes(level, n, width) if width > 0 else b""

        return read

    def _present(self, level: tile.Level, n: int, width: int) -> str:
        """C2SP lets a partial tile go once the full one is there, so a reader of an older size takes that."""
        path, full = tile.path(level, n, width), tile.path(level, n, tile.WIDTH)
        return full if path != full and not self.has(path) and self.has(full) else path


def prove(fetch: Fetch, index: int) -> Proof:
    """Receipt for entry ``index``, unverified: ``proof.verify`` it. It is under what witnesses have cosigned last, where that has the
    entry, so that it carries their cosignatures to whoever is offline; else under the published checkpoint.

    Raises TileError, NoteError, CheckpointError, ProofError.
    """
    directory = Directory(fetch)
    cosigned, note = directory.find(WITNESSED), directory.note()
    size = published = checkpoint.parse(parse_note(note).text).size
    if cosigned is not None:
        text = cosigned.decode("utf-8", "replace")
        seen = checkpoint.parse(parse_note(text).text).size
        if index < seen < published:
            note, size = text, seen
    return Proof(index, tuple(tile.prove_inclusion(directory.read_tile(published), index, size)), note)


def verify_growth(fetch: Fetch, old: Checkpoint, new: Checkpoint) -> None:
    """``new``, whose tiles ``fetch`` reads, holds all of ``old`` and only adds to it.

    Raises ProofError for a rewritten ledger, a shorter one or another origin's; TileError for what is missing.
    """
    if old.origin != new.origin:
        raise ProofError(f"{new.origin}: not the ledger {old.origin}")
    proof = tile.prove_consistency(Directory(fetch).read_tile(new.size), old.size, new.size)
    tree.verify_consistency(old.size, new.size, old.root, new.root, proof)


def find_tags(fetch: Fetch, wanted: Collection[bytes], days: Iterable[str], size: int) -> dict[bytes, list[int]]:
    """Indexes below ``size`` of the entries that carry a wanted tag, out of day files such as ``tags/2026-11-23``.

    A day without a file has no tags. Day files only save reading: check the entry found, and count the tags.
    Raises EntryError, TileError.
    """
    directory, sought = Directory(fetch), frozenset(wanted)
    found: dict[bytes, list[int]] = {}
    for path in days:
        if not directory.has(path):
            continue
        try:
            pairs = tag.parse_day(directory.get(path))
        except EntryError as error:
            raise EntryError(f"{path}: {error}") from None
        for one, index in pairs:
            if one in sought and index < size:
                found.setdefault(one, []).append(index)
    return found
