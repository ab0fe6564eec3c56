"""``import --op``: a change feed, as its user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import residents
from tests.cli.session import Ran, Session

from strongroom.synth.people import people

ASK = ("--as", "rui", "--purpose", "announce", "--case", "R-1", "--reason", "following the register of the county")
FEED = ("--upsert", "id-number", "--op", "change")


def changes(*rows: dict[str, str]) -> str:
    Path("feed.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return "feed.jsonl"


def take(session: Session, *more: str) -> Ran:
    return session.run("import", "feed.jsonl", "--holding", "residents", *more, *ASK)


def found(session: Session, number: str) -> int:
    asked = ("find", "--as", "ana", "--purpose", "confirm", "--by", "resident-id", "--case", "R-2", "--json")
    ran = session.run(*asked, "--reason", "a letter came back unopened", stdin=number + "\n")
    return len(json.loads(ran.out)["handles"])


def test_what_a_feed_says_is_so_and_what_it_says_is_gone_is_gone(full: Session) -> None:
    moved, gone = residents()[:2]
    new, nobody = ({**residents()[2], "id-number": one["id-number"]} for one in people(2, 77))
    changes(
        {"change": "update", **moved, "name": "欧阳娜"},
        {"change": "delete", "id-number": gone["id-number"]},
        {"change": "DELETE", "id-number": nobody["id-number"]},
        {"change": "moved", **residents()[3]},
        {"change": "insert", **new},
    )
    checked = full.run("import", "feed.jsonl", *FEED, "--dry-run", "--holding", "residents")
    assert "4 changes would be taken into residents" in checked.out
    ran = take(full, *FEED, "--erase-purpose", "forget")
    assert ran.code == 0, ran.err
    assert "✓ 4 changes taken into residents" in ran.out
    assert "bad     1 row left out: feed.jsonl.bad.csv" in ran.out
    assert '4,,"has no operation that is known' in Path("feed.jsonl.bad.csv").read_text().splitlines()[1]
    told = [found(full, one["id-number"]) for one in (moved, gone, nobody, new)]
    assert told == [1, 0, 0, 1]


def test_somebody_else_may_erase(full: Session) -> None:
    gone = residents()[1]["id-number"]
    changes({"change": "delete", "id-number": gone})
    ran = take(full, *FEED, "--erase-purpose", "forget", "--erase-as", "ana")
    assert (ran.code, ran.out) == (3, "")
    assert found(full, gone) == 1
    assert take(full, *FEED, "--erase-purpose", "forget", "--erase-as", "rui").code == 0
    assert found(full, gone) == 0


def test_a_feed_that_was_followed_whole_may_go(full: Session) -> None:
    changes({"change": "update", **residents()[0], "name": "欧阳娜"})
    ran = take(full, *FEED, "--erase-purpose", "forget", "--destroy-source")
    assert ran.code == 0, ran.err
    assert not Path("feed.jsonl").exists()
    changes(
        {"change": "delete", "id-number": residents()[1]["id-number"]},
        {"change": "update", **residents()[2], "name": "欧阳娜"},
    )
    ran = take(full, *FEED, "--erase-purpose", "forget", "--destroy-source")
    assert ran.code == 0, ran.err
    assert not Path("feed.jsonl").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--op", "change", "--erase-purpose", "forget"), "name it with --upsert"),
        (FEED, "--erase-purpose names the purpose"),
        (("--upsert", "id-number", "--erase-purpose", "forget"), "name its column with --op"),
        (("--upsert", "id-number", "--erase-as", "rui"), "name its column with --op"),
    ],
)
def test_half_a_feed_is_a_usage_error(alone: Session, given: tuple[str, ...], said: str) -> None:
    changes({"change": "delete", "id-number": residents()[1]["id-number"]})
    ran = take(alone, *given)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
