"""Names and ids of the keys that sign notes, and their signature lines (C2SP signed-note; SPEC.md section 5.2)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256

from strongroom.errors import NoteError

ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_44 = 0x06

PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32, ML_DSA_44: 1312}
"""Length of the public key of every type that a vkey of ours can have."""


def check_name(name: str) -> None:
    """A key name is not empty and has no white space, control character or plus. Raises NoteError."""
    if not name or "+" in name or any(one.isspace() or one < " " for one in name) or not is_unicode(name):
        raise NoteError("a key name is empty or has a space, a control character or a plus")


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can hold ``text``: a Python string may have lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def key_id(name: str, type_byte: int, public: bytes) -> bytes:
    """The 4 bytes that with the name tell keys apart."""
    return sha256(name.encode() + b"\n" + bytes([type_byte]) + public).digest()[:4]


def vkey(name: str, type_byte: int, public: bytes) -> str:
    """``name+keyid+base64(type, public key)``, with types 0x01, 0x04 and 0x06. Raises NoteError."""
    check_name(name)
    if PUBLIC_BYTES.get(type_byte) != len(public):
        raise NoteError(f"{name}: no key of type {type_byte:#04x} has {len(public)} bytes")
    return f"{name}+{key_id(name, type_byte, public).hex()}+{b64encode(bytes([type_byte]) + public).decode()}"


def parse_vkey(text: str) -> tuple[str, int, bytes]:
    """(name, type, public key) of exactly what ``vkey`` writes. Raises NoteError."""
    # Base64 may hold a plus too, so only the first two part the text.
    name, _, rest = text.partition("+")
    key = unbase64(rest.partition("+")[2])
    if not key or vkey(name, key[0], key[1:]) != text:
        raise NoteError("a verifier key is not name+keyid+base64, or its key id is of another key")
    return name, key[0], key[1:]


def unbase64(text: str) -> bytes:
    """Bytes of standard base64 with padding and no other characters. Raises NoteError."""
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        raise NoteError("not base64") from None
    if b64encode(found).decode() != text:
        raise NoteError("not canonical base64")
    return found


def line(name: str, key_id: bytes, signature: bytes) -> str:
    """One signature line, newline included."""
    return f"— {name} {b64encode(key_id + signature).decode()}\n"
