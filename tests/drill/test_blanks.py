"""The drill's reasons and cases that say nothing are all those that the vectors refuse, and more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from strongroom.drill.blanks import CASES, REASONS

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(Path("vectors/reason.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "tried"), [("reasons", {text for texts in REASONS.values() for text in texts}), ("cases", set(CASES))]
)
def test_every_vector_is_tried(name: str, tried: set[str]) -> None:
    assert {one["text"] for one in VECTORS[name] if not one["accepted"]} <= tried
    assert not {one["text"] for one in VECTORS[name] if one["accepted"]} & tried
