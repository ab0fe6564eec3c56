"""What a person outside the room must know of it before anything can be verified: three short texts, had from anywhere but the room.

The first charter's hash names the room for good; the log's verifier key signs its ledger; the address is where to ask.
"""

from __future__ import annotations

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.errors import CheckpointError, EntryError, InputError
from strongroom.ledger import checkpoint, entry, note
from strongroom.ledger.directory import Directory, Fetch


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
