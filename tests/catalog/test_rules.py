"""The custodian's rules and patterns: what is taken, and what could hurt (SPEC.md 6.2, 6.4)."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.catalog import rules
from strongroom.catalog.pattern import compile_pattern
from strongroom.catalog.types import MAX_PATTERN_BYTES
from strongroom.errors import FormatError

CHARTER = sample.charter()
SCHEMA = rules.schema(CHARTER.holdings, CHARTER.purposes)
TOKENS = ["(", ")", "[", "]", "{", "}", '"', "//", "when", "if", "then", "else", "!", "-", "1", "&&", ".", ",", ";", "forbid", "permit", '@id("a")', "principal", "action", "resource", "context", "hour", "\\", "has", "like"]  # fmt: skip
HEAD = '@id("r") forbid (principal, action, resource) '


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "// nothing yet",
        CHARTER.rules,
        HEAD + 'when { principal in Role::"clerk" && context.fields.contains(Field::"born") };',
        HEAD + 'when { context has kind && context.kind == Kind::"phone" && context.weekday > 5 };',
        HEAD + 'unless { context.case like "2027/*" };',
        HEAD + 'when { principal == Reader::"0123456789abcdef0123456789abcdef" };',
    ],
)
def test_rules_that_hold(text: str) -> None:
    rules.check(text, SCHEMA)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("forbid", "not Cedar"),
        ('@id("r") permit (principal, action, resource);', "only forbid"),
        ("forbid (principal, action, resource);", "needs a name"),
        ('@id("Night Rule") forbid (principal, action, resource);', "needs a name"),
        (f"{HEAD};{HEAD};", "two rules are called r"),
        ('@id("r") forbid (principal == ?principal, action, resource);', "templates"),
        (HEAD + 'when { principal in Role::"clrk" };', "rule r: .*clrk"),
        (HEAD + 'when { context.fields.contains(Field::"bron") };', "rule r: .*bron"),
        (HEAD + 'when { context.purpose == "confirm-identity" };', "rule r: "),
        (HEAD + "when { context.hours > 3 };", "rule r: .*hours"),
        (HEAD + "when { resource.secret };", "rule r: "),
        (HEAD + f"when {{ {'(' * 5000}true{')' * 5000} }};", "nest at most 16"),
        (HEAD + f"when {{ {'[' * 5000}{']' * 5000} }};", "nest at most 16"),
        (HEAD + f"when {{ {'if true then ' * 1000}true{' else true' * 1000} }};", "over|at most"),
        ("// " + "x" * 20_000, "at most 16,384 bytes"),
    ],
)
def test_rules_that_are_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        rules.check(text, SCHEMA)


@given(
    st.lists(
        st.sampled_from(TOKENS),
        max_size=60,
    ).map(" ".join)
    | st.text(max_size=80)
)
def test_only_our_error_escapes(text: str) -> None:
    with suppress(FormatError):
        rules.check(text, SCHEMA)
        rules.check(HEAD + "when {" + text + "};", SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "[A-Z]{2}[0-9]{6,8}",
        "rec-[0-9]{1,5}-(?:org|dup-[0-9])",
        r"\d+\.\d+",
        "[]a]+",
        "[^]]b?",
        "路[0-9]+号",
        "(a|b)?c"[:5],
    ],
)
def test_patterns_that_hold(text: str) -> None:
    assert compile_pattern(text).pattern == text


@pytest.mark.parametrize(
    "text",
    [
        *[
            "(a+)+",
            "(a|a)*",
            "(?:a){2}",
            "(a)?",
            "(a)\\1",
            "(?=a)",
            "(?P<n>a)",
            "(?i)a",
            "a*b*c*d*",
            "^?a\\Z",
            "[",
            "(",
            "a{2,1}",
            "[a[b]",
            "[[",
            "[a--b]",
            "*",
            "a**",
            "\\A",
        ],
        *["\\", "a|" * 9, "a" * 201, "a{99999}", "a{1,99999999999}"],
    ],
)
def test_patterns_that_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        compile_pattern(text)


@given(st.text(alphabet="a[]()|*+?{}0,1\\^-:", max_size=24), st.sampled_from(["a", "0", "a0", "-"]))
def test_no_pattern_runs_away(text: str, unit: str) -> None:
    with suppress(FormatError):
        pattern = compile_pattern(text)
        start = time.perf_counter()
        pattern.fullmatch((unit * MAX_PATTERN_BYTES)[: MAX_PATTERN_BYTES - 1] + "!")
        assert time.perf_counter() - start < 5


def test_the_worst_patterns_stay_short() -> None:
    for text in (".*.*.*!!", "(?:a|a)" * 8 + ".*.*.*!!", "a?a?a?" + "a" * 190):
        start = time.perf_counter()
        assert not compile_pattern(text).fullmatch("a" * MAX_PATTERN_BYTES)
        assert time.perf_counter() - start < 5, re.escape(text)


def test_names_are_those_of_rules_and_not_of_comments() -> None:
    second = HEAD.replace('"r"', '"q"')
    assert rules.names(f'{HEAD};\n// @id("off") forbid (principal, action, resource);\n{second};') == ["q", "r"]
    assert rules.names("") == rules.names("// nothing yet") == []
