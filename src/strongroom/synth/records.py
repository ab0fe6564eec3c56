"""Synthetic records for any holding: so that nobody copies the real table into a test system.

Each person that a record is about is one of ``people``, who are nobody; what lies in compartments about that person fits
together (a name, a number, a birth date). A holding of one required person has each of them once; in others (calls,
incidents) few are in many records and many in few. Every value is one that the field takes, and the same seed gives
the same records.
"""

from __future__ import annotations

import base64
import datetime
import math
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from random import Random

from strongroom.catalog import fields as types
from strongroom.catalog.model import Field, Holding
from strongroom.catalog.types import width
from strongroom.errors import InputError, ValueRejected
from strongroom.synth.names import SENTENCES
from strongroom.synth.pattern import drawn
from strongroom.synth.people import people

_ABSENT = 0.15
_RECORDS_A_PERSON = 12
_FIRST_DAY, _LAST_DAY = datetime.date(2015, 1, 1), datetime.date(2026, 12, 31)

# Which member of a synthetic person fills a field, by its type, and by words of its name where the type alone does not say.
_BY_TYPE = {"resident-id": "id-number", "phone": "phone", "email": "email", "person-name": "name", "address": "address"}
_BY_NAME = {"born": "born", "birth": "born", "birthday": "born", "sex": "sex", "gender": "sex", "district": "district"}
_TRIES = 50

Person = Mapping[str, str]


def records(holding: Holding, count: int, seed: int) -> Iterator[dict[str, str]]:
    """``count`` records: field -> text as a source would have it, empty where there is no value.

    Raises ``InputError`` for a field that no value can be drawn for.
    """
    rng = Random(seed)
    roles = sorted({compartment.person for compartment in holding.compartments.values()})
    primaries = [name for name, field in holding.fields.items() if field.identifier == "primary"]
    alone = len(primaries) == 1 and holding.fields[primaries[0]].required
    cast = _once(count, seed) if alone else _often(count, seed, rng)
    for number in range(count):
        persons = {role: next(cast) for role in roles}
        yield _record(holding, persons, primaries, number, rng)


def _once(count: int, seed: int) -> Iterator[Person]:
    return people(count, seed)


def _often(count: int, seed: int, rng: Random) -> Iterator[Person]:
    """People without end, the first ones far oftener than the last."""
    pool = list(islice(people(max(20, count // _RECORDS_A_PERSON), seed), 1_000_000))
    while True:
        yield pool[int(math.exp(rng.random() * math.log(len(pool) + 1))) - 1]


def _record(
    holding: Holding, persons: Mapping[str, Person], primaries: list[str], number: int, rng: Random
) -> dict[str, str]:
    # Who is unidentified has no other value either: a suspect without a number has no name on file.
    known = {
        role for role in persons if role not in primaries or holding.fields[role].required or rng.random() > _ABSENT
    }
    # Values that want others beside them come first.
    found = {
        name: _value(name, declared, {}, number, rng) for name, declared in holding.fields.items() if declared.needs
    }
    needed = {field for name, value in found.items() for field in holding.fields[name].needs.get(value, [])}
    for name, declared in holding.fields.items():
        role = holding.compartments[declared.compartment].person
        if name in found:
            continue
        there = role in known and (name in primaries or rng.random() > _ABSENT)
        there = there or declared.required or name in needed
        found[name] = _value(name, declared, persons[role], number, rng) if there else ""
    return {name: found[name] for name in holding.fields}


def _value(name: str, field: Field, person: Person, number: int, rng: Random) -> str:
    """A text that ``field`` takes. Raises ``InputError``."""
    parse = types.parser(field)
    for _ in range(_TRIES):
        raw = _drawn(name, field, person, number, rng)
        try:
            if parse(raw) is not None:
                return raw
        except ValueRejected:
            continue
    raise InputError(f"no value for the field {name} can be drawn: its pattern or max leaves too little")


def _drawn(name: str, field: Field, person: Person, number: int, rng: Random) -> str:
    if field.type == "enum":
        return rng.choice(field.values)
    if field.pattern:
        return drawn(field.pattern, rng)
    words = [_BY_NAME[word] for word in name.split("-") if word in _BY_NAME]
    member = _BY_TYPE.get(field.type) or (words[0] if words else "")
    if member in person and not (field.type == "date" and member != "born"):
        return _cut(person[member], width(field))
    return _BY_KIND[field.type](field, number, rng)


def _date(field: Field, number: int, rng: Random) -> str:
    span = (_LAST_DAY - _FIRST_DAY).days
    return (_FIRST_DAY + datetime.timedelta(days=rng.randrange(span))).isoformat()


def _text(field: Field, number: int, rng: Random) -> str:
    if field.identifier != "none":
        return _cut(f"{rng.randrange(36**6):06d}-{number}", width(field))
    most, parts, size = width(field), [rng.choice(SENTENCES)], 0
    while size < most and rng.random() > 0.4:
        parts.append(rng.choice(SENTENCES))
        size += len(parts[-1].encode())
    return _cut(" ".join(parts), most)


def _number(field: Field, number: int, rng: Random) -> str:
    return str(rng.randrange(10 ** min(width(field), 6)))


def _image(field: Field, number: int, rng: Random) -> str:
    """A small PNG of coloured noise: a picture of nobody."""
    side = max(4, min(48, math.isqrt(width(field) // 8)))
    rows = b"".join(b"\0" + rng.randbytes(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _somebody(field: Field, number: int, rng: Random) -> str:
    """Of a compartment that is about nobody, and yet has a name or a number of a person in it."""
    one = next(people(1, rng.randrange(2**31)))
    return _cut(one[_BY_TYPE[field.type]], width(field))


_BY_KIND: dict[str, Callable[[Field, int, Random], str]] = {
    "date": _date,
    "text": _text,
    "number": _number,
    "image": _image,
    **dict.fromkeys(_BY_TYPE, _somebody),
}


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore").strip()
