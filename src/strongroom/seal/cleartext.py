"""The one door through which what was sealed leaves (SPEC.md section 3.4): search for imports of this module."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import CommitmentError, FormatError, SealError
from strongroom.seal.columns import are
from strongroom.seal.compartment import associated, keys_and_checks, parse_blobs
from strongroom.seal.padding import unpad_many
from strongroom.seal.person import HoldingKeys
from strongroom.seal.plaintext import decode_many
from strongroom.seal.slot import address

__all__ = ["open_column", "open_compartment"]

Place: TypeAlias = tuple[bytes, int, int]
"""Handle, version, compartment."""


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
    return open_column(keys, [share], [(handle, version, compartment)], [blob], enums)[0]


def open_column(
    keys: HoldingKeys,
    shares: Sequence[bytes],
    places: Sequence[Place],
    blobs: Sequence[bytes],
    enums: Collection[str] = (),
) -> list[dict[str, str | None]]:
    """``open_compartment`` of each, all of them or none: the columns are of one length. Each step is one of the whole column, which
    takes a quarter less than all steps for one after the other.

    Raises what one of them would raise; which one it is, it does not say.
    """
    if not are(shares, 32):
        raise SealError("share: want 32 bytes")
    nonces, checks, ciphertexts = parse_blobs(blobs)
    made = keys_and_checks(keys, shares)
    if not hmac.compare_digest(b"".join(checks), b"".join([one[32:] for one in made])):
        raise CommitmentError("share: does not belong to this slot, or the slot was relabelled")
    prefix = associated(keys)
    addresses = [prefix + address(*place) for place in places]
    try:
        padded = [
            AESGCM(one[:32]).decrypt(nonce, ciphertext, aad)
            for one, nonce, ciphertext, aad in zip(made, nonces, ciphertexts, addresses, strict=True)
        ]
    except InvalidTag:
        raise SealError("sealed compartment: changed, or moved to another place") from None
    try:
        return decode_many(unpad_many(padded), enums)
    except FormatError as error:
        raise SealError(f"sealed compartment: {error}") from None
