"""What a record can be found by, blind without the keyholder's key (SPEC.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.errors import SealError
from strongroom.seal.columns import are
from strongroom.seal.label import label
from strongroom.seal.mac import keyed, mac, many

__all__ = ["index_key", "tokens"]

_INDEX, _TOKEN = label("index"), label("token")


def index_key(K_index: bytes, holding_id: bytes, kind_id: bytes) -> bytes:  # noqa: N803 (the SPEC's name)
    """The keyholder's key for one kind of identifier in one holding, 32 bytes. SealError when a length is wrong."""
    if len(K_index) != 32 or len(holding_id) != 16 or len(kind_id) != 16:
        raise SealError("index key: want a key of 32 bytes and ids of 16")
    return mac(K_index, _INDEX + holding_id + kind_id)


def tokens(index_key: bytes, inners: Sequence[bytes]) -> list[bytes]:
    """16 bytes for each inner (32 bytes), in order. SealError when an inner has another length."""
    if not are(inners, 32):
        raise SealError("inner: want 32 bytes")
    return [token[:16] for token in many(keyed(index_key), [_TOKEN + inner for inner in inners])]
