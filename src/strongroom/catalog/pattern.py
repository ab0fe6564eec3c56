"""Patterns for text and number fields: regular expressions that cannot run away (SPEC.md section 6.4).

Python's matcher backtracks and has no time limit, so a pattern may repeat only single characters and sets, not
groups, may have few choices, and its values are short (``types.MAX_PATTERN_BYTES``).
"""

from __future__ import annotations

import re

from strongroom.errors import FormatError

MAX_LENGTH = 200
MAX_VARIABLE = 3
MAX_ALTERNATIVES = 8

_TOKEN = re.compile(
    r"""(?P<escape>\\.) | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\]) | (?P<close>\)) | (?P<open>\((?:\?:)?) | (?P<or>\|)
      | (?P<exact>\{[0-9]+\}) | (?P<vary>[*+?]|\{[0-9]*,[0-9]*\}) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# Python may yet read these as operations on sets, and then one pattern would mean two things.
_AMBIGUOUS = re.compile(r"\[|--|&&|\|\||~~")


def compile_pattern(text: str) -> re.Pattern[str]:
    """The pattern, to be used with ``fullmatch``; classes such as ``\\d`` mean ASCII. Raises ``FormatError``."""
    if len(text) > MAX_LENGTH:
        raise FormatError(f"a pattern has at most {MAX_LENGTH} characters")
    vary = alternatives = 0
    before = ""
    for found in _TOKEN.finditer(text):
        part, text_of = found.lastgroup or "", found[0]
        if part == "escape" and (text_of[1].isdigit() or text_of[1] in "ABbZGgkz"):
            raise FormatError("a pattern has no back-references or anchors: it always matches the whole value")
        if text_of == "[":
            raise FormatError("a set is not closed with ]")
        if part == "set" and _AMBIGUOUS.search(re.sub(r"\\.", "", text_of[1:-1], flags=re.DOTALL)):
            raise FormatError("a set writes [ & | ~ and - with a backslash before it where it means the character")
        if part in ("vary", "exact"):
            if before == "close":
                raise FormatError("a pattern does not repeat groups, only single characters or sets, as [A-Z]{2}")
            vary += part == "vary"
            if part == "exact" and len(text_of) > 5:
                raise FormatError("a pattern repeats at most 999 times")
        elif part == "open" and text[found.end() : found.end() + 1] == "?":
            raise FormatError("a pattern has no group other than ( and (?:")
        alternatives += part == "or"
        before = part
    if vary > MAX_VARIABLE:
        raise FormatError(f"a pattern has at most {MAX_VARIABLE} variable repeats (*, +, ?, " + "{m,n})")
    if alternatives > MAX_ALTERNATIVES:
        raise FormatError(f"a pattern has at most {MAX_ALTERNATIVES} alternatives; declare an enum instead")
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise FormatError("the pattern is not a regular expression") from None
