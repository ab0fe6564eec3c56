"""What a purpose shows of a value that it may not see whole (SPEC.md section 6.6).

A mask never tells how long the hidden part is, and where it cannot find what it may show, it shows only ``HIDDEN``.
That a mask fits its field's type is checked when the charter is parsed (``catalog.types``).
"""

from __future__ import annotations

import re
import unicodedata

from strongroom.catalog.model import Field, Mask
from strongroom.catalog.types import TYPES
from strongroom.errors import ValueRejected

HIDDEN = "****"

# Province, then city, then district or county; each may be missing, the last must end what is shown. A district's
# name has no street, village or number in it (but Luqiao and Daoli begin so), and a housing estate is not a district.
_HAN_DISTRICT = re.compile(
    r"(?:[\u4e00-\u9fff]{2,6}?(?:特别行政区|自治区|省))?(?:[\u4e00-\u9fff]{2,10}?(?:自治州|地区|盟|市|州))?"
    r"[\u4e00-\u9fff]{1,2}(?:(?![镇乡街路村巷弄号])[\u4e00-\u9fff]){0,8}?(?:自治县|自治旗|(?<![小社园厂校景院])区|县|旗|市)"
)
_PARTS = re.compile(r"[,，、;；]")
_LEAST = 8  # characters, below which four are too many


def apply(mask: Mask, field: Field, value: str | None) -> str | None:
    """``value`` as ``mask`` shows it; ``None`` stays ``None``. Raises ``ValueRejected`` for a mask that does not fit."""
    if mask not in TYPES[field.type].masks:
        raise ValueRejected(f"the mask {mask} does not fit a {field.type}")
    if value is None or mask == "clear":
        return value
    if mask == "last-four":
        return HIDDEN + value[-4:] if len(value) >= _LEAST else HIDDEN
    if mask == "initial":
        return _initial(value) + HIDDEN
    if mask == "year":
        return value[6:10] if field.type == "resident-id" else value[:4]
    return value[:6] if field.type == "resident-id" else _district(value)


def _initial(value: str) -> str:
    # A letter is shown with the marks on it, or it would be another letter.
    end = 1
    while end < len(value) and unicodedata.category(value[end]).startswith("M"):
        end += 1
    return value[:end] if len(value) > end else ""


def _district(value: str) -> str:
    found = _HAN_DISTRICT.match(value)
    if found:
        return found[0]
    # Elsewhere the town stands last. The first part and any with a digit (house, flat, postcode) stay hidden.
    parts = [part.strip() for part in _PARTS.split(value)[1:] if not any(c.isdigit() for c in part)]
    return ", ".join(part for part in parts[-2:] if part) or HIDDEN
