"""A slot: one compartment of one version of one record, and whom it is about (SPEC.md section 3.3).

Each version of a record has a secret of its own, made from its batch's. Under it the vault stores ``masked``, the person
hidden; the keyholder, which opens the batch secret, unmasks the person for the tag and gives the share that belongs to
that person. A slot that is relabelled to somebody else yields another share, which opens nothing.

When a batch is given another secret, each record that stays gets a ``delta``, so that its own secret is the same as
before. One that was erased gets none, and is gone with the old batch secret (SPEC.md section 3.7). A delta is the
vault's to store, and it may send another: to make one record's secret into another's it would have to know how the two
differ, and each delta hides that under secrets of two batches that it does not have.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import repeat

from strongroom.errors import FormatError, SealError
from strongroom.seal.columns import are, split, u16s, u32s, xor
from strongroom.seal.mac import HMAC, each, keyed, mac, many

__all__ = [
    "HELD",
    "RECORD",
    "SHARE",
    "UNMASK",
    "address",
    "held",
    "places",
    "record_secrets",
    "rekey",
    "release",
    "share",
]
__all__ += ["split", "u16s", "u32s", "unmask"]

SHARE, UNMASK, RECORD, HELD = b"\1", b"\2", b"\3", b"\4"
"""The first byte of what is hashed under a record's secret (the first two) or a batch's, in the place of a label."""

_PLACE, _COMPARTMENT, _ADDRESS = struct.Struct(">16sI"), struct.Struct(">H"), struct.Struct(">16sIH")


def address(handle: bytes, version: int, compartment: int) -> bytes:
    """handle ‖ u32 version ‖ u16 compartment, 22 bytes. SealError when one is out of its range."""
    # struct cuts and fills a text of another length in silence.
    if len(handle) != 16 or not version or not 0 < compartment < 1 << 16:
        raise SealError("address: want a handle of 16 bytes, a version from 1 and a compartment from 1 to 65,535")
    try:
        return _ADDRESS.pack(handle, version, compartment)
    except struct.error:
        raise SealError("version: too large") from None


def places(handles: Sequence[bytes], versions: Sequence[int]) -> list[bytes]:
    """handle ‖ u32 version, 20 bytes, of each record version. SealError when a value is out of its range
    or the columns differ in length."""
    # struct cuts and fills a text of another length in silence.
    if not are(handles, 16):
        raise SealError("handle: want 16 bytes")
    if not all(versions):
        raise SealError("version: want a number from 1")
    try:
        return [_PLACE.pack(*place) for place in zip(handles, versions, strict=True)]
    except struct.error:
        raise SealError("version: too large") from None
    except ValueError:
        raise SealError("columns of different length") from None


def record_secrets(batch: HMAC, places: Sequence[bytes], deltas: Sequence[bytes] = ()) -> list[bytes]:
    """32 bytes for each record version, under the context of its batch secret; ``deltas`` (32 bytes each, empty for
    none) where the batch has been given another one since."""
    found = many(batch, [RECORD + place for place in places])
    if not deltas:
        return found
    if any(len(delta) not in (0, 32) for delta in deltas) or len(deltas) != len(found):
        raise SealError("delta: want 32 bytes or none, one a record")
    return [xor(one, delta) if delta else one for one, delta in zip(found, deltas, strict=True)]


def unmask(secret: bytes, masked: bytes, compartment: int) -> bytes:
    """``who`` (16 bytes) from ``masked`` (16), and back: the two are each other's inverse. ``secret`` is the record's."""
    return xor(masked, mac(_secret(secret), UNMASK + _ends([compartment])[0])[:16])


def share(secret: bytes, who: bytes, compartment: int) -> bytes:
    """What the keyholder gives for this slot and this person, 32 bytes. ``secret`` is the record's."""
    if len(who) != 16:
        raise SealError("who: want 16 bytes")
    return mac(_secret(secret), SHARE + who + _ends([compartment])[0])


def held(b: bytes) -> bytes:
    """32 bytes by which the keyholder shows that it can open a batch secret, and tells nothing else of it."""
    return mac(_secret(b), HELD)


def release(
    secrets: Sequence[bytes],
    batch_index: Sequence[int],
    handles: bytes,
    versions: Sequence[int],
    compartments: Sequence[int],
    masked: bytes,
    deltas: bytes = b"",
) -> tuple[list[bytes], bytes]:
    """Unmask and share, for a request's slots: (whos, 16 bytes each; shares, one joined column of 32).

    ``secrets`` are opened batch secrets and ``batch_index`` names one for each slot; ``handles`` and ``masked`` are
    joined columns of 16; ``deltas`` is one of 32, zeros where a slot has none, or empty. FormatError when the columns
    disagree or an index names no secret; SealError when a value is out of its range.
    """
    names = split(handles, 16)
    count = len(names)
    if not count == len(batch_index) == len(versions) == len(compartments) == len(masked) / 16:
        raise FormatError("slots: columns of different length")
    if deltas and len(deltas) != 32 * count:
        raise FormatError("slots: want a delta for each, or none")
    if not {*batch_index} <= {*range(len(secrets))}:
        raise FormatError("slots: a batch index names no batch")
    if not count:
        return [], b""
    slots = list(zip(batch_index, names, versions, split(deltas, 32) if deltas else repeat(b""), strict=False))
    # The slots of a record have one secret, and its key is scheduled once: half of what a slot takes.
    records = list(dict.fromkeys(slots))
    contexts = dict(zip(records, map(keyed, _record_secrets(secrets, records)), strict=True))
    own, ends = [contexts[one] for one in slots], _ends(compartments)
    masks = each(own, [UNMASK + end for end in ends])
    whos = split(xor(masked, b"".join([mask[:16] for mask in masks])), 16)
    shares = each(own, [SHARE + who + end for who, end in zip(whos, ends, strict=True)])
    return whos, b"".join(shares)


def _record_secrets(secrets: Sequence[bytes], records: Sequence[tuple[int, bytes, int, bytes]]) -> list[bytes]:
    """32 bytes for each (index of its batch's secret, handle, version, delta or nothing): of one request, so all have deltas or none has."""
    index, handles, versions, deltas = zip(*records, strict=True)
    batches = [keyed(_secret(b)) for b in secrets]
    found = each([batches[at] for at in index], [RECORD + place for place in places(handles, versions)])
    return split(xor(b"".join(found), b"".join(deltas)), 32) if deltas[0] else found


def rekey(old: bytes, new: bytes, places: Sequence[bytes], deltas: Sequence[bytes] = ()) -> list[bytes]:
    """For records under batch secret ``old`` (32 bytes), with their ``deltas`` as in ``record_secrets``, the ones that
    they have under ``new``."""
    before = record_secrets(keyed(_secret(old)), places, deltas)
    after = record_secrets(keyed(_secret(new)), places)
    return [xor(one, other) for one, other in zip(before, after, strict=True)]


def _secret(b: bytes) -> bytes:
    if len(b) != 32:
        raise SealError("secret: want 32 bytes")
    return b


def _ends(compartments: Sequence[int]) -> list[bytes]:
    """u16 of each, with which the messages of its slot end. There are few."""
    known = {*compartments}
    if not all(0 < one < 1 << 16 for one in known):
        raise SealError("compartment: want a number from 1 to 65,535")
    packed = {one: _COMPARTMENT.pack(one) for one in known}
    return [packed[one] for one in compartments]
