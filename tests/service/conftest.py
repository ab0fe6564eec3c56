from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.houses import peopled as peopled  # noqa: PLC0414 - a fixture
from tests.service.town import Town
from tests.serving.said import calm
from tests.world import Person


@pytest.fixture(scope="module")
def town(peopled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A room that runs, for one file of tests."""
    root = tmp_path_factory.mktemp("served") / "room"
    shutil.copytree(peopled, root)
    made = Town(root)
    yield made
    made.close()
    for house in (made.vault, made.keyholder):
        calm(house.said())
        assert "a defect" not in house.said(), house.said()


@pytest.fixture(scope="module")
def people(peopled: Path) -> list[Person]:
    """Who is in it, by handle."""
    found: list[Person] = pickle.loads((peopled / "people.pickle").read_bytes())  # noqa: S301
    return sorted(found, key=lambda person: person.handle)
