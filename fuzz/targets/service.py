"""What the vault's API is sent, what its servers are configured by, and records as they are posted (SPEC.md section 10)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from fuzz.scratch import file
from fuzz.target import Broken, Target, text_of
from fuzz.targets import values
from fuzz.world import city
from strongroom.catalog import fields
from strongroom.catalog.columns import Column
from strongroom.catalog.model import Field, Holding
from strongroom.catalog.types import TYPES
from strongroom.custody import receive
from strongroom.errors import FormatError, InputError, ValueRejected
from strongroom.keyholder import line
from strongroom.service import examples, front, routes
from strongroom.serving import config

_VALUES = ("Ada Lovelace", "110101199003074477", "1990-03-07", "+8613800138000", "ada@mail.example", "7", "female", "")
_SEPARATOR = "\x1f"
_SETTINGS = b"""development = true

[vault]
host = "127.0.0.1"
port = 7300

[keyholder]
admin-port = 7401
"""


def targets() -> list[Target]:
    return [
        Target(
            name="service.bodies",
            read=_bodies,
            seeds=lambda: [bytes([at]) + body for at, (_, body) in enumerate(_routes())],
            of=(front.parse,),
            weight=0.3,
        ),
        Target(
            name="service.records",
            read=_records,
            seeds=lambda: [
                b'[{"id-number":"110101199003074477","name":"Ada Lovelace","phone":"13800138000"},{}]',
                b'[{"nickname":"x"},{"born":"1990-02-30","name":null}]',
            ],
            of=(receive.parse,),
            weight=0.3,
        ),
        Target(
            name="service.column",
            read=_column,
            seeds=_columns,
            of=(Column.parse,),
            weight=0.3,
        ),
        Target(
            name="service.settings",
            read=lambda data: config.load(Path("room"), {}, {}, file(data, "strongroom.toml")),
            errors=InputError,
            # Names of settings are quoted, and nothing of them is anybody's.
            silent=False,
            seeds=lambda: [_SETTINGS, b"[vault]\nprt = 7300\n"],
            of=(config.load,),
            weight=0.3,
        ),
        Target(
            name="service.line",
            read=lambda data: line.parse(text_of(data)),
            # It is the room's own address, and says where to look.
            silent=False,
            seeds=lambda: [b"127.0.0.1:7400", b"[::1]:7400", b"https://keyholder.example:65535"],
            of=(line.parse,),
            weight=0.1,
        ),
    ]


@cache
def _routes() -> tuple[tuple[msgspec.json.Decoder[Any], bytes], ...]:
    """Of each route that has a body: how it is read, and its example."""
    sent, _ = examples.made()
    return tuple(
        (msgspec.json.Decoder(route.body), msgspec.json.encode(sent[route.name]))
        for route in routes.ROUTES
        if route.body is not None and route.name in sent
    )


def _bodies(data: bytes) -> None:
    decoder, _ = _routes()[(data[0] if data else 0) % len(_routes())]
    front.parse(decoder, data[1:], "the body")


@cache
def _residents() -> Holding:
    return city().holdings["residents"]


def _records(data: bytes) -> None:
    """What goes in is all that is not complained of, in order."""
    try:
        sent: list[dict[str, str | None]] = msgspec.json.decode(data, type=list[dict[str, str | None]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormatError("no records") from None
    found = receive.parse(_residents(), sent)
    bad = {one.row for one in found.bad}
    if sorted({*found.rows} | bad) != list(range(1, len(sent) + 1)) or bad & {*found.rows}:
        raise Broken("a record is taken in and complained of, or neither")
    if any(len(column) != len(found.rows) for column in found.columns.values()):
        raise Broken("a column has not a value for each record")


@cache
def _declared() -> tuple[Field, ...]:
    return tuple(field for name in TYPES for field in values.declarations(name))


def _columns() -> list[bytes]:
    return [bytes([at]) + _SEPARATOR.join(_VALUES).encode() for at in range(len(_declared()))]


def _column(data: bytes) -> None:
    """A column says of each value what is said of it alone."""
    field = _declared()[(data[0] if data else 0) % len(_declared())]
    raws = text_of(data[1:]).split(_SEPARATOR) * 3
    found = Column(field).parse(raws)
    wrong = dict(found.wrong)
    for at, raw in enumerate(raws):
        try:
            alone = fields.parse(field, raw)
        except ValueRejected as reason:
            if wrong.get(at) != str(reason) or found.values[at] is not None:
                raise Broken("a column takes what is refused alone") from None
        else:
            if at in wrong or found.values[at] != alone:
                raise Broken("a column refuses or changes what is taken alone")
