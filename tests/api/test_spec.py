"""SPEC.md 10.1 and 10.2 and docs/api.md say what is served, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from strongroom.api import writes
from strongroom.api.problem import URN, Problem
from strongroom.service import bodies, idempotency
from strongroom.service.identity import caller
from strongroom.service.problems import CODES
from strongroom.service.routes import ROUTES

SPEC, DOCS = Path("SPEC.md").read_text(), Path("docs/api.md").read_text()


def section(number: str) -> str:
    found = re.search(rf"(?ms)^### {re.escape(number)} .*?(?=^##)", SPEC)
    assert found, number
    return found[0]


def test_every_route_is_there_and_no_other() -> None:
    text = section("10.1")
    said = set(re.findall(r"/v1/[a-z]+(?:/N)?", text))
    assert said == {route.path.replace("{entry}", "N") for route in ROUTES}
    assert set(re.findall(r"/v1/[a-z]+(?:/N)?", DOCS)) <= said


def test_every_code_is_there_under_its_status() -> None:
    rows = re.findall(r"(?m)^\| ([0-9, ]+) \| (.*) \|$", section("10.2"))
    said: dict[str, list[int]] = {}
    for statuses, text in rows:
        for code in re.findall(r"`([a-z-]+)`", text):
            said.setdefault(code, []).extend(int(one) for one in statuses.split(","))
    for code, known in CODES.items():
        # Of 403 only those that are none of 8.4 and 8.6 are named.
        assert known.status in said.get(code, [403]), code
    assert set(said) - set(CODES) == {"identity"}
    assert "identity" in caller.CODES


def test_figures_are_those_in_use() -> None:
    text = section("10.1")
    assert f"within {bodies.SECONDS:.0f} s" in text
    assert f"at most {bodies.MOST_BYTES >> 20} MiB" in text
    assert f"a line has at most {bodies.MOST_LINE >> 20} MiB" in text
    assert f"1 to {writes.MOST_RECORDS:,} objects" in text
    assert f"at most {writes.MOST_HANDLES:,} handles" in text
    assert f"for {idempotency.KEPT // 3600} h" in section("10.2")


def test_the_problem_on_the_page_is_one() -> None:
    (shown,) = re.findall(r'(?m)^\{"type".*\}$', DOCS)
    found = msgspec.json.decode(shown, type=Problem)
    assert (found.type, found.title, found.status) == (
        URN + found.code,
        CODES[found.code].title,
        CODES[found.code].status,
    )
    assert json.loads(msgspec.json.encode(found)) == json.loads(shown)


def test_every_ask_on_the_page_has_its_route() -> None:
    for path, action in re.findall(r"`(/v1/[a-z]+)`[^|]*\| `([a-z]+)`", DOCS):
        route = next(one for one in ROUTES if one.path == path)
        assert route.body is not None
        assert action in {"find", "disclose", "check", "intake", "correct", "erase", "export"}
