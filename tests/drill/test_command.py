"""``strongroom drill``: what it prints, and its exit code."""

from __future__ import annotations

import json

import pytest
from tests.drill.weak import keyholder

from strongroom.cli.main import main
from strongroom.drill import command
from strongroom.drill.drills import DRILLS, Drill
from strongroom.drill.report import Finding, Report
from strongroom.drill.stage import Theatre


@pytest.fixture(autouse=True)
def _one_theatre(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Theatre", lambda directory: theatre)


def test_lists_every_drill(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in DRILLS)


def test_a_passed_drill(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "no-receipt"]) == 0
    shown = capsys.readouterr().out
    assert "PASS" in shown
    assert "ask without signature, and 5 more" in shown
    assert "\x1b" not in shown


def test_a_failed_drill_ends_with_code_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    keyholder.unchecked("signature")(monkeypatch)
    assert main(["drill", "no-receipt"]) == 1
    shown = capsys.readouterr().out
    assert "FAIL: ask without signature" in shown
    assert "1 drill of 1 failed: no-receipt" in shown


def test_json_has_every_attack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "hidden-read", "no-receipt", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["drills"]] == ["no-receipt", "hidden-read"]
    assert all(one["passed"] and len(one["findings"]) > 10 for one in found["drills"])


def test_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "stolen-car"]) == 1
    assert "there is no drill stolen-car; there are: stolen-disk" in capsys.readouterr().err


def test_what_takes_minutes_is_run_where_it_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = list[str]()

    def performed(drill: Drill, *_: object) -> Report:
        run.append(drill.name)
        return Report(drill.name, "", [Finding("one", 1, "nothing", "nothing", passed=True)])

    monkeypatch.setattr(command, "perform", performed)
    long = [drill.name for drill in DRILLS.values() if drill.long]
    assert long
    for arguments, names in (([], DRILLS.keys() - long), (["--all"], DRILLS.keys()), (long, set(long))):
        run.clear()
        assert main(["drill", *arguments]) == 0
        assert set(run) == names
    capsys.readouterr()


def test_alike_is_put_together_and_failures_never() -> None:
    good = [Finding(f"attack {n}", 1, "refused: used", "nothing", passed=True) for n in range(3)]
    bad = [Finding(f"bad {n}", 1, "refused: used", "nothing", passed=False) for n in range(2)]
    shown = command.grouped([*good, *bad])
    assert [one.attack for one in shown] == ["attack 0, and 2 more", "bad 0", "bad 1"]
    assert [one.tried for one in shown] == [3, 1, 1]
