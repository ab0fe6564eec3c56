"""The charters that come along with Strongroom."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import strongroom
from strongroom.errors import InputError

NAMES = ("city", "febrl")


def charter(name: str) -> bytes:
    """The YAML of an example. Raises ``InputError`` when this installation came without it."""
    # In a wheel they lie inside the package; in a checkout at its root, where people read and copy them.
    packaged = resources.files(strongroom) / "examples" / name / "charter.yaml"
    checkout = Path(strongroom.__file__).parents[2] / "examples" / name / "charter.yaml"
    for place in (packaged, checkout):
        if place.is_file():
            return place.read_bytes()
    raise InputError(f"the example {name} did not come with this installation. Give a charter with --charter FILE")
