"""What each field type allows: one table for the catalog, the masks and the fields (SPEC.md section 6.4)."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.catalog.model import Field, Holding, Mask, Test

MAX_BYTES = 16_384  # of one value; a document is not a field
MAX_IMAGE_BYTES = 262_144  # of an image, in base64
MAX_PATTERN_BYTES = 256  # of a value with a pattern: with catalog.pattern's limits, matching stays under milliseconds


@dataclass(frozen=True, slots=True)
class FieldType:
    """``width`` is the longest UTF-8 length of a stored value unless the catalog says another, which may be up to
    ``most`` (0: it may not). ``tests`` are those that may be asked of it (SPEC.md 7.5)."""

    width: int
    most: int
    identifier: bool
    masks: frozenset[Mask]
    tests: frozenset[Test]
    about: str


def _type(
    width: int,
    about: str,
    *masks: Mask,
    most: int = 0,
    identifier: bool = False,
    tests: tuple[Test, ...] = ("matches",),
) -> FieldType:
    clear: Mask = "clear"
    return FieldType(width, most, identifier, frozenset([clear, *masks]), frozenset(tests), about)


TYPES = {
    "person-name": _type(64, "a person's name in any script", "initial", most=MAX_BYTES),
    "resident-id": _type(
        18,
        "resident ID of China, GB 11643",
        "last-four",
        "year",
        "district",
        identifier=True,
        tests=("adult", "district", "matches"),
    ),
    "phone": _type(16, "telephone number, kept as E.164", "last-four", identifier=True),
    "email": _type(96, "e-mail address", "initial", most=MAX_BYTES, identifier=True),
    "date": _type(10, "calendar date, kept as YYYY-MM-DD", "year", tests=("adult", "matches")),
    "address": _type(120, "postal address", "district", most=MAX_BYTES, tests=("district", "matches")),
    "enum": _type(64, "one of the declared values"),
    "text": _type(64, "any text", "last-four", "initial", most=MAX_BYTES, identifier=True),
    # Never searched, compared or shown in part: no face is looked for among many.
    "image": _type(65_536, "a PNG, JPEG or WebP in base64", most=MAX_IMAGE_BYTES, tests=()),
    "number": _type(20, "decimal number without exponent", "last-four", most=MAX_BYTES, identifier=True),
}


def width(field: Field) -> int:
    """The longest UTF-8 length in bytes that a stored value of ``field`` may have (an enum: its longest value,
    to which SPEC.md 3.5 fills)."""
    if field.type == "enum":
        return max((len(value.encode()) for value in field.values), default=0)
    return field.max or TYPES[field.type].width


def kind(name: str, field: Field) -> str:
    """The kind of identifier that the field called ``name`` is (SPEC.md 1.4). ``text`` and ``number`` fields are
    kinds of their own, so that a badge number never meets a case number."""
    return f"{field.type}:{name}" if field.type in ("text", "number") else field.type


def identifier_kinds(holding: Holding) -> dict[str, list[str]]:
    """Kind -> names of the identifier fields of that kind, both sorted. Two fields may share one (two phones)."""
    found: dict[str, list[str]] = {}
    for name, field in sorted(holding.fields.items()):
        if field.identifier != "none":
            found.setdefault(kind(name, field), []).append(name)
    return dict(sorted(found.items()))


def primaries(holding: Holding) -> list[str]:
    """Names of the fields whose values make a record's ``who``s (SPEC.md 2.3), sorted."""
    return [name for name, field in sorted(holding.fields.items()) if field.identifier == "primary"]
