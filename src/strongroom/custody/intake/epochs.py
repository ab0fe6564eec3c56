"""When what is taken in today expires, and the key to which it is sealed for now (SPEC.md sections 3.1, 3.2, 8.2)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.custody.keydays import KeyDays
from strongroom.custody.room import Room
from strongroom.errors import SealError
from strongroom.keyholder import protocol
from strongroom.seal import epoch as epochs

_DAY = 86400


def current(room: Room, holding: str, expires: int | None = None) -> tuple[int, int]:
    """(epoch, expiry) in days of what is sealed today; with ``expires``, of what is resealed and has that already."""
    declared, today = room.rules().charter.holdings[holding], room.now() // _DAY
    if expires is None:
        expires = epochs.expiry_of(today, declared.retention)
    return epochs.epoch_of(today, declared.rotation, expires), expires


def public_key(room: Room, holding: str, epoch: int) -> bytes:
    """1216 bytes, as the keyholder gives it now: one that was restored from an old copy may have lost the key that it gave
    before, and what is sealed to that is lost with it.

    Raises ``SealError`` when the keyholder did not sign it, ``StoreError`` when it gives another than before and the
    ledger has no notice of a recovery, ``Refused``, ``KeyholderUnavailable``.
    """
    number, keys = room.holding(holding), room.keys.holding(holding)
    request = protocol.Epoch(**room.common(), holding=holding, epoch=epoch)
    answer = protocol.epoch_key.parse(room.client.call("/v1/epoch", request))
    message = protocol.epoch_message(room.keys.room, keys.holding, epoch, answer.public)
    try:
        Ed25519PublicKey.from_public_bytes(room.rules().charter.keyholder.message).verify(answer.signature, message)
    except InvalidSignature:
        raise SealError(f"the key of the epoch {epochs.epoch_text(epoch)} is not signed by the keyholder") from None
    known = room.store.epoch(number, epoch)
    if known is None:
        _note(room, answer.public)
        room.store.put_epoch(number, epoch, answer.public, answer.signature)
    elif known[0] != answer.public and _recovered(room, known[0]):
        _note(room, answer.public)
        room.store.renew_epoch(number, epoch, answer.public, answer.signature)
    else:
        room.store.put_epoch(number, epoch, answer.public, answer.signature)
    return answer.public


def _note(room: Room, public: bytes) -> None:
    """How large the ledger was when this key was first given, before anything is sealed to it."""
    if not room.store.notes.get(_name(public)):
        room.store.notes.put(_name(public), room.mirror.size.to_bytes(8, "big"))


def _recovered(room: Room, public: bytes) -> bool:
    """Whether the ledger says that the keyholder was restored from an old copy (SPEC.md section 8.10) since it gave this key: each notice
    lets it give another key once."""
    days = KeyDays(room)
    days.read()
    return days.generation is not None and days.generation >= int.from_bytes(room.store.notes.get(_name(public)), "big")


def _name(public: bytes) -> str:
    return f"key:{protocol.epoch_key_hash(public).hex()}"
