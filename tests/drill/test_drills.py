"""Each drill passes on the honest room and fails on one weakened in just one point.

``tables/`` names for each drill weakenings, and the attacks that must then fail. The last test holds that every attack of
every drill stands in it: an attack that nothing can make fail is a defect of the drill.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from tests.drill.conftest import Drill, failed
from tests.drill.weak.base import Row, Weaken

from strongroom.drill import guessing, vault_taken_over
from strongroom.drill.drills import DRILLS, chosen
from strongroom.drill.report import Report
from strongroom.errors import InputError

pytestmark = pytest.mark.timeout(600)
"""The first of them founds two rooms, and days of the year are many commits."""

TABLES = Path(__file__).parent / "tables"


def table(drill: str) -> list[Row]:
    """Empty where there is none: that is a failure of its own."""
    name = drill.replace("-", "_")
    if not (TABLES / f"{name}.py").exists():
        return []
    found: list[Row] = import_module(f"tests.drill.tables.{name}").WEAK
    return found


WEAK = [(drill, *row) for drill in DRILLS for row in table(drill)]


@pytest.mark.parametrize("name", DRILLS)
def test_passes_on_the_honest_room(drill: Drill, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "GUESSES", 100_000)
    monkeypatch.setattr(vault_taken_over, "HOURS", 30)
    report = drill(name)
    assert report.passed, report.verdict
    assert report.tried >= len(report.findings)


@pytest.mark.parametrize(
    ("name", "weakening", "attacks"), [(d, w, a) for d, _, w, a in WEAK], ids=[f"{d}: {n}" for d, n, _, _ in WEAK]
)
def test_fails_on_a_weakened_room(
    drill: Drill, monkeypatch: pytest.MonkeyPatch, name: str, weakening: Weaken, attacks: tuple[str, ...]
) -> None:
    with monkeypatch.context() as patch:
        weakening(patch)
        report = drill(name, attacks)
    assert not report.passed
    for attack in attacks:
        assert any(one.startswith(attack) for one in failed(report)), f"{attack} ... passed; failed: {failed(report)}"


@pytest.mark.parametrize("name", DRILLS)
def test_every_attack_can_fail(drill: Drill, name: str) -> None:
    known = [attack for _, _, attacks in table(name) for attack in attacks]
    missing = [
        one.attack
        for one in drill(name).findings
        if not one.attack.endswith("(the control)") and not any(one.attack.startswith(attack) for attack in known)
    ]
    assert not missing


def test_every_drill_has_a_table() -> None:
    assert {path.stem.replace("_", "-") for path in TABLES.glob("*.py")} == DRILLS.keys()


def test_a_drill_that_breaks_off_has_failed(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(guessing, "run", broken)
    report = drill("stolen-disk")
    assert not report.passed
    assert failed(report) == {"the drill to its end"}


def test_a_drill_that_tried_nothing_fails() -> None:
    assert not Report("none", "").passed
    report = Report("none", "")
    report.add("an attack that was never made", 0, "nothing", "nothing", passed=True)
    assert not report.passed


def test_unknown_drill() -> None:
    with pytest.raises(InputError, match="stolen-disk"):
        chosen(["stolen-car"])
