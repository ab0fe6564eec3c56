"""What a custodian writes and a steward signs: sources, maps, charters, rosters, patterns, rates, rules (SPEC.md section 6)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from functools import cache

from fuzz import world
from fuzz.seeds import example, kept, vector
from fuzz.target import Broken, Target, bytes_of, text_of
from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog import mapping, migration, rate, rules, source, text
from strongroom.catalog.check import check
from strongroom.catalog.image import image
from strongroom.catalog.model import Holding
from strongroom.catalog.pattern import compile_pattern
from strongroom.catalog.types import MAX_PATTERN_BYTES
from strongroom.catalog.yamltree import Reader, Scalar
from strongroom.errors import CatalogError, FormatError, ValueRejected
from strongroom.report import about

FILE = "input.yaml"


def targets() -> list[Target]:
    return [
        Target(
            name="catalog.source",
            read=_source,
            errors=CatalogError,
            silent=False,
            seeds=_sources,
            of=(source.load, Reader.document, Reader.duration, Reader.number),
            weight=0.005,
        ),
        Target(
            name="catalog.duration",
            read=lambda data: Reader(FILE).duration(Scalar(text_of(data), plain=True, line=1), "a delay"),
            errors=CatalogError,
            seeds=lambda: [b"0s", b"90s", b"30m", b"72h", b"3d", b"10y"],
            of=(Reader.duration,),
        ),
        Target(
            name="catalog.map",
            read=lambda data: mapping.load(data, FILE, _holding()).compile(["given_name", "surname"]),
            errors=CatalogError,
            silent=False,
            seeds=lambda: [example("febrl/map.yaml"), *kept("catalog.map")],
            of=(mapping.load, mapping.FieldMap.compile),
            weight=0.03,
        ),
        Target(
            name="catalog.migration",
            read=_migrated,
            errors=CatalogError,
            silent=False,
            seeds=lambda: kept("catalog.migration"),
            of=(migration.load, migration.Migration.apply),
            weight=0.03,
        ),
        Target(
            name="catalog.header",
            read=lambda data: mapping.by_name(text_of(data).split(","), FILE, _holding()),
            errors=CatalogError,
            seeds=lambda: [b"ssn,name,born", b"\xef\xbb\xbfSSN, Rec_ID ,postcode", b"a,b"],
            of=(mapping.by_name,),
        ),
        Target(
            name="catalog.about",
            read=lambda data: about.load(data, FILE),
            errors=CatalogError,
            silent=False,
            seeds=lambda: [
                example("city/about.yaml"),
                b"controller: City of Riverton\nofficer: >\n  The one\n  in charge\n",
            ],
            of=(about.load,),
            weight=0.05,
        ),
        Target(
            name="catalog.charter",
            read=charters.parse,
            write=charters.document,
            errors=(FormatError, CatalogError),
            silent=False,
            seeds=lambda: [world.document(), vector("charter")["document"].encode()],
            of=(charters.parse,),
            weight=0.01,
        ),
        Target(
            name="catalog.roster",
            read=charters.parse_roster,
            write=charters.roster_bytes,
            errors=FormatError,
            seeds=lambda: [vector("charter")["roster"].encode(), b"[]"],
            of=(charters.parse_roster,),
        ),
        Target(
            name="catalog.image",
            read=lambda data: image(b64encode(data).decode()),
            write=b64decode,
            errors=ValueRejected,
            seeds=lambda: kept("catalog.image"),
            of=(image,),
        ),
        Target(
            name="catalog.pattern",
            read=_pattern,
            errors=FormatError,
            seeds=lambda: kept("catalog.pattern"),
            of=(compile_pattern,),
            weight=0.05,
        ),
        Target(
            name="catalog.rate",
            read=lambda data: rate.parse_rate(text_of(data)),
            write=lambda found: bytes_of(str(found)),
            errors=FormatError,
            seeds=lambda: [b"20/minute", b"1/second", b"100000000/day", b"5/hour"],
            of=(rate.parse_rate,),
        ),
        Target(
            name="catalog.rules",
            read=_rules,
            errors=FormatError,
            silent=False,
            seeds=lambda: kept("catalog.rules"),
            of=(rules.check,),
            weight=0.01,
        ),
        Target(
            name="catalog.text",
            read=_clean,
            errors=ValueRejected,
            seeds=lambda: [b" Ada  Lovelace ", "José".encode(), "欧阳\t娜".encode(), "نی\u200cما".encode()],
            of=(text.clean,),
        ),
    ]


def _sources() -> list[bytes]:
    return [example("city/charter.yaml"), example("febrl/charter.yaml"), *kept("catalog.source")]


def _source(data: bytes) -> None:
    """What is found to be without an error can also be written down, in a charter."""
    found = source.load(data, FILE)
    if not any(finding.level == "error" for finding in check(found)):
        encode([found.name, found.holdings, found.purposes, found.budgets, found.rules])


def _migrated(data: bytes) -> None:
    """A map that is taken fits every record, or says of one why not."""
    found = migration.load(data, FILE, _holding())
    blank = dict.fromkeys(_holding().fields)
    for record in (blank, blank | {"ssn": "1234567", "name": "Ada King Lovelace", "postcode": "0200", "state": ""}):
        with suppress(ValueRejected):
            found.apply(record)


@cache
def _holding() -> Holding:
    return next(iter(source.load(example("febrl/charter.yaml"), FILE).holdings.values()))


def _pattern(data: bytes) -> None:
    """A pattern that is taken must also be quick, on the values that are worst for it."""
    found = compile_pattern(text_of(data))
    for one in ("a", "0", " ", "ab", "A-", text_of(data)):
        found.fullmatch((one * MAX_PATTERN_BYTES)[: MAX_PATTERN_BYTES - 1] + "!")


def _rules(data: bytes) -> None:
    # Text of a charter: what it cannot hold, such as halves of characters, is refused where the source is read.
    rules.check(data.decode(errors="replace"), rules.schema(world.city().holdings, world.city().purposes))


def _clean(data: bytes) -> None:
    once = text.clean(text_of(data))
    if text.clean(once) != once:
        raise Broken("cleaned again it is another text")
    if text.folded(text.folded(once)) != text.folded(once):
        raise Broken("folded again it is another text")
