"""One founded room for all drills of a run; each drill copies it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from strongroom.cli import examples
from strongroom.drill import checks_attacked, guessing, no_receipt, receipts_attacked, vault_taken_over
from strongroom.drill.drills import DRILLS, perform
from strongroom.drill.report import Report
from strongroom.drill.stage import Theatre
from strongroom.drill.year import city
from strongroom.drill.year import drill as year

LIES = receipts_attacked.LIES
example = examples.charter
Drill = Callable[..., Report]


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    made = Theatre(tmp_path_factory.mktemp("theatre"))
    # Founded before any test has weakened anything.
    made.stage().close()
    return made


def quick_city(name: str) -> bytes:
    """The city of the examples, where what takes months takes days."""
    text = re.sub(r"(?m)^    rotation: .*\n", "", example(name).decode())
    for long, short in (("90d", "5d"), ("14d", "4d")):
        text = re.sub(rf"(?m)^    retention: {long}", f"    retention: {short}", text)
    return re.sub(r"(?m)^(    retention: .*)$", r"\1\n    rotation: 2d", text).encode()


@pytest.fixture
def drill(theatre: Theatre, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Drill:
    """Run a drill by name. A weakened room needs no 100,000 guesses to fail: the true ones are the first. ``attacks``: of a
    drill that is a table, only the rows that begin so."""
    monkeypatch.setattr(guessing, "GUESSES", 1000)
    monkeypatch.setattr(vault_taken_over, "HOURS", 8)
    monkeypatch.setattr(year, "DAYS", 12)
    monkeypatch.setattr(year, "COPY_EVERY", 4)
    if "year" in request.node.name:
        monkeypatch.setattr(examples, "charter", quick_city)
        theatre.copy_of("city", city.found, lambda text: None)

    def run(name: str, attacks: tuple[str, ...] = ("",)) -> Report:
        for table, rows in (("ROWS", checks_attacked.ROWS), ("LATE", checks_attacked.LATE)):
            monkeypatch.setattr(no_receipt, table, tuple(row for row in rows if row.attack.startswith(attacks)))
        lies = tuple(lie for lie in LIES if lie[0].startswith(attacks))
        monkeypatch.setattr(receipts_attacked, "LIES", lies)
        return perform(DRILLS[name], theatre, lambda text: None)

    return run


def failed(report: Report) -> set[str]:
    return {one.attack for one in report.failed}
