"""A sealed compartment: its key, its associated data, its blob (SPEC.md section 3.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from strongroom.errors import SealError
from strongroom.seal.label import label
from strongroom.seal.mac import many
from strongroom.seal.person import HoldingKeys

__all__ = ["NONCE", "OVERHEAD", "associated", "key_and_check", "keys_and_checks", "parse_blob", "parse_blobs"]
__all__ += ["seal_many"]

NONCE = 12
OVERHEAD = 1 + 12 + 16 + 16
"""Bytes by which a blob is longer than its padded plaintext."""

_VERSION = 1
_HEAD = struct.Struct(">B12s16s")
_KEY, _COMPARTMENT = label("compartment-key"), label("compartment")
_SHA256 = SHA256()


def key_and_check(keys: HoldingKeys, share: bytes) -> tuple[bytes, bytes]:
    """The AES-256-GCM key (32 bytes) and the commitment to it (16), of a share (32)."""
    (both,) = keys_and_checks(keys, [share])
    return both[:32], both[32:]


def keys_and_checks(keys: HoldingKeys, shares: Sequence[bytes]) -> list[bytes]:
    """``key_and_check`` of each share, the two not taken apart: 48 bytes each."""
    # HKDF-Extract is HMAC(salt, ikm): the salt is one for the holding, so its context is copied. A quarter faster.
    return [HKDFExpand(_SHA256, 48, _KEY).derive(extracted) for extracted in many(keys.sealing, shares)]


def associated(keys: HoldingKeys) -> bytes:
    """What every compartment of the holding is bound to; the slot's address follows it."""
    return _COMPARTMENT + keys.room + keys.holding


def seal_many(
    keys: HoldingKeys, shares: Sequence[bytes], nonces: Sequence[bytes], padded: Sequence[bytes], aads: Sequence[bytes]
) -> list[bytes]:
    """The blobs: 01 ‖ nonce (12) ‖ check (16) ‖ AES-GCM ciphertext and tag. ``aads`` are ``associated`` ‖ the slot's address."""
    pack, columns = _HEAD.pack, zip(keys_and_checks(keys, shares), nonces, padded, aads, strict=True)
    return [
        pack(_VERSION, nonce, okm[32:]) + AESGCM(okm[:32]).encrypt(nonce, text, aad)
        for okm, nonce, text, aad in columns
    ]


def parse_blob(data: bytes) -> tuple[bytes, bytes, bytes]:
    """(nonce, check, ciphertext). SealError when it is too short, of another version or of no padded size."""
    if len(data) < OVERHEAD + 64 or (len(data) - OVERHEAD) % 64:
        raise SealError("sealed compartment: of no size that is written")
    version, nonce, check = _HEAD.unpack_from(data)
    if version != _VERSION:
        raise SealError(f"sealed compartment: version {version}; this program reads version {_VERSION}")
    return nonce, check, data[_HEAD.size :]


def parse_blobs(blobs: Sequence[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """``parse_blob`` of each, in three columns."""
    sizes, versions = {*map(len, blobs)}, {blob[:1] for blob in blobs}
    if versions - {bytes([_VERSION])} or any(size < OVERHEAD + 64 or (size - OVERHEAD) % 64 for size in sizes):
        nonces, checks, ciphertexts = zip(*map(parse_blob, blobs), strict=True)
        return list(nonces), list(checks), list(ciphertexts)
    return [blob[1:13] for blob in blobs], [blob[13:29] for blob in blobs], [blob[29:] for blob in blobs]
