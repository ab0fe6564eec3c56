"""Checks, corrections, erasures and exports from the command line: images, several records, prompts, JSON."""

from __future__ import annotations

import base64
import io
import json
import stat
from pathlib import Path

import pytest
from tests.catalog import pictures
from tests.cli.session import Session
from tests.world import CHARTER

PICTURES = CHARTER.replace(
    "      born: {type: date, compartment: identity}",
    "      born: {type: date, compartment: identity}\n      photo: {type: image, compartment: identity}",
).replace("reads: {residents: {name: clear,", "reads: {residents: {photo: clear, name: clear,")

ANA = ("--as", "ana", "--case", "C-7", "--reason", "confirming an application")
RUI = ("--as", "rui", "--case", "R-7", "--reason", "putting the register right")


def handles(session: Session, count: int) -> list[str]:
    """Of some records of the register."""
    text = session.run("export", *ANA, "--purpose", "extract", "--fields", "name", "--to", "some.jsonl")
    assert text.code == 0, text.err
    return [json.loads(line)["handle"] for line in Path("some.jsonl").read_text().splitlines()][:count]


def test_an_image_in_and_out(full: Session, tmp_path: Path) -> None:
    Path("charter.yaml").write_text(PICTURES)
    ran = full.run("charter", "apply", "charter.yaml")
    assert ran.code == 0, ran.err
    (one,) = handles(full, 1)
    Path("new.png").write_bytes(pictures.png())
    amend = ("correct", *RUI, "--purpose", "amend", "--intake-purpose", "register")
    ran = full.run(*amend, "--set-from", "photo=new.png", one)
    assert ran.code == 0, ran.err
    disclose = ("disclose", *ANA, "--purpose", "confirm", "--fields", "name,photo", one)
    ran = full.run(*disclose)
    assert f"png, {len(pictures.png())} bytes; --images writes it" in ran.out
    value = json.loads(full.run(*disclose, "--json").out)["records"][0]["fields"]["photo"]
    assert base64.b64decode(value) == pictures.png()
    ran = full.run(*disclose, "--images", "shown", "--json")
    path = Path(json.loads(ran.out)["records"][0]["fields"]["photo"])
    assert path == Path("shown") / f"{one}-photo.png"
    assert path.read_bytes() == pictures.png()
    assert [stat.S_IMODE(where.stat().st_mode) for where in (path, path.parent)] == [0o600, 0o700]
    before = full.run("ledger", "show", "--json").out
    ran = full.run(*disclose, "--images", "shown")
    assert (ran.code, ran.err) == (1, "strongroom: shown: has files in it. Name a new or an empty directory\n")
    assert full.run("ledger", "show", "--json").out == before
    Path("note.png").write_bytes(b"\xff\xfe\xff")
    for given, said in (("photo=note.png", "photo: "), ("name=note.png", "not text, and name is no image")):
        ran = full.run(*amend, "--set-from", given, one)
        assert ran.code == 1
        assert said in ran.err


def test_documents(full: Session) -> None:
    one, other = handles(full, 2)
    verify = ("check", *ANA, "--purpose", "verify", "--json")
    found = json.loads(full.run(*verify, "--field", "born", "--test", "adult", one, other).out)
    assert [sorted(each) for each in found["records"]] == [["answer", "entry", "handle"]] * 2
    assert {each["answer"] for each in found["records"]} <= {True, False}
    assert (found["field"], found["test"], found["holding"]) == ("born", "adult", "residents")
    amend = ("correct", *RUI, "--purpose", "amend", "--intake-purpose", "register", "--json")
    found = json.loads(full.run(*amend, "--set", "name", one, stdin="欧阳娜\n").out)
    assert (found["version"], found["settled"], found["handle"]) == (2, True, one)
    assert found["receipt"].startswith("c2sp.org/tlog-proof@v1\n")
    forget = ("erase", *RUI, "--purpose", "forget", "--holding", "residents", "--json")
    found = json.loads(full.run(*forget, one, other).out)
    assert [each["handle"] for each in found["records"]] == sorted([one, other])
    assert found["final"] > "2026"
    assert json.loads(full.run(*forget, one).out)["error"]["code"] == "input"


def test_nobody_has_that_identifier(full: Session) -> None:
    nobody = "13912345678\n"
    forget = ("erase", *RUI, "--purpose", "forget", "--holding", "calls", "--by", "phone")
    ran = full.run(*forget, stdin=nobody)
    assert (ran.code, ran.out) == (0, "nobody here has that identifier\n")
    assert json.loads(full.run(*forget, "--json", stdin=nobody).out)["records"] == []


def test_one_at_a_time(full: Session) -> None:
    ran = full.run("correct", *RUI, "--purpose", "amend", "--set", "name", *handles(full, 2), stdin="x\n")
    assert (ran.code, ran.err) == (1, "strongroom: 2 records are meant; correct one at a time, by its handle\n")
    for wrong in (["--set-from", "photo"], ["--version", "0"], []):
        command = "disclose" if "--version" in wrong else "correct"
        assert full.run(command, *RUI, "--purpose", "amend", *wrong, "00" * 16).code == 2


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("said", "left"), [("n\n", 30), ("\n", 30), ("y\n", 29), ("YES\n", 29)])
def test_erasing_is_asked_about_on_a_terminal(
    full: Session, monkeypatch: pytest.MonkeyPatch, said: str, left: int
) -> None:
    (one,) = handles(full, 1)
    erase = ("erase", *RUI, "--purpose", "forget", "--holding", "residents", one)
    with monkeypatch.context() as patch:
        patch.setattr("tests.cli.session.io.StringIO", _Terminal)
        # Nothing but a prompt may tell a terminal from a pipe here.
        patch.setenv("TERM", "dumb")
        ran = full.run(*erase, stdin=said)
    assert "Erase 1 record of residents, for good? [y/N] " in ran.err
    assert (ran.code == 0) == (left == 29)
    Path("all.jsonl").unlink(missing_ok=True)
    ran = full.run("export", *ANA, "--purpose", "extract", "--fields", "name", "--to", "all.jsonl")
    assert len(Path("all.jsonl").read_text().splitlines()) == left


def test_a_copy_for_the_person_concerned(full: Session) -> None:
    copy = CHARTER.replace(
        "    actions: [export]", "    actions: [find, export]\n    find-by: {residents: [resident-id]}"
    )
    Path("charter.yaml").write_text(copy)
    assert full.run("charter", "apply", "charter.yaml").code == 0
    mine = ("export", *ANA, "--purpose", "extract", "--fields", "name,phone", "--by", "resident-id", "--json", "--to")
    found = json.loads(full.run(*mine, "mine.csv", stdin=full.words["id"] + "\n").out)
    assert (found["records"], found["find"] + 1, found["format"]) == (1, found["entries"][0], "csv")
    assert len(Path("mine.csv").read_text().splitlines()) == 2
    found = json.loads(full.run(*mine, "other.csv", stdin="110101199003074514\n").out)
    assert (found["records"], found["file"]) == (0, None)
    assert not Path("other.csv").exists()


def test_a_count_that_is_none(full: Session) -> None:
    for wrong in ("0", "+3", "x", "1_0"):
        ran = full.run("export", *ANA, "--purpose", "extract", "--fields", "name", "--to", "f", "--count", wrong)
        assert ran.code == 2
    assert not Path("f").exists()
