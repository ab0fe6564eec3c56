"""The one door through which what was sealed leaves (SPEC.md section 3.4): search for imports of this module."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import CommitmentError, FormatError, SealError
from strongroom.seal.compartment import associated, key_and_check, parse_blob
from strongroom.seal.padding import unpad
from strongroom.seal.person import HoldingKeys
from strongroom.seal.plaintext import decode_fields
from strongroom.seal.slot import address

__all__ = ["open_compartment"]


def open_compartment(
    keys: HoldingKeys,
    share: bytes,
    handle: bytes,
    version: int,
    compartment: int,
    blob: bytes,
    enums: Collection[str] = (),
) -> dict[str, str | None]:
    """The fields of one sealed compartment; those named in ``enums`` without their fill.

    CommitmentError when the share (32 bytes) is not this slot's: another person, handle, version, compartment or key.
    SealError when the blob was changed or is not of this format.
    """
    if len(share) != 32:
        raise SealError("share: want 32 bytes")
    nonce, check, ciphertext = parse_blob(blob)
    key, expected = key_and_check(keys, share)
    if not hmac.compare_digest(check, expected):
        raise CommitmentError("share: does not belong to this slot, or the slot was relabelled")
    try:
        padded = AESGCM(key).decrypt(nonce, ciphertext, associated(keys) + address(handle, version, compartment))
    except InvalidTag:
        raise SealError("sealed compartment: changed, or moved to another place") from None
    try:
        return decode_fields(unpad(padded), enums)
    except FormatError as error:
        raise SealError(f"sealed compartment: {error}") from None
