"""Is a reason a reason, and a case a case? Exact rules, so that every implementation refuses the same (SPEC.md 7.3).

No rule can tell a true reason from an invented one. These make sure that something was written which the person
concerned, an auditor or a court can hold its writer to, and that a program of habit (``asdf``, ``test test``) fails.
"""

from __future__ import annotations

import re
import unicodedata

from strongroom.errors import Refused

MAX_REASON = 500
MAX_CASE = 64
ENOUGH = 12  # letters; a Han character counts 3 of them
VARIED = 15  # a distinct letter counts 3, a distinct Han character 5
HAN_LETTERS, HAN_DISTINCT, LETTER_DISTINCT = 3, 5, 3
RUN = 4  # neighbours on a keyboard or in the alphabet

ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
FILLER = frozenset((
    "test", "tests", "testing", "tested", "lorem", "ipsum", "dolor", "sit", "amet", "foo", "bar", "baz", "qux", "blah",
    "dummy", "filler", "placeholder", "none", "null", "nothing", "reason", "reasons", "because", "whatever",
))  # fmt: skip
UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul fillers: letters by their category, and white
# Letters of one look alike letters of another: a word of two of them is written to look like what it is not.
ALIKE = tuple(map(re.compile, ("[a-z]", "[\u0370-\u03ff]", "[\u0400-\u052f]")))
HAN_FILLER = ("测试", "測試", "随便", "隨便", "无理由", "無理由")

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_is_han = re.compile(f"[{_HAN}]").match
_STUTTER = re.compile(r"(.)\1{2,}")
_ASCII_WORD, _DIGITS = re.compile("[a-z]+"), str.maketrans("", "", "0123456789")
_ASCII_CASE = re.compile("[0-9A-Za-z](?: ?[!-~])*")
"""What most cases are; each of these is one by the rules for any."""
_han_filler = re.compile("|".join(HAN_FILLER))
# A set, since an alternation of all of them would be tried at each letter: half of what a reason cost.
_RUNS = frozenset(
    way[start : start + RUN] for row in ROWS for way in (row, row[::-1]) for start in range(len(row) - RUN + 1)
)


def check_reason(text: str) -> None:
    """Raises ``Refused`` (code ``reason``) unless ``text`` says something. The text never stands in the refusal."""
    if len(text) > MAX_REASON:
        raise Refused("reason", f"a reason has at most {MAX_REASON} characters")
    # Of ASCII these are all that is not printable; what is more is looked up letter by letter, which costs more than all else here.
    if not text.isprintable() if text.isascii() else any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in text):
        raise Refused("reason", "a reason has no control characters and no line breaks")
    letters = _substance(text)
    han = [] if letters.isascii() else [c for c in letters if _is_han(c)]
    rest = [c for c in letters if not _is_han(c)] if han else list(letters)
    if HAN_LETTERS * len(han) + len(rest) < ENOUGH:
        raise Refused("reason", "say why in at least 12 letters or 4 Han characters; repeats and filler do not count")
    if HAN_DISTINCT * len(set(han)) + LETTER_DISTINCT * len(set(rest)) < VARIED or _periodic(letters):
        raise Refused("reason", "the same few letters again and again are no reason")


def check_case(text: str) -> None:
    """Raises ``Refused`` (code ``case``) unless ``text`` can name a case: 1 to 64 characters of NFC, each a letter, mark,
    digit, punctuation, symbol or single inner space, at least one a letter or digit."""
    if not 1 <= len(text) <= MAX_CASE:
        raise Refused("case", f"name the case in 1 to {MAX_CASE} characters")
    if _ASCII_CASE.fullmatch(text):
        return
    kinds = [unicodedata.category(c)[0] for c in text]
    if any(kind not in "LMNPS" and c != " " for kind, c in zip(kinds, text, strict=True)):
        raise Refused("case", "a case is written in printable characters")
    if text != text.strip(" ") or "  " in text:
        raise Refused("case", "a case has no outer and no double spaces")
    if not any(kind in "LN" and c not in UNSEEN for kind, c in zip(kinds, text, strict=True)):
        raise Refused("case", "a case has at least one letter or digit")
    if unicodedata.normalize("NFC", text) != text:
        raise Refused("case", "a case is written in NFC")


def _substance(text: str) -> str:
    """The letters that count: of each different word once, without filler, disguise, runs along a keyboard, and stutter."""
    words: list[str] = []
    for letters in _ascii_words(text) if text.isascii() else _words(text):
        if letters in FILLER or (not letters.isascii() and sum(bool(one.search(letters)) for one in ALIKE) > 1):
            continue
        kept = _shortened(letters if letters.isascii() else _han_filler.sub("", letters))
        if kept and kept not in words:
            words.append(kept)
    return "".join(words)


def _words(text: str) -> list[str]:
    """The letters of each word."""
    form = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    parts = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in form).split(" ")
    return [
        "".join(c for c in part if unicodedata.category(c) in ("Ll", "Lo", "Lu", "Lt") and c not in UNSEEN)
        for part in parts
    ]


def _ascii_words(text: str) -> list[str]:
    """The same of ASCII, which is its own normal form."""
    return _ASCII_WORD.findall(text.lower().translate(_DIGITS))


def _shortened(word: str) -> str:
    """``word`` with each keyboard or alphabet run of four and more cut to its first letter, then each letter that
    stands three and more times in a row cut to two."""
    if not _RUNS.isdisjoint([word[at : at + RUN] for at in range(len(word) - RUN + 1)]):  # of most words there is none
        word = _without_runs(word)
    return _STUTTER.sub(r"\1\1", word)


def _without_runs(word: str) -> str:
    kept, at = [], 0
    while at < len(word):
        kept.append(word[at])
        end = at + 1
        if word[at : at + RUN] in _RUNS:
            end = at + RUN
            while word[end - RUN + 1 : end + 1] in _RUNS:
                end += 1
        at = end
    return "".join(kept)


def _periodic(text: str) -> bool:
    return any(text[period] == text[0] and text[period:] == text[:-period] for period in range(1, len(text) // 2 + 1))
