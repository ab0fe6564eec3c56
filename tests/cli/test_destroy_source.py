"""``import --destroy-source``: what goes and what stays, as its user sees it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NoReturn

import pytest
from tests.cli.conftest import residents
from tests.cli.session import Ran, Session

from strongroom.custody.intake import disposal

ASK = ("--as", "rui", "--purpose", "register", "--case", "R-1", "--reason", "taking in the register of residents")


def take(session: Session, *more: str) -> Ran:
    ask = [("announce" if "--upsert" in more else one) if one == "register" else one for one in ASK]
    return session.run("import", "--holding", "residents", *more, *ask, "--destroy-source")


@pytest.mark.parametrize("name", ["people.csv", "people.parquet", "people.jsonl"])
def test_all_of_it_is_sealed_and_the_file_goes(session: Session, name: str) -> None:
    if name == "people.jsonl":
        Path(name).write_text("".join(json.dumps({**one, "tags": 1}, ensure_ascii=False) + "\n" for one in residents()))
    lose = [] if name == "people.csv" else ["--lose", "tags"]
    ran = take(session, name, *lose)
    assert ran.code == 0, ran.err
    assert "✓ 30 records taken into residents" in ran.out
    assert f"every record was read back and opened; {name} is overwritten and removed" in ran.out
    assert "Copies elsewhere stay" in ran.err
    assert not Path(name).exists()
    one = residents()[7]
    ask = (
        "--as",
        "ana",
        "--purpose",
        "confirm",
        "--case",
        "R-1",
        "--reason",
        "confirming an application for a passport",
    )
    ran = session.run("find", "--by", "resident-id", "--value", one["id-number"], *ask)
    assert ran.err.endswith("1 record. Entry 7 of the ledger; whoever has that identifier will see the question.\n")


def test_as_json(session: Session) -> None:
    ran = take(session, "people.csv", "--json")
    told = json.loads(ran.out)
    assert (told["stored"], told["destroyed"]["file"]) == (30, "people.csv")
    assert told["destroyed"]["left"]


def test_what_was_taken_before_without_being_read_back_stays(session: Session) -> None:
    assert session.run("import", "people.csv", *ASK).code == 0
    ran = take(session, "people.csv")
    assert ran.code == 1
    assert "people.csv is left as it is: some of it was taken in without being read back" in ran.err
    assert Path("people.csv").exists()
    # Each record becomes one more version, which is read back.
    assert take(session, "people.csv", "--upsert", "id-number").code == 0
    assert not Path("people.csv").exists()


def test_killed_before_its_end_it_ends_the_next_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(disposal, "after", killed)
        assert take(session, "people.csv").code == 130
    assert Path("people.csv").exists()
    ran = take(session, "people.csv")
    assert ran.code == 0
    assert "this file is in residents already, whole" in ran.out
    assert not Path("people.csv").exists()


def test_columns_that_no_field_takes_are_not_lost_without_a_word(session: Session) -> None:
    with Path("more.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*residents()[0], "note", "Ünits"])
        writer.writeheader()
        writer.writerows({**one, "note": "x", "Ünits": "y"} for one in residents())
    ran = take(session, "more.csv")
    assert ran.code == 1
    assert (
        "no field takes column 7, column 8, which would be lost with the file. Map it, or name it with --lose"
        in ran.err
    )
    assert "no field takes column 8, which" in take(session, "more.csv", "--lose", "note").err
    assert "a field takes name, or it is not there" in take(session, "more.csv", "--lose", "name").err
    lines = [json.dumps(one, ensure_ascii=False) for one in residents()]
    lines[20] = lines[20].replace("}", ', "secret": "x"}')
    Path("more.jsonl").write_text("\n".join(lines))
    ran = take(session, "more.jsonl")
    assert "no field takes a member of line 21, which would be lost" in ran.err
    assert "secret" not in ran.err
    assert Path("more.csv").exists()
    assert take(session, "more.csv", "--lose", "note", "--lose", "Ünits").code == 0
    assert not Path("more.csv").exists()


def test_a_second_name_is_said_before_anything_is_taken(session: Session) -> None:
    Path("other.csv").hardlink_to("people.csv")
    ran = take(session, "people.csv")
    assert ran.code == 1
    assert "it has 2 names" in ran.err
    assert not ran.out
    assert session.run("import", "people.csv", *ASK, "--lose", "x").code == 2
