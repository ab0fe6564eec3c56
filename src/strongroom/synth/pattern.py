"""Texts that match a field's pattern, drawn at random (SPEC.md section 6.4: the patterns are simple ones)."""

from __future__ import annotations

import re
from importlib import import_module
from random import Random
from typing import Any

# The parser of the standard library's own ``re``: it has no other name, and no types.
ops: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

_ANY = "abcdefghijklmnopqrstuvwxyz0123456789"
_MORE = 6  # how far an open repeat goes
_CLASSES = {
    ops.CATEGORY_DIGIT: "0123456789",
    ops.CATEGORY_WORD: _ANY + "_",
    ops.CATEGORY_SPACE: " ",
    ops.CATEGORY_NOT_DIGIT: "abcdefgh",
    ops.CATEGORY_NOT_WORD: "-. ",
    ops.CATEGORY_NOT_SPACE: _ANY,
}


def drawn(pattern: str, rng: Random) -> str:
    """A text that ``pattern`` (of ``catalog.pattern``) matches whole."""
    return "".join(_each(parser.parse(pattern, re.ASCII), rng))


def _each(parsed: Any, rng: Random) -> list[str]:
    return [_one(op, value, rng) for op, value in parsed]


def _one(op: Any, value: Any, rng: Random) -> str:
    if op is ops.LITERAL:
        return chr(value)
    if op is ops.ANY:
        return rng.choice(_ANY)
    if op is ops.NOT_LITERAL:
        return next(each for each in rng.sample(_ANY, len(_ANY)) if ord(each) != value)
    if op is ops.IN:
        return _member(value, rng)
    if op is ops.BRANCH:
        return "".join(_each(rng.choice(value[1]), rng))
    if op is ops.SUBPATTERN:
        return "".join(_each(value[3], rng))
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
        least, most, what = value
        top = least + _MORE if most is ops.MAXREPEAT else int(most)
        return "".join("".join(_each(what, rng)) for _ in range(rng.randint(least, max(least, min(top, least + 40)))))
    return ""  # an anchor, which stands for no character


def _member(items: Any, rng: Random) -> str:
    found: list[str] = []
    without = items[0][0] is ops.NEGATE
    for op, value in items:
        if op is ops.LITERAL:
            found.append(chr(value))
        elif op is ops.RANGE:
            found += [chr(each) for each in range(value[0], min(value[1], value[0] + 200) + 1)]
        elif op is ops.CATEGORY:
            found += _CLASSES[value]
    return rng.choice([each for each in _ANY + "-. " if each not in found] if without else found)
