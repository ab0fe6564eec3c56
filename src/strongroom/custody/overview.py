"""How a room is, told from the vault's side (``strongroom status``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from strongroom.custody import erasures, upkeep
from strongroom.custody.mirror import Enacted
from strongroom.custody.room import Room
from strongroom.custody.upkeep import Standing
from strongroom.errors import KeyholderUnavailable, StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, note
from strongroom.store.rows import HoldingRow


@dataclass(frozen=True)
class Overview:
    """``keyholder`` is None where none answered, and ``silence`` says why. ``published`` is the size of what lies published;
    ``standing``: what is due to the batches of each holding that has any; ``unasked``: a sentence for each holding in which somebody
    erased what this vault did not ask for."""

    name: str
    room: bytes
    charter: Enacted
    pending: tuple[Enacted, ...]
    readers: int
    holdings: tuple[HoldingRow, ...]
    mirror: int
    time: int
    published: int | None
    keyholder: protocol.Status | None
    silence: str
    ledger: int | None
    standing: tuple[Standing, ...]
    unasked: tuple[str, ...]


def overview(room: Room, public: Path) -> Overview:
    """Everything at once. Raises ``StoreError``, ``CheckpointError``; a silent keyholder is no error but a fact."""
    silence, status, size = "", None, None
    try:
        size = room.sync().size
        status = room.status()
    except KeyholderUnavailable as error:
        silence = str(error)
    rules, enacted = room.rules(), room.mirror.charters()
    counted = {row.name: row for row in room.store.holdings()}
    empty = [HoldingRow(0, b"", name, 0, 0) for name in rules.charter.holdings if name not in counted]
    return Overview(
        name=rules.charter.name,
        room=room.keys.room,
        charter=rules.enacted,
        pending=tuple(item for item in enacted if item.index > rules.enacted.index),
        readers=len(rules.roster),
        holdings=tuple(sorted([*counted.values(), *empty], key=lambda row: row.name)),
        mirror=room.mirror.size,
        time=room.mirror.time,
        published=_published(public),
        keyholder=status,
        silence=silence,
        ledger=size,
        standing=tuple(upkeep.standing(room)),
        unasked=tuple(
            erasures.complaint(name, found)
            for name in sorted(counted)
            if name in rules.charter.holdings and (found := erasures.reconcile(room, name))
        ),
    )


def _published(public: Path) -> int | None:
    try:
        return checkpoint.parse(note.parse_note((public / "checkpoint").read_text()).text).size
    except (OSError, UnicodeDecodeError, StrongroomError):
        return None
