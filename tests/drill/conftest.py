"""One founded room for all drills of a run; each drill copies it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from strongroom.drill import guessing, vault_taken_over
from strongroom.drill.drills import DRILLS, perform
from strongroom.drill.report import Report
from strongroom.drill.stage import Theatre

Drill = Callable[[str], Report]


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    made = Theatre(tmp_path_factory.mktemp("theatre"))
    # Founded before any test has weakened anything.
    made.stage().close()
    return made


@pytest.fixture
def drill(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> Drill:
    """Run a drill by name. A weakened room needs no 100,000 guesses to fail: the true ones are the first."""
    monkeypatch.setattr(guessing, "GUESSES", 1000)
    monkeypatch.setattr(vault_taken_over, "HOURS", 8)
    return lambda name: perform(DRILLS[name], theatre, lambda text: None)


def failed(report: Report) -> set[str]:
    return {one.attack for one in report.failed}
