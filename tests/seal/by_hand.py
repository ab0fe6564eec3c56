"""HPKE with MLKEM768-X25519 put together by hand, to check that the library's suite is what SPEC 1.5 says.

RFC 9180 sections 4 and 5, draft-ietf-hpke-pq, and the X-Wing combiner (draft-connolly-cfrg-xwing-kem). Below it SPEC 3.2 and 3.3
in as few lines as they have there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM, KDF, AEAD = 0x647A, 0x0001, 0x0002
SUITE = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (KEM, KDF, AEAD))


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return mac(salt or bytes(32), b"HPKE-v1" + SUITE + label + ikm)


def expand(prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand, up to one block."""
    text = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info
    return mac(prk, text + b"\1")[:length]


def decrypt(seed96: bytes, info: bytes, ciphertext: bytes) -> bytes:
    lattice, curve = MLKEM768PrivateKey.from_seed_bytes(seed96[:64]), X25519PrivateKey.from_private_bytes(seed96[64:])
    ct_m, ct_x, sealed = ciphertext[:1088], ciphertext[1088:1120], ciphertext[1120:]
    pk_x = curve.public_key().public_bytes_raw()
    ss_m, ss_x = lattice.decapsulate(ct_m), curve.exchange(X25519PublicKey.from_public_bytes(ct_x))
    shared = hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + bytes.fromhex("5c2e2f2f5e5c")).digest()
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed, b"")


def members(places: Iterable[bytes]) -> bytes:
    return hashlib.sha256(b"strongroom/v1 members\0" + b"".join(sorted(places))).digest()


def release(b: bytes, place: bytes, delta: bytes, w: bytes, compartment: int) -> tuple[bytes, bytes]:
    """who and share of one slot."""
    record = xor(mac(b, b"\3" + place), delta)
    number = compartment.to_bytes(2, "big")
    who = xor(w, mac(record, b"\2" + number)[:16])
    return who, mac(record, b"\1" + who + number)


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
