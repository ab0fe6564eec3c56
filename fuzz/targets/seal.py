"""What was sealed, as a thief may have changed it: bodies, blobs, plaintexts, keys, columns (SPEC.md section 3)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from fuzz.seeds import hexes, vector
from fuzz.target import Broken, Target, bytes_of, text_of
from strongroom.canonical import encode
from strongroom.errors import FormatError, SealError, StoreError
from strongroom.seal import (
    batch,
    body,
    cleartext,
    columns,
    compartment,
    epoch,
    hpke,
    padding,
    plaintext,
    private,
    series,
)
from strongroom.seal.person import HoldingKeys
from strongroom.store import rows

T = TypeVar("T")


def targets() -> list[Target]:
    return [
        Target(
            name="seal.body",
            read=body.parse,
            write=body.build,
            errors=FormatError,
            seeds=lambda: [_of("body"), *hexes("seal-failures", "body", "body")],
            of=(body.parse,),
        ),
        Target(
            name="seal.blob",
            read=compartment.parse_blob,
            write=lambda found: b"\1" + b"".join(found),
            errors=SealError,
            seeds=_blobs,
            of=(compartment.parse_blob,),
        ),
        Target(
            name="seal.blobs",
            read=lambda data: _among(
                lambda blobs: list(zip(*compartment.parse_blobs(blobs), strict=True)), _blobs()[0], data
            ),
            write=lambda found: b"\1" + b"".join(found),
            errors=SealError,
            seeds=_blobs,
            of=(compartment.parse_blobs,),
        ),
        Target(
            name="seal.opened",
            read=_opened,
            errors=SealError,
            seeds=_blobs,
            of=(cleartext.open_compartment,),
            weight=0.3,
        ),
        Target(
            name="seal.opened-column",
            read=lambda data: _among(_opened_column, _blobs()[0], data),
            errors=SealError,
            seeds=_blobs,
            of=(cleartext.open_column,),
            weight=0.1,
        ),
        Target(
            name="seal.plaintext",
            read=lambda data: plaintext.decode_fields(data, ()),
            write=encode,
            errors=SealError,
            seeds=lambda: [b'{"name":"Ada","sex":null}', b"{}", b'{"a":"  x "}'],
            of=(plaintext.decode_fields,),
        ),
        Target(
            name="seal.plaintexts",
            read=lambda data: _among(plaintext.decode_many, b'{"name":"Ada"}', data),
            write=encode,
            errors=SealError,
            seeds=lambda: [b'{"name":"Ada","sex":null}', b"{}", b'{"a":"  x "}', b'{"a":"b"}\n{"c":"d"}', b""],
            of=(plaintext.decode_many,),
        ),
        Target(
            name="seal.padding",
            read=lambda data: (padding.unpad(data), len(data)),
            # Any small multiple of 64 may have been the floor.
            write=lambda found: padding.pad(found[0], found[1] if found[1] <= padding._LARGEST_FLOOR else 64),
            errors=FormatError,
            seeds=lambda: [*hexes("seal-padding", "padded", "padded"), bytes(64), b"\x80" + bytes(62)],
            of=(padding.unpad,),
        ),
        Target(
            name="seal.paddings",
            read=lambda data: (_among(padding.unpad_many, padding.pad(b"x", 64), data), len(data)),
            write=lambda found: padding.pad(found[0], found[1] if found[1] <= padding._LARGEST_FLOOR else 64),
            errors=FormatError,
            seeds=lambda: [*hexes("seal-padding", "padded", "padded"), bytes(64), b"\x80" + bytes(62)],
            of=(padding.unpad_many,),
        ),
        Target(
            name="seal.hpke-private",
            read=_private,
            errors=SealError,
            seeds=lambda: [bytes(range(96)), bytes(96)],
            of=(hpke.private_from,),
            weight=0.1,
        ),
        Target(
            name="seal.hpke-public",
            read=_public,
            errors=SealError,
            seeds=lambda: [_key().public],
            of=(hpke.public_from,),
            weight=0.1,
        ),
        Target(
            name="seal.batch-secret",
            read=lambda data: batch.open_batch_secret(_key(), _BOUND, data),
            errors=SealError,
            seeds=lambda: [batch.seal_batch_secret(_key().public, _BOUND, bytes(32))],
            of=(batch.open_batch_secret, hpke.decrypt),
            weight=0.1,
        ),
        Target(
            name="seal.evidence",
            read=lambda data: private.open_private(_key(), bytes(16), bytes(32), data),
            errors=(SealError, FormatError),
            seeds=lambda: [private.seal_private(_key().public, bytes(16), bytes(32), b"{}", os.urandom)],
            of=(private.open_private,),
            weight=0.05,
        ),
        Target(
            name="seal.series",
            read=lambda data: series.open_one(_key(), b"info", b"about", data),
            errors=SealError,
            seeds=lambda: [series.SeriesSealer(_key().public, b"info", os.urandom).seal(b"about", b"{}")],
            of=(series.open_one,),
            weight=0.1,
        ),
        Target(
            name="seal.epoch",
            read=lambda data: epoch.parse_epoch(text_of(data)),
            write=lambda found: bytes_of(epoch.epoch_text(found)),
            errors=FormatError,
            seeds=lambda: [b"1970-01-01", b"2036-02-29", b"9999-12-31"],
            of=(epoch.parse_epoch,),
        ),
        Target(
            name="seal.column",
            read=lambda data: columns.split(data, 16),
            write=lambda found: columns.join(found, 16),
            errors=FormatError,
            seeds=lambda: [b"", bytes(16), bytes(range(48))],
            of=(columns.split,),
        ),
        Target(
            name="seal.column-u16",
            read=columns.u16s,
            write=columns.put_u16s,
            errors=FormatError,
            seeds=lambda: [b"", b"\0\1\0\2"],
            of=(columns.u16s,),
        ),
        Target(
            name="seal.column-u32",
            read=columns.u32s,
            write=columns.put_u32s,
            errors=FormatError,
            seeds=lambda: [b"", b"\0\0\0\1\0\0\0\2"],
            of=(columns.u32s,),
        ),
        Target(
            name="store.tokens",
            read=rows.split_tokens,
            write=rows.join_tokens,
            errors=StoreError,
            seeds=lambda: [b"", bytes(16), bytes(16) + b"\1" * 16],
            of=(rows.split_tokens,),
        ),
    ]


def _of(member: str) -> bytes:
    return bytes.fromhex(vector("seal-record")[member])


def _blobs() -> list[bytes]:
    return [slot.blob for slot in body.parse(_of("body"))] + hexes("seal-failures", "open", "blob")


def _opened(data: bytes) -> dict[str, str | None]:
    """The first slot of the record in the vectors, with its share and at its place."""
    made = vector("seal-record")
    first, keys = made["slots"][0], HoldingKeys(_of("KH"), _of("room"), _of("holding"))
    share = bytes.fromhex(first["share"])
    return cleartext.open_compartment(keys, share, _of("handle"), made["version"], first["compartment"], data, {"sex"})


def _opened_column(blobs: Sequence[bytes]) -> list[dict[str, str | None]]:
    """Each as that very slot."""
    made, keys, count = vector("seal-record"), HoldingKeys(_of("KH"), _of("room"), _of("holding")), len(blobs)
    first = made["slots"][0]
    place = _of("handle"), made["version"], first["compartment"]
    return cleartext.open_column(keys, [bytes.fromhex(first["share"])] * count, [place] * count, blobs, {"sex"})


def _among(read: Callable[[Sequence[bytes]], Sequence[T]], good: bytes, data: bytes) -> T:
    """``data`` in the middle of a column of what is good: it changes nothing of those beside it."""
    (alone,) = read([good])
    before, found, after = read([good, data, good])
    if not before == after == alone:
        raise Broken("what stands beside it is read otherwise")
    return found


@cache
def _key() -> hpke.HpkePrivate:
    return hpke.private_from(bytes(range(96)))


def _private(data: bytes) -> None:
    if len(hpke.private_from(data).public) != hpke.PUBLIC_SIZE:
        raise Broken("a private key without its public half")


def _public(data: bytes) -> None:
    # What is a key of small order is found only when it is used.
    hpke.public_from.cache_clear()
    hpke.encrypt(data, b"info", b"text")


_BOUND = batch.Bound(bytes(16), b"\1" * 16, b"\2" * 16, epoch=20_000, expires=20_100, members=bytes(32))
