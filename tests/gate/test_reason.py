"""Reasons and cases: the vectors, and what no input may do (SPEC.md 7.3)."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strongroom.errors import Refused
from strongroom.gate.reason import _ASCII_CASE, FILLER, ROWS, _ascii_words, _words, check_case, check_reason

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(Path("vectors/reason.json").read_text("utf-8"))


def refused(check: Any, text: str) -> str | None:
    try:
        check(text)
    except Refused as found:
        return found.code
    return None


@pytest.mark.parametrize("vector", VECTORS["reasons"], ids=lambda vector: vector["why"])
def test_reason(vector: dict[str, Any]) -> None:
    assert refused(check_reason, vector["text"]) == (None if vector["accepted"] else "reason")


@pytest.mark.parametrize("vector", VECTORS["cases"], ids=lambda vector: vector["why"])
def test_case(vector: dict[str, Any]) -> None:
    assert refused(check_case, vector["text"]) == (None if vector["accepted"] else "case")


def test_vectors_hold_both_sides() -> None:
    for name in ("reasons", "cases"):
        said = [vector["accepted"] for vector in VECTORS[name]]
        assert min(said.count(True), said.count(False)) >= 5


@given(st.text())
def test_nothing_but_a_refusal_escapes(text: str) -> None:
    assert refused(check_reason, text) in (None, "reason")
    assert refused(check_case, text) in (None, "case")


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_has_the_words_that_any_text_has(text: str) -> None:
    assert [one for one in _ascii_words(text) if one] == [one for one in _words(text) if one]


@given(st.text(st.characters(max_codepoint=127), min_size=1, max_size=6) | st.from_regex(_ASCII_CASE, fullmatch=True))
def test_an_ascii_case_is_one_by_the_rules_for_any(text: str) -> None:
    assume(_ASCII_CASE.fullmatch(text) and len(text) < 64)
    assert refused(check_case, text) is None
    # With a letter from elsewhere before it, it is the rules for any that look at it.
    assert refused(check_case, f"\u00e9{text}") is None


@pytest.mark.parametrize("code", range(128))
def test_no_control_character_of_ascii_stands_in_a_reason(code: int) -> None:
    refused_ = refused(check_reason, f"confirming an application{chr(code)}for a passport")
    assert refused_ == ("reason" if unicodedata.category(chr(code)) == "Cc" else None)


@given(st.text(min_size=1, max_size=8), st.integers(2, 60), st.sampled_from(["", " ", ", "]))
def test_repeating_never_makes_a_reason(unit: str, times: int, between: str) -> None:
    # Without anything between them the end of one and the beginning of the next are a word of their own.
    assume(between or unit.isalpha())
    if refused(check_reason, unit):
        # Whole ones alone: of a last one that is cut off another word would be left.
        times = min(times, 500 // len(unit + between))
        assert refused(check_reason, between.join([unit] * times))


@given(st.lists(st.sampled_from(sorted(FILLER) + [row[at : at + 5] for row in ROWS for at in range(3)])))
def test_filler_is_no_reason(words: list[str]) -> None:
    short = [word for word in words if word in FILLER]
    assert refused(check_reason, " ".join(short)) == "reason"


@given(st.text(alphabet="0123456789 .,:;!?-_/()", max_size=500))
def test_digits_and_signs_are_no_reason(text: str) -> None:
    assert refused(check_reason, text) == "reason"
