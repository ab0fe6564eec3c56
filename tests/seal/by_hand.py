"""HPKE with MLKEM768-X25519 put together by hand, to check that the library's suite is what SPEC 1.5 says.

RFC 9180 sections 4 and 5, draft-ietf-hpke-pq, and the X-Wing combiner (draft-connolly-cfrg-xwing-kem).
"""

from __future__ import annotations

import hashlib
import hmac

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
