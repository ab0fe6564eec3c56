"""What the vault's mirror can tell and prove by itself, and what the auditor may open (SPEC.md sections 5.3 and 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.catalog import charter as charters
from strongroom.catalog.model import RosterLine
from strongroom.custody.room import Room
from strongroom.errors import FormatError, InputError, Refused, SealError
from strongroom.gate import ask as asks
from strongroom.ledger import entry, note, proof
from strongroom.ledger.note import Verifier
from strongroom.ledger.prover import Prover
from strongroom.seal import hpke, private

_PAGE = 500


def trusted(room: Room) -> list[Verifier]:
    """The keys by which this room's ledger is verified: the log's from the ceremony, the others from the charter."""
    charter = room.mirror.charters()[-1].charter
    texts = (room.anchors.log, charter.keyholder.ml_dsa, charter.vault.cosigner)
    return [note.verifier(text) for text in texts]


def entry_at(room: Room, index: int) -> entry.Entry:
    """Raises ``InputError`` when the mirror does not reach so far."""
    size = room.mirror.size
    if not 0 <= index < size:
        raise InputError(f"no entry {index}: the mirror holds {size}, from 0. Is it behind? strongroom status")
    return entry.parse(room.mirror.entry(index))


def backwards(room: Room) -> Iterator[tuple[int, entry.Entry]]:
    """Every entry with its index, the last first."""
    stop = room.mirror.size
    while stop:
        start = max(0, stop - _PAGE)
        found = room.mirror.entries(start, stop)
        yield from ((start + place, entry.parse(found[place])) for place in range(len(found) - 1, -1, -1))
        stop = start


def receipt(room: Room, index: int) -> str:
    """C2SP tlog-proof of an entry under the last checkpoint that the vault verified and cosigned. Raises ``InputError``."""
    entry_at(room, index)
    hashes = Prover(room.mirror.read_tile).inclusion(index, room.mirror.size)
    return proof.Proof(index, tuple(hashes), room.mirror.note).marshal()


@dataclass(frozen=True)
class Opened:
    """What stands behind an entry: the ask as the reader's device signed it, its private half, and who countersigned:
    reader -> line of the roster of that time."""

    index: int
    entry: entry.Entry
    ask: asks.Ask
    line: RosterLine
    private: asks.PrivateHalf = field(repr=False)
    countersigners: dict[bytes, RosterLine]


def opened(room: Room, index: int, key: Path) -> Opened:
    """Who asked, for which case and reason, with the auditor's key; the devices' signatures under it are verified.

    Raises ``InputError``, ``SealError`` when the vault's evidence is missing or not what the entry commits to.
    """
    item = entry_at(room, index)
    commitment, charter = getattr(item, "commitment", None), entry.charter_hash_of(item)
    if commitment is None or charter is None:
        raise InputError(f"entry {index} is a {item.__struct_config__.tag}: nobody asked for it, so it has no reason")
    sealed = room.store.private(commitment)
    if sealed is None:
        raise SealError(f"entry {index}: the vault does not hold the sealed reason that the entry commits to")
    try:
        seed = key.read_bytes()
    except OSError as error:
        raise InputError(f"{key}: no auditor's key ({error.strerror})") from None
    if len(seed) != 96:
        raise InputError(f"{key}: not an auditor's key. Want 96 bytes, as strongroom init makes them")
    data = private.open_private(hpke.private_from(seed), room.keys.room, commitment, sealed)
    try:
        ask, half, evidence = asks.parse_evidence(data, commitment)
        roster = _roster(room, charter)
        line = _line(roster, ask.reader)
        asks.verify(evidence.ask.encode(), evidence.signature, line.key)
        others = {one.reader: _line(roster, one.reader) for one in evidence.countersignatures}
        for one in evidence.countersignatures:
            asks.verify_countersignature(evidence.ask.encode(), one.signature, others[one.reader].key)
        if len(others) != len(getattr(item, "countersigners", others)):
            raise Refused("countersign", "its entry does not say how many countersigned")
    except (Refused, FormatError) as error:
        raise SealError(f"entry {index}: what the vault kept of its ask is not in order: {error}") from None
    return Opened(index, item, ask, line, half, others)


def _roster(room: Room, charter: bytes) -> dict[bytes, RosterLine]:
    made = next((one.charter for one in room.mirror.charters() if one.hash == charter), None)
    roster = room.store.roster(made.roster) if made else None
    return asks.readers(charters.parse_roster(roster)) if roster else {}


def _line(roster: dict[bytes, RosterLine], reader: bytes) -> RosterLine:
    if reader not in roster:
        raise Refused("reader", "its reader is not in the roster of that time")
    return roster[reader]
