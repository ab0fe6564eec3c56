"""What a person outside the room must know of it before anything can be verified: three short texts, had from anywhere but the room.

The first charter's hash names the room for good; the log's verifier key signs its ledger; the address is where to ask.
"""

from __future__ import annotations

from pathlib import Path

from strongroom.canonical import Bytes16, Bytes32, Codec, Record
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.errors import CheckpointError, EntryError, InputError, NoteError
from strongroom.ledger import checkpoint, entry, note
from strongroom.ledger.directory import Directory, Fetch


class Anchors(Record):
    """A room as its readers know it, whatever answers at its address: its id, the hash of its first charter, and the verifier
    key of its log. Agreed at the founding, and had from the custodian by hand (``strongroom reader anchors``)."""

    genesis: Bytes32
    log: str
    room: Bytes16


_anchors: Codec[Anchors] = Codec(Anchors, "anchors", InputError)


def load(path: Path) -> Anchors:
    """A file as ``strongroom reader anchors`` writes it: canonical JSON in one line. Raises ``InputError``."""
    try:
        found = _anchors.parse(path.read_bytes().removesuffix(b"\n"))
        note.verifier(found.log)
    except OSError as error:
        raise InputError(
            f"{path}: no anchors ({error.strerror}). The custodian has them: strongroom reader anchors"
        ) from None
    except (InputError, NoteError) as error:
        raise InputError(f"{path}: {error}") from None
    return found


def genesis(text: str) -> bytes:
    """32 bytes out of hexadecimal. Raises ``InputError``."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise InputError(
            "--genesis: want the first charter's hash, 64 hexadecimal digits, as strongroom init prints it"
        )
    return found


def first_charter(fetch: Fetch, genesis: bytes) -> Charter:
    """The charter of that hash, with which the room's ledger begins: it names the room's id and the keyholder's keys. Raises ``CheckpointError``, ``TileError``."""
    directory = Directory(fetch)
    size = checkpoint.parse(note.parse_note(directory.note()).text).size
    try:
        first = entry.parse(directory.entry(0, size))
    except EntryError as error:
        raise EntryError(f"entry 0: {error}") from None
    document = first.document.encode() if isinstance(first, entry.CharterEntry) else b""
    if charters.charter_hash(document) != genesis:
        raise CheckpointError(
            "the ledger does not begin with this room's first charter: it is another room's, or forged"
        )
    return charters.parse(document)
