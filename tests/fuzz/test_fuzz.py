"""Every parser has a target, every seed and some hundred changes of it keep the rules, and a parser that breaks one is found.

Without atheris, and the same on every run; ``make fuzz`` searches on.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import CodeType, FrameType
from typing import Any

import pytest
from fuzz.known import KNOWN
from fuzz.mutate import CANARY
from fuzz.seeds import ROOT, kept
from fuzz.target import Broken, Target
from fuzz.targets import ALL
from hypothesis import settings

from fuzz import parsers, sweep
from strongroom.canonical import Codec
from strongroom.errors import FormatError

# Of each seed, where an input takes microseconds; a hundred times as many with HYPOTHESIS_PROFILE=deep.
LARGE = 64 * 1024
COUNT, LEAST = 3 * settings().max_examples, 60


def marked(names: list[str]) -> list[Any]:
    """With what is known to be broken expected to break: once it is mended, its row in ``fuzz/known.py`` has to go."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=KNOWN[name])) if name in KNOWN else name for name in names
    ]


def reached(target: Target) -> tuple[set[CodeType], set[int]]:
    """What runs when the seeds are read: code, and the codecs that parse."""
    codes, codecs, parse = set[CodeType](), set[int](), parsers.code_of(Codec.parse)

    def watch(frame: FrameType, event: str, arg: object) -> None:
        if event == "call":
            codes.add(frame.f_code)
            if frame.f_code is parse:
                codecs.add(id(frame.f_locals["self"]))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        sweep.replay(target)
    finally:
        sys.setprofile(before)
    return codes, codecs


@pytest.mark.parametrize("name", marked(list(ALL)))
def test_the_seeds_reach_their_parsers_and_keep_the_rules(name: str) -> None:
    target = ALL[name]
    assert sweep.replay(target).accepted, "a target none of whose seeds is good tests only refusals"
    codes, codecs = reached(target)
    for one in target.of:
        if isinstance(one, Codec):
            assert id(one) in codecs, f"{one} is not reached"
        else:
            assert parsers.code_of(one) in codes, f"{one} is not reached"


@pytest.mark.parametrize("name", [name for name in ALL if name not in KNOWN])
def test_changed_seeds_keep_the_rules(name: str) -> None:
    target = ALL[name]
    sweep.sweep(target, max(LEAST, int(COUNT * len(target.corpus()) * target.weight)))


@pytest.mark.parametrize("name", [name for name in ALL if name not in KNOWN])
def test_large_inputs_take_no_longer_than_they_must(name: str) -> None:
    assert sweep.swell(ALL[name], LARGE).inputs > 40


def test_every_codec_and_every_function_named_like_a_parser_has_a_target() -> None:
    of = [one for target in ALL.values() for one in target.of]
    codecs, functions = parsers.codecs(), parsers.functions()
    assert len(codecs) > 30
    assert len(functions) > 30
    known = {id(one) for one in of if isinstance(one, Codec)}
    assert [name for name, one in codecs.items() if id(one) not in known] == []
    codes = {parsers.code_of(one) for one in of if not isinstance(one, Codec)}
    missing = {name for name, code in functions.items() if code not in codes}
    assert sorted(missing - parsers.EXEMPT.keys()) == [], "give it a row in fuzz/targets, or say in EXEMPT why not"
    assert sorted(parsers.EXEMPT.keys() - missing) == [], "exempt, and there is no such parser, or it has a target"


def test_the_corpus_has_no_folder_without_a_target() -> None:
    folders = {path.name for path in (ROOT / "fuzz" / "corpus").iterdir()}
    assert folders <= ALL.keys() | {"intake"}
    assert KNOWN.keys() <= folders, "what is known to be broken is shown by an input"


class Small:
    """Parsers of ``a`` or ``b`` that each break one rule."""

    @staticmethod
    def good(data: bytes) -> str:
        if data not in (b"a", b"b"):
            raise FormatError("want a or b")
        return data.decode()

    @staticmethod
    def quoting(data: bytes) -> str:
        if data not in (b"a", b"b"):
            raise FormatError(f"want a or b, not {data.decode(errors='replace')}")
        return data.decode()

    @staticmethod
    def lenient(data: bytes) -> str:
        return Small.good(data.strip())

    @staticmethod
    def crashing(data: bytes) -> str:
        return {b"a": "a", b"b": "b"}[data]

    @staticmethod
    def slow(data: bytes) -> str:
        for at in range(len(data)):
            data[at:].count(b" ")
        return Small.good(data)


def target_of(read: Any, seeds: list[bytes] | None = None) -> Target:
    return Target("small", read, lambda: [b"a", b"b"] if seeds is None else seeds, (read,), write=str.encode)


def test_a_good_parser_holds() -> None:
    found = sweep.sweep(target_of(Small.good), 500)
    assert found.inputs == 500
    assert 0 < found.accepted < 500


@pytest.mark.parametrize(
    ("read", "raised"), [(Small.quoting, Broken), (Small.lenient, Broken), (Small.crashing, KeyError)]
)
def test_a_parser_that_breaks_a_rule_is_found(read: Any, raised: type[Exception]) -> None:
    with pytest.raises(raised) as caught:
        sweep.sweep(target_of(read), 500)
    assert caught.value.__notes__[0].startswith("small, input ")


def test_a_parser_that_takes_too_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.target.MOST_SECONDS", 0.1)
    sweep.swell(target_of(Small.good), LARGE)
    with pytest.raises(Broken, match=r"s for 65,5\d\d bytes"):
        sweep.swell(target_of(Small.slow), LARGE)


def test_a_target_without_seeds_fails() -> None:
    with pytest.raises(Broken, match="no seeds"):
        sweep.replay(target_of(Small.good, []))
    with pytest.raises(FileNotFoundError):
        kept("moved-away")


def test_quoting_is_told_by_words_that_are_not_ours() -> None:
    target = target_of(Small.good)
    target.tells_nothing("entry: Expected `int` - at `$.time`", b'{"time":"int"}')
    target.tells_nothing("line 12,345 has 65536 bytes", b"12345 65536")
    for text, data in (
        (f"not {CANARY}", CANARY.encode()),
        ("没有欧阳娜", "欧阳娜".encode()),
        ("is 990101199001011234", b"990101199001011234"),
    ):
        with pytest.raises(Broken, match="quotes"):
            target.tells_nothing(text, b"x " + data + b" y")


def fuzzed(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_runs_and_tells() -> None:
    said = fuzzed("--runs", "100", "seal.bod?", "ledger.checkpoint")
    assert "2 targets" in said
    assert "2 held, 0 broke" in said


def test_atheris_sees_what_the_parsers_do() -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: make fuzz does it, where it has a wheel")
    line = next(
        line for line in fuzzed("--runs", "300", "ledger.proof").splitlines() if line.startswith("ledger.proof")
    )
    assert "+0 edges" not in line
    assert "- edges" not in line
