"""Tags by which a person finds the entries about them, the day files that list them, and readers' pseudonyms (SPEC.md 5.4 to 5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hmac import digest
from itertools import pairwise

from strongroom.errors import EntryError
from strongroom.seal.columns import are
from strongroom.seal.mac import HMAC, keyed, mac, many

_CHAIN = b"strongroom/v1 chain\0"
_TAG = b"strongroom/v1 tag\0"
_ASKER = b"strongroom/v1 asker\0"
_ERASED = b"strongroom/v1 erased\0"
TAG = 16
LINE = TAG + 8


def chain_key(tag_key: bytes, holding_id: bytes, who: bytes, generation: int) -> bytes:
    """32-byte key of one person's chain in one holding; ``tag_key`` has 32 bytes, the ids 16, generation is from 1."""
    if (len(tag_key), len(holding_id), len(who)) != (32, 16, 16) or generation < 1:
        raise ValueError("want a key of 32 bytes, a holding id and a who of 16, a generation from 1")
    return digest(tag_key, _CHAIN + holding_id + who + generation.to_bytes(8, "big"), "sha256")


def tag(chain: bytes, n: int) -> bytes:
    """The n-th 16-byte tag of a chain, n from 1."""
    if n < 1:
        raise ValueError("tags are numbered from 1")
    return digest(chain, _TAG + n.to_bytes(8, "big"), "sha256")[:TAG]


def tags(chain: bytes, first: int, count: int) -> list[bytes]:
    """``count`` tags of a chain, from number ``first`` on."""
    return [tag(chain, n) for n in range(first, first + count)]


def next_tags(tag_key: bytes, holding_id: bytes, generation: int, numbered: Sequence[tuple[bytes, int]]) -> list[bytes]:
    """``tag`` n of the chain of each (who, n) in one holding, at two thirds of what they cost one by one."""
    if (len(tag_key), len(holding_id)) != (32, 16) or generation < 1 or not are([who for who, _ in numbered], 16):
        raise ValueError("want a key of 32 bytes, a holding id and whos of 16, a generation from 1")
    if not all(n >= 1 for _, n in numbered):
        raise ValueError("tags are numbered from 1")
    before, after = _CHAIN + holding_id, generation.to_bytes(8, "big")
    chains = many(_keyed(tag_key), [before + who + after for who, _ in numbered])
    return [mac(chain, _TAG + n.to_bytes(8, "big"))[:TAG] for chain, (_, n) in zip(chains, numbered, strict=True)]


# A keyholder has one for all its life; to schedule it costs as much as a tag.
@lru_cache(maxsize=1)
def _keyed(tag_key: bytes) -> HMAC:
    return keyed(tag_key)


def asker(pseudonym_key: bytes, reader: bytes, time: int) -> bytes:
    """12-byte pseudonym of a reader (16 bytes) in the UTC month of ``time`` (POSIX seconds)."""
    month = f"{datetime.fromtimestamp(time, UTC):%Y-%m}".encode()
    return digest(pseudonym_key, _ASKER + reader + month, "sha256")[:12]


def erased(tag_key: bytes, holding_id: bytes, handles: Iterable[bytes]) -> list[bytes]:
    """The 16-byte marks by which the keyholder knows erased records' handles (16 bytes each) again."""
    before = _ERASED + holding_id
    return [mark[:TAG] for mark in many(_keyed(tag_key), [before + handle for handle in handles])]


def day_path(time: int) -> str:
    """``tags/YYYY-MM-DD`` of a time in POSIX seconds, in UTC. Raises EntryError past the year 9999."""
    return _day_path(time // 86400)


@lru_cache(maxsize=16)
def _day_path(day: int) -> str:
    try:
        return f"tags/{datetime.fromtimestamp(day * 86400, UTC).date().isoformat()}"
    except (ValueError, OverflowError, OSError):
        raise EntryError("a time is past the year 9999") from None


def marshal_day(pairs: Iterable[tuple[bytes, int]]) -> bytes:
    """A day file of (tag, entry index), which it sorts. Raises EntryError for a tag not of 16 bytes or a pair twice."""
    listed = sorted(pairs)
    if any(len(one) != TAG for one, _ in listed) or len(set(listed)) != len(listed):
        raise EntryError("a day file wants tags of 16 bytes, each pair once")
    return b"".join([one + index.to_bytes(8, "big") for one, index in listed])


def pair_of(line: bytes) -> tuple[bytes, int]:
    """(tag, entry index) of one line, 24 bytes, of a day file."""
    return line[:TAG], int.from_bytes(line[TAG:], "big")


def parse_day(data: bytes) -> list[tuple[bytes, int]]:
    """(tag, entry index) of exactly what ``marshal_day`` writes. Raises EntryError."""
    if len(data) % LINE:
        raise EntryError(f"a day file of {len(data)} bytes is not made of lines of {LINE}")
    lines = [data[at : at + LINE] for at in range(0, len(data), LINE)]
    if any(a >= b for a, b in pairwise(lines)):
        raise EntryError("a day file is not sorted and distinct")
    return [pair_of(one) for one in lines]
