"""The report over the command line: each command in it runs, and shows as many entries as the report counts."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from tests.cli.conftest import residents
from tests.cli.session import Session

CONFIRM = ("--as", "ana", "--purpose", "confirm", "--case", "C-7", "--reason", "confirming an application")


def test_every_command_of_a_report_verifies_its_line(full: Session) -> None:
    assert full.run("find", *CONFIRM, "--by", "resident-id", stdin=f"{residents()[0]['id-number']}\n").code == 0
    assert full.run("find", *CONFIRM, "--by", "phone", stdin=f"{residents()[1]['phone']}\n").code == 0
    assert full.run("ledger", "publish").code == 0
    ran = full.run("report", "--since", "2020-01-01")
    assert ran.code == 0, ran.err
    commands = [line for line in ran.out.splitlines() if line.startswith("strongroom ")]
    assert len(commands) >= 3
    counted = re.findall(
        r"^\| \S+ \| \S+ \| \S+ \| (\w+) \| ([\d,]+) \| [\d,]+ \| \d+ to \d+ \|$", ran.out, re.MULTILINE
    )
    assert counted
    shown = []
    for command in commands:
        argv = ["public" if word == "PUBLIC" else word for word in shlex.split(command)[1:]]
        argv = [str(full.room / "public" / "vkeys") if word == "FILE" else word for word in argv]
        found = full.run(*argv, "--json")
        assert found.code == 0, (command, found.err)
        if "--type" in argv and "--purpose" in argv:
            shown.append((argv[argv.index("--type") + 1], str(json.loads(found.out)["matching"])))
    assert shown == [(kind, entries.replace(",", "")) for kind, entries in counted]
    assert ("find", "2") in shown


def test_html_is_written_where_the_name_says_so(full: Session, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert full.run("ledger", "publish").code == 0
    assert full.run("report", "--year", "2026", "--out", str(out)).code == 0
    assert out.read_text().startswith("<!doctype html>")


def test_a_period_without_a_charter_and_one_that_ends_first(full: Session) -> None:
    assert full.run("ledger", "publish").code == 0
    assert "no charter" in full.run("report", "--year", "1999").err
    assert "before it begins" in full.run("report", "--since", "2026-02-01", "--until", "2026-01-01").err
    assert full.run("report", "--year", "2026", "--since", "2026-01-01").code == 2
    assert "not a day" in full.run("report", "--since", "yesterday").err
