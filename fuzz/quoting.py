"""Does an error's text hold words of the input that the program does not have itself?

An error may name members, sizes and places; a word of the input that stands nowhere in our own source and examples can only
have been copied out of it. So nothing has to be known of the texts, and the fuzzer finds the values that get through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import strongroom
from fuzz.seeds import ROOT

_GROUPED = re.compile(r"(?<=[0-9])_(?=[0-9])")
_WORD = re.compile(r"[^\W_]+")
# What msgspec, Python and the calendar say of their own accord; they name types and forms.
_OTHERS = """
    Expected got array object str int bool null bytes float length matching regex key keys Invalid base64 encoded string
    Object missing required field missing unknown value out range truncated malformed UTF
"""
_LETTERS, _NUMBER = 4, 6


def quoted(text: str, data: bytes) -> str:
    """The first word of ``text`` that is the input's and not ours; empty where there is none."""
    given = data.decode("utf-8", "replace")
    return next((word for word in _words(text) if word in given and word not in _vocabulary()), "")


def _words(text: str) -> Iterator[str]:
    """The words of ``text`` that are long enough to tell something; of scripts without spaces every two characters."""
    for word in _WORD.findall(text):
        if not word.isascii():
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        elif len(word) >= (_NUMBER if word.isdigit() else _LETTERS):
            yield word


@cache
def _vocabulary() -> frozenset[str]:
    # The bounds of numbers are the schemas' own.
    found = {*_OTHERS.split(), *(str(2**bits - 1) for bits in (16, 32, 53, 63))}
    for path in [*Path(strongroom.__file__).parent.rglob("*.py"), *(ROOT / "examples").rglob("*.yaml")]:
        found.update(_words(_GROUPED.sub("", path.read_text(encoding="utf-8"))))
    return frozenset(found)
