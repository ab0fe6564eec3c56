"""What every test gets: how hard hypothesis tries, and a founded room."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests import world
from tests.world import World

# A shared two-core machine stalls now and then; a deadline would report that as a failure.
_slow = [HealthCheck.too_slow]
settings.register_profile("dev", deadline=None, suppress_health_check=_slow)
# The same examples on every run, so that a failure is the change's and not the day's.
settings.register_profile(
    "ci", deadline=None, suppress_health_check=_slow, max_examples=100, derandomize=True, database=None, print_blob=True
)
settings.register_profile("deep", deadline=None, suppress_health_check=_slow, max_examples=10_000)
# A shell that starts us in the background has us ignore an interrupt, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded room, never opened by a test: copies are."""
    root = tmp_path_factory.mktemp("founded") / "room"
    world.found(root)
    return root


@pytest.fixture
def town(founded: Path, tmp_path: Path) -> Iterator[World]:
    """A room of one's own, with its keyholder in this process."""
    made = world.copy(founded, tmp_path / "room")
    yield made
    made.close()
