"""What the vault's store keeps of passkeys: public keys, and the hashes of codes that wait (SPEC.md section 9.1, ``meta``)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Protocol

from strongroom.canonical import Bytes32, Codec, Number, Record, encode
from strongroom.errors import StoreError
from strongroom.service.identity.caller import refuse

CODE_LIFE = 3600
MOST_KEYS = 10
# Crockford's base32, to be read out: O, I and L are what they look like.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKS = str.maketrans("OIL", "011")


class Notes(Protocol):
    """What is wanted of the store (``store.notes``)."""

    def get(self, name: str) -> bytes: ...
    def put(self, name: str, value: bytes) -> None: ...
    def swap(self, name: str, before: bytes, after: bytes, drop: Sequence[str] = ()) -> bool: ...


class Credential(Record):
    """A passkey: its id, its public key (COSE) and how often it says it was used."""

    id: bytes
    public: bytes
    count: Number


class _Kept(Record):
    credentials: list[Credential]


class _Code(Record):
    expires: Number
    hash: Bytes32


_kept: Codec[_Kept] = Codec(_Kept, "passkeys of a reader", StoreError)
_code: Codec[_Code] = Codec(_Code, "code for a passkey", StoreError)


def draw_code(notes: Notes, reader: bytes, now: int, random: Callable[[int], bytes]) -> str:
    """A one-time code for a reader (100 bits, so that its hash tells nobody); an earlier one is void."""
    text = "".join(_ALPHABET[byte % 32] for byte in random(20))
    notes.put(_code_name(reader), encode(_Code(expires=now + CODE_LIFE, hash=_hash(text))))
    return "-".join(text[at : at + 5] for at in range(0, 20, 5))


def check_code(notes: Notes, reader: bytes, code: str, now: int) -> None:
    """Raises ``IdentityRefused`` (``passkey-code``)."""
    found = notes.get(_code_name(reader))
    kept = _code.parse(found) if found else None
    given = _hash(code.upper().replace("-", "").replace(" ", "").translate(_LOOKS))
    if kept is None or kept.expires < now or not hmac.compare_digest(kept.hash, given):
        refuse("passkey-code")


def of(notes: Notes, reader: bytes) -> list[Credential]:
    """The passkeys of a reader; none where none was ever made."""
    found = notes.get(_keys_name(reader))
    return _kept.parse(found).credentials if found else []


def add(notes: Notes, reader: bytes, known: list[Credential], new: Credential) -> None:
    """Keep a passkey beside those that were ``known`` before the code was looked at, and use up the code, at once: of two that
    come with one code, the second finds others there. Raises ``IdentityRefused``."""
    if len(known) >= MOST_KEYS or any(one.id == new.id for one in known):
        refuse("passkey", f"this passkey is known, or there are {MOST_KEYS}")
    if not _swap(notes, reader, known, [*known, new], (_code_name(reader),)):
        refuse("passkey-code")


def count(notes: Notes, reader: bytes, used: Credential, now: int) -> None:
    """Note that a passkey says it was used ``now`` times. Raises ``IdentityRefused`` (``passkey-count``) when that is no more than
    before, as of a copy; many never count, and say 0 each time."""
    known = of(notes, reader)
    after = [Credential(id=one.id, public=one.public, count=now) if one == used else one for one in known]
    counts = now > used.count or now == used.count == 0
    if not counts or used not in known or not _swap(notes, reader, known, after):
        refuse("passkey-count")


def forget(notes: Notes, reader: bytes) -> int:
    """Drop all passkeys of a reader, and a code that waits. Returns how many there were."""
    while True:
        known = of(notes, reader)
        if _swap(notes, reader, known, [], (_code_name(reader),)):
            return len(known)


def _swap(
    notes: Notes, reader: bytes, before: list[Credential], after: list[Credential], drop: Sequence[str] = ()
) -> bool:
    return notes.swap(_keys_name(reader), _marshal(before), _marshal(after), drop)


def _marshal(known: list[Credential]) -> bytes:
    return encode(_Kept(credentials=known)) if known else b""


def _hash(text: str) -> bytes:
    return hashlib.sha256(b"strongroom/v1 passkey-code\0" + text.encode("utf-8", "replace")).digest()


def _keys_name(reader: bytes) -> str:
    return f"passkeys:{reader.hex()}"


def _code_name(reader: bytes) -> str:
    return f"passkey-code:{reader.hex()}"
