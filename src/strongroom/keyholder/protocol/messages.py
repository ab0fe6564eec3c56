"""What is signed, hashed or bound beside the requests and answers themselves (SPEC.md section 8)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import encode
from strongroom.errors import KeyholderUnavailable, Refused
from strongroom.keyholder.protocol.answers import Aged
from strongroom.seal import ed25519
from strongroom.seal.label import label

_REQUEST = label("request")
_ANSWERED = label("answered")
_ANSWER = label("answer")
_READS = label("reads")
_SERIES = label("answers")
_TOGETHER = label("answer-together")


def sign_request(room: bytes, path: str, body: bytes, key: Ed25519PrivateKey) -> bytes:
    """64 bytes for the ``Strongroom-Signature`` header (SPEC.md 8.1)."""
    return key.sign(_REQUEST + room + path.encode() + b"\0" + body)


def verify_request(room: bytes, path: str, body: bytes, signature: bytes, key: bytes, code: str) -> None:
    """Raises ``Refused`` with ``code`` unless ``key`` (32 bytes) signed exactly this request."""
    try:
        ed25519.public_key(key).verify(signature, _REQUEST + room + path.encode() + b"\0" + body)
    except (InvalidSignature, ValueError):
        raise Refused(code, "the request is not signed by the key in the charter for it") from None


def answered_message(room: bytes, path: bytes, signature: bytes, body: bytes, status: int, answer: bytes) -> bytes:
    """What the message key signs under every answer (SPEC.md 8.2): it was said to this request, as it came, and to no other."""
    asked = hashlib.sha256(signature).digest() + hashlib.sha256(body).digest()
    return _ANSWERED + room + path + b"\0" + asked + status.to_bytes(2, "big") + answer


def verify_answer(
    room: bytes, path: str, signature: bytes, body: bytes, status: int, answer: bytes, under: bytes, key: bytes
) -> None:
    """Raises ``KeyholderUnavailable`` unless the keyholder's message key (32 bytes) signed exactly this answer: then nothing was said."""
    said = answered_message(room, path.encode(), signature, body, status, answer)
    try:
        ed25519.public_key(key).verify(under, said)
    except (InvalidSignature, ValueError):
        raise KeyholderUnavailable("the answer is not signed by this room's keyholder: nothing was said") from None


def answer_info(room: bytes, body: bytes) -> bytes:
    """HPKE info of an answer to the vault (SPEC.md 8.2): it fits this request of this room alone."""
    return _ANSWER + room + hashlib.sha256(body).digest()


def series_info(room: bytes) -> bytes:
    """HPKE info of the secret of answers to groups (SPEC.md 8.11)."""
    return _SERIES + room


def group_about(room: bytes, body_hash: bytes) -> bytes:
    """What such an answer is for: this request of this room alone, by SHA-256 of its body (SPEC.md 8.11)."""
    return _TOGETHER + room + body_hash


def reads_info(room: bytes, body: bytes) -> bytes:
    """HPKE info of an answer to a subject (SPEC.md 8.7)."""
    return _READS + room + hashlib.sha256(body).digest()


def epoch_message(room: bytes, holding: bytes, epoch: int, public: bytes) -> bytes:
    """What the message key signs to vouch for an epoch's public key (SPEC.md 8.2)."""
    return label("epoch") + room + holding + epoch.to_bytes(4, "big") + public


def reseal_message(room: bytes, holding: bytes, epoch: int, asked: bytes, batches: Sequence[Aged]) -> bytes:
    """What the message key signs under resealed batches; ``asked``: the body of the request (SPEC.md 8.9)."""
    given = hashlib.sha256(encode(list(batches))).digest()
    return label("resealed") + room + holding + epoch.to_bytes(4, "big") + hashlib.sha256(asked).digest() + given


def certificate_message(text: bytes) -> bytes:
    return label("certificate") + text


def statement_message(text: bytes) -> bytes:
    return label("statement") + text


def chain_hash(key: bytes) -> bytes:
    return hashlib.sha256(label("chain-hash") + key).digest()


def epoch_key_hash(public: bytes) -> bytes:
    """32 bytes by which the ledger names an epoch's key, of its public half (SPEC.md 5.4)."""
    return hashlib.sha256(label("epoch-key") + public).digest()


def code_hash(code: str) -> bytes:
    return hashlib.sha256(label("code") + code.encode()).digest()
