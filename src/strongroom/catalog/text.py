"""Text as it is stored: NFC, no controls, single spaces (SPEC.md section 6.4)."""

from __future__ import annotations

import re
import unicodedata

from strongroom.errors import ValueRejected

# Controls (tab, line feed and carriage return are white space); zero-width space, word joiner and BOM; marks and
# overrides of direction, by which a value can be made to look like another; surrogates and noncharacters; U+FFFD,
# which says that a decoder lost what was there. Zero-width joiners stay: Persian and Indic names need them.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef"
    "\ufeff\ufff9-\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}-{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


def clean(raw: str) -> str:
    """``raw`` in NFC, white space collapsed and trimmed. Raises ``ValueRejected``."""
    if raw.isascii():
        if raw.isprintable():
            return raw if "  " not in raw and raw[:1] != " " != raw[-1:] else " ".join(raw.split())
        if _REFUSED.search(raw):
            raise ValueRejected("has a control character")
        return " ".join(raw.split())
    if _REFUSED.search(raw):
        raise ValueRejected("has a control, direction or undecodable character")
    return " ".join(unicodedata.normalize("NFC", raw).split())


def clean_lines(text: str) -> bool:
    """Whether ``clean`` leaves each line of ``text`` as it is; none is empty, and line feeds end them. May say no where it
    does: what is printable has no white space but spaces, and of what is refused two characters alone."""
    return (
        text.replace("\n", "").isprintable()
        and not any(found in text for found in ("\ufffc", "\ufffd", "  ", " \n", "\n "))
        and text[:1] != " " != text[-1:]
        and unicodedata.is_normalized("NFC", text)
    )


def folded(value: str) -> str:
    """The form in which texts are compared: NFKC, case folded, joiners dropped, NFKC, single spaces. Folding it again
    changes nothing, since what a joiner kept apart is put together before the last NFKC."""
    if value.isascii():
        return value.lower()
    once = unicodedata.normalize("NFKC", value).casefold().replace("\u200c", "").replace("\u200d", "")
    return " ".join(unicodedata.normalize("NFKC", once).split())
