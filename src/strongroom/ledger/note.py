"""Text with signatures under it (C2SP signed-note; SPEC.md section 5.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from strongroom.errors import CheckpointError, NoteError
from strongroom.ledger import checkpoint, cosignature
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.key import COSIGNATURE, ED25519, check_name, is_unicode, key_id, line, parse_vkey, unbase64, vkey
from strongroom.seal import ed25519

__all__ = [
    "Note", "Signature", "Signer", "Verifier", "marshal", "open_checkpoint", "open_note", "parse_note", "signed_by",
    "verifier", "vkey",
]  # fmt: skip

MAX_SIGNATURES = 100
MAX_BYTES = 1_000_000

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One line: who claims to have signed, and ``signature`` without the 4-byte key id."""

    name: str
    key_id: bytes
    signature: bytes

    def marshal(self) -> str:
        return line(self.name, self.key_id, self.signature)


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures, of which nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]


def marshal(note: Note) -> str:
    return f"{note.text}\n{''.join([one.marshal() for one in note.signatures])}"


def parse_note(text: str) -> Note:
    """Accept exactly what ``marshal`` emits: 1 to 100 signatures, 1 MB. Raises NoteError."""
    if len(text) > MAX_BYTES or not is_unicode(text) or len(text.encode()) > MAX_BYTES:
        raise NoteError(f"a note is over {MAX_BYTES} bytes or not UTF-8")
    if _CONTROL.search(text):
        raise NoteError("a note holds a control character")
    # The last empty line parts them, for the text may have empty lines of its own.
    body, parted, below = text.rpartition("\n\n")
    lines = below.split("\n")
    if not parted or lines.pop() != "" or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteError(f"want a text, an empty line and 1 to {MAX_SIGNATURES} terminated signature lines")
    found = Note(body + "\n", tuple(_parse_line(one) for one in lines))
    if marshal(found) != text:
        raise NoteError("a note is not canonical")
    return found


def _parse_line(text: str) -> Signature:
    dash, _, rest = text.partition(" ")
    name, _, encoded = rest.partition(" ")
    raw = unbase64(encoded)
    check_name(name)
    if dash != "—" or len(raw) < 5:
        raise NoteError("a signature line is not a dash, a key name and base64")
    return Signature(name, raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that is trusted for its name; ``key_id`` is 4 bytes, ``type`` one of 0x01, 0x04, 0x06."""

    name: str
    key_id: bytes
    type: int
    public: bytes

    @property
    def vkey(self) -> str:
        return vkey(self.name, self.type, self.public)

    def verify(self, text: str, signature: bytes) -> None:
        """``signature`` (without key id) is this key's over ``text``, or NoteError."""
        try:
            if self.type == ED25519:
                ed25519.public_key(self.public).verify(signature, text.encode())
                return
            time, signed = int.from_bytes(signature[:8], "big"), signature[8:]
            if time > cosignature.MAX_TIME:
                raise NoteError(f"{self.name}: the cosignature's time is out of range")
            if self.type == COSIGNATURE:
                ed25519.public_key(self.public).verify(signed, cosignature.message(text, time))
            else:
                message = cosignature.subtree_message(self.name, text, time)
                MLDSA44PublicKey.from_public_bytes(self.public).verify(signed, message)
        # ValueError: a public key that is no point, or a signature of another length.
        except (InvalidSignature, ValueError, CheckpointError):
            raise NoteError(f"{self.name}: the signature does not verify") from None


def verifier(vkey: str) -> Verifier:
    """The verifier of ``name+keyid+base64``. Raises NoteError."""
    name, type_byte, public = parse_vkey(vkey)
    return Verifier(name, key_id(name, type_byte, public), type_byte, public)


class Signer:
    """Signs note texts with Ed25519 (type 0x01)."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        public = key.public_key().public_bytes_raw()
        self.name, self._key = name, key
        self.vkey, self.key_id = vkey(name, ED25519, public), key_id(name, ED25519, public)

    def sign(self, text: str) -> str:
        """Signature line over ``text``, newline included. Raises NoteError for a text that no note can hold."""
        if not is_unicode(text):
            raise NoteError("a note's text is not UTF-8")
        data = text.encode()
        # What ``parse_note`` would find of it, without its cost: a log signs each of its commits.
        if _CONTROL.search(text):
            raise NoteError("a note holds a control character")
        # A text without its last newline could be read as another, shorter one.
        if not text.endswith("\n"):
            raise NoteError("a note's text does not end in a newline")
        signed = line(self.name, self.key_id, self._key.sign(data))
        if len(data) + 1 + len(signed.encode()) > MAX_BYTES:
            raise NoteError(f"a note is over {MAX_BYTES} bytes or not UTF-8")
        return signed


def signed_by(note: str, verifiers: Sequence[Verifier]) -> tuple[str, tuple[Verifier, ...]]:
    """The text and, in order of their lines, those of ``verifiers`` who signed it: at least one.

    Unknown signatures are ignored, a bad one of a known key rejects the note. Raises NoteError.
    """
    found = parse_note(note)
    known = {(one.name, one.key_id): one for one in verifiers}
    if len(known) != len(set(verifiers)):
        raise NoteError("two verifier keys share their name and key id")
    signers: list[Verifier] = []
    for one in found.signatures:
        signer = known.get((one.name, one.key_id))
        if signer is not None:
            signer.verify(found.text, one.signature)
            if signer not in signers:
                signers.append(signer)
    if not signers:
        raise NoteError("no known key has signed")
    return found.text, tuple(signers)


def open_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """The text, once every signature by ``verifiers`` has verified and there is one. Raises NoteError."""
    return signed_by(note, verifiers)[0]


def open_checkpoint(note: str, verifiers: Sequence[Verifier]) -> tuple[Checkpoint, tuple[Verifier, ...]]:
    """A checkpoint and who signed it; one of them under the origin's own name with Ed25519, which is the log itself.

    A cosigner alone cannot speak for the log. Raises NoteError, CheckpointError.
    """
    text, signers = signed_by(note, verifiers)
    found = checkpoint.parse(text)
    if not any(one.name == found.origin and one.type == ED25519 for one in signers):
        raise NoteError(f"{found.origin}: the checkpoint is not signed by the log's own key")
    return found, signers
