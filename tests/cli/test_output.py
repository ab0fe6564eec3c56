"""JSON where it is asked for, colour where somebody sees it, and personal values nowhere but in an answer."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import residents
from tests.cli.session import Session

from strongroom.cli import development, reference
from strongroom.cli.main import build
from strongroom.cli.output import Output, printable

CONFIRM = ("--as", "ana", "--purpose", "confirm", "--case", "C-7", "--reason", "confirming an application")
REGISTER = ("--as", "rui", "--purpose", "register", "--case", "R-1", "--reason", "taking in the register")
VERIFY = ("--as", "ana", "--purpose", "verify", "--case", "V-1", "--reason", "telling whether they are an adult")
CHARTER = str(Path(__file__).parents[2] / "examples" / "city" / "charter.yaml")


def test_every_command_speaks_json(full: Session) -> None:
    """One document on stdout, whole, for each."""
    person, phone = full.words["id"] + "\n", full.words["phone"] + "\n"
    handle = json.loads(full.run("find", *CONFIRM, "--by", "phone", "--json", stdin=phone).out)["handles"][0]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    commands: list[tuple[tuple[str, ...], str]] = [
        (("status",), ""),
        (("catalog", "check", CHARTER), ""),
        (("charter", "show"), ""),
        (("reader", "add", "bo", "--role", "clerk", "--unit", "registry"), ""),
        (("reader", "list"), ""),
        (("import", "people.csv", "--dry-run", "--holding", "residents"), ""),
        (("import", "people.csv", *REGISTER), ""),
        (("disclose", *CONFIRM, "--fields", "name", handle), ""),
        (("disclose", *CONFIRM, "--fields", "name,born", "--by", "resident-id"), person),
        (("subject", "admit", "--holding", "residents", "--by", "resident-id"), person),
        (("ledger", "show"), ""),
        (("ledger", "show", "0"), ""),
        (("ledger", "prove", "3"), ""),
        (
            (
                "ledger",
                "publish",
            ),
            "",
        ),
        (("ledger", "verify"), ""),
        (("ledger", "watch"), ""),
        (("audit", "7"), ""),
        (("keyholder", "freeze", "room"), ""),
        (("keyholder", "thaw", "room"), ""),
        (("keyholder", "hold", "residents", "--authority", "the court of Riverton", "--until", tomorrow), ""),
        (("ledger", "entries", "--type", "disclosure"), ""),
        (("report", "--out", "report.html"), ""),
        (("synth", "--holding", "residents", "--out", "synthetic.csv"), ""),
        (("check", *VERIFY, "--field", "born", "--test", "adult", handle), ""),
        (("upkeep",), ""),
        (("fsck",), ""),
    ]
    for argv, stdin in commands:
        ran = full.run(*argv, "--json", stdin=stdin)
        assert ran.code == 0, (argv, ran.err)
        assert isinstance(json.loads(ran.out), dict), argv
    code = full.run("subject", "admit", "--by", "resident-id", "--holding", "residents", "--json", stdin=person)
    enrol = full.run("subject", "enrol", "--device", "me.device", "--json", stdin=json.loads(code.out)["code"] + "\n")
    assert json.loads(enrol.out)["enrolled"] is True
    reads = json.loads(full.run("subject", "reads", "--device", "me.device", "--json").out)
    assert reads["complete"] is True
    numbers = [read["number"] for read in reads["chains"][0]["reads"]]
    assert numbers == list(range(1, reads["chains"][0]["count"] + 1))
    assert len(numbers) == 4


def test_an_error_is_a_document_too(alone: Session) -> None:
    ran = alone.run("ledger", "show", "99", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["error"]["code"] == "input"
    assert ran.err.startswith("strongroom: no entry 99")


def test_json_may_stand_before_the_command(alone: Session) -> None:
    assert json.loads(alone.run("--json", "ledger", "show").out)["size"] == 4


def test_nothing_personal_beside_the_answer(alone: Session) -> None:
    """Not on stderr, not in the side file of bad rows, not in what the keyholder logs."""
    bad = {**residents()[0], "id-number": "11010119900307447Z", "email": "bad mail of Zhang San"}
    with Path("people.csv").open("a", encoding="utf-8") as file:
        file.write(",".join(bad.values()) + "\n")
    child = development.start(alone.room)
    try:
        development.wait(alone.room / "keyholder", child)
        alone.run("import", "people.csv", *REGISTER, "--errors", "bad.csv")
        for one in residents()[:5]:
            alone.run("find", *CONFIRM, "--by", "resident-id", stdin=one["id-number"] + "\n")
            alone.run("disclose", *CONFIRM, "--fields", "name", "--by", "phone", stdin=one["phone"] + "\n")
        alone.run("find", *CONFIRM, "--by", "resident-id", stdin=bad["id-number"] + "\n")
        alone.run("find", *CONFIRM, "--by", "email", stdin=bad["email"] + "\n")
        alone.run("subject", "admit", "--by", "resident-id", stdin=bad["id-number"] + "\n")
        alone.run("disclose", *CONFIRM, "--fields", bad["id-number"], "00" * 16)
        child.said.seek(0)
        said = child.said.read().decode() + "".join(ran.err for ran in alone.ran) + Path("bad.csv").read_text()
    finally:
        child.stop()
    assert any(ran.code for ran in alone.ran)
    assert "ready on http://127.0.0.1" in said
    values = {
        value for one in [*residents(), bad] for name, value in one.items() if name not in ("sex", "born") and value
    }
    assert not [value for value in values if value in said]


def test_a_value_on_the_command_line_is_warned_about(full: Session) -> None:
    ran = full.run("find", *CONFIRM, "--by", "phone", "--value", full.words["phone"])
    assert ran.code == 0
    assert "leave it out" in ran.err
    assert full.words["phone"] not in ran.err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colour(terminal: bool, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("FORCE_COLOR", "1")
    if coloured:
        monkeypatch.delenv("NO_COLOR")
    shown = _Terminal() if terminal else io.StringIO()
    out = Output(stdout=shown)
    out.good("whole")
    out.bad("a gap")
    out.table(["A"], [[("b", "dim")]])
    assert ("\x1b[" in shown.getvalue()) == coloured
    assert "whole" in shown.getvalue()


def test_nothing_steers_the_terminal() -> None:
    shown = io.StringIO()
    out = Output(stdout=shown)
    out.table(
        ["\x1b[2Jname"],
        [
            [
                "\x1b]0;owned\x07",
            ]
        ],
    )
    out.line("a\u202eb", ("\x9b31m", "red"))
    assert not {one for one in shown.getvalue() if not one.isprintable() and one != "\n"}
    assert printable("名 \u3000字\tx") == "名  字 x"


def test_the_reference_is_current() -> None:
    kept = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    assert reference.markdown(build()) == kept, "run: strongroom --help-all > docs/commands.md"


def test_every_command_has_help_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build().parse_args(["ledger", "verify", "--help"])
    shown = capsys.readouterr().out
    assert "examples:" in shown
    assert "exit codes:" in shown
    assert shown.index("--vkeys") < shown.index("every command")
