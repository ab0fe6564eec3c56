"""A slot: one compartment of one version of one record, and whom it is about (SPEC.md section 3.3).

The vault stores ``masked``, the person hidden under the batch secret. The keyholder, which opens the batch secret,
unmasks the person for the tag and gives the share that belongs to that person. A slot that is relabelled to somebody
else yields another share, which opens nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from strongroom.errors import FormatError, SealError
from strongroom.seal.columns import split, u16s, u32s, xor
from strongroom.seal.mac import keyed, mac

__all__ = ["SHARE", "UNMASK", "address", "addresses", "release", "share", "split", "u16s", "u32s", "unmask"]

SHARE, UNMASK = b"\1", b"\2"
"""The first byte of what is hashed under a batch secret, in the place of a label."""

_ADDRESS = struct.Struct(">16sIH")


def address(handle: bytes, version: int, compartment: int) -> bytes:
    """handle ‖ u32 version ‖ u16 compartment, 22 bytes. SealError when one is out of its range."""
    return addresses([handle], [version], [compartment])[0]


def addresses(handles: Sequence[bytes], versions: Sequence[int], compartments: Sequence[int]) -> list[bytes]:
    """``address`` of each slot. SealError when a value is out of its range or the columns differ in length."""
    # struct cuts and fills a text of another length in silence.
    if any(len(handle) != 16 for handle in handles):
        raise SealError("handle: want 16 bytes")
    if not all(versions) or not all(compartments):
        raise SealError("version and compartment: want numbers from 1")
    try:
        return [_ADDRESS.pack(*slot) for slot in zip(handles, versions, compartments, strict=True)]
    except struct.error:
        raise SealError("version or compartment: too large") from None
    except ValueError:
        raise SealError("columns of different length") from None


def unmask(b: bytes, masked: bytes, handle: bytes, version: int, compartment: int) -> bytes:
    """``who`` (16 bytes) from ``masked`` (16), and back: the two are each other's inverse."""
    return xor(masked, mac(_secret(b), UNMASK + address(handle, version, compartment))[:16])


def share(b: bytes, who: bytes, handle: bytes, version: int, compartment: int) -> bytes:
    """What the keyholder gives for this slot and this person, 32 bytes."""
    if len(who) != 16:
        raise SealError("who: want 16 bytes")
    return mac(_secret(b), SHARE + who + address(handle, version, compartment))


def release(
    secrets: Sequence[bytes],
    batch_index: Sequence[int],
    handles: bytes,
    versions: Sequence[int],
    compartments: Sequence[int],
    masked: bytes,
) -> tuple[list[bytes], bytes]:
    """Unmask and share, for a request's slots: (whos, 16 bytes each; shares, one joined column of 32).

    ``secrets`` are opened batch secrets and ``batch_index`` names one for each slot; ``handles`` and ``masked`` are
    joined columns of 16. FormatError when the columns disagree or an index names no secret; SealError as ``address``.
    """
    names = split(handles, 16)
    if not len(names) == len(batch_index) == len(versions) == len(compartments) == len(masked) / 16:
        raise FormatError("slots: columns of different length")
    if any(not 0 <= at < len(secrets) for at in batch_index):
        raise FormatError("slots: a batch index names no batch")
    contexts = [keyed(_secret(b)) for b in secrets]
    places = addresses(names, versions, compartments)
    copies = [contexts[at].copy for at in batch_index]
    masks = []
    for copy, place in zip(copies, places, strict=True):
        one = copy()
        one.update(UNMASK + place)
        masks.append(one.finalize()[:16])
    whos = split(xor(masked, b"".join(masks)), 16)
    shares = []
    for copy, who, place in zip(copies, whos, places, strict=True):
        one = copy()
        one.update(SHARE + who + place)
        shares.append(one.finalize())
    return whos, b"".join(shares)


def _secret(b: bytes) -> bytes:
    if len(b) != 32:
        raise SealError("batch secret: want 32 bytes")
    return b
