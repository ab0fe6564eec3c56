"""Does an error's text hold words of the input that the program does not have itself?

An error may name members, sizes and places; a word of the input that stands nowhere in our own source can only have been
copied out of it. So nothing has to be known of the texts, and the fuzzer finds the values that get through.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import strongroom

_GROUPED = re.compile(r"(?<=[0-9])_(?=[0-9])")
_WORD = re.compile(r"[^\W_]+")
# What msgspec, Python and the calendar say of their own accord; they name types and forms.
_OTHERS = """
    Expected got array object str int bool null bytes float length matching regex key keys Invalid base64 encoded string
    Object missing required field missing unknown value out range truncated malformed UTF
"""
_SHORT, _SHORT_NUMBER, _SHORT_OTHER = 4, 6, 2


def quoted(text: str, data: bytes) -> str:
    """The first word of ``text`` that is the input's and not ours; empty where there is none."""
    given = data.decode("utf-8", "replace")
    for word in _WORD.findall(text):
        least = _SHORT_NUMBER if word.isdigit() else _SHORT if word.isascii() else _SHORT_OTHER
        if len(word) >= least and word in given and word not in _vocabulary():
            return str(word)
    return ""


@cache
def _vocabulary() -> frozenset[str]:
    # The bounds of numbers are the schemas' own.
    words = {*_OTHERS.split(), *(str(2**bits - 1) for bits in (16, 32, 53, 63))}
    for path in Path(strongroom.__file__).parent.rglob("*.py"):
        words.update(_WORD.findall(_GROUPED.sub("", path.read_text(encoding="utf-8"))))
    return frozenset(words)
