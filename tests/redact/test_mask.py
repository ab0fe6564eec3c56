"""What a mask shows, and that it never shows more (SPEC.md 6.6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.catalog.model import Mask
from strongroom.catalog.types import TYPES
from strongroom.errors import ValueRejected
from strongroom.redact.mask import HIDDEN, apply

VECTORS: list[dict[str, Any]] = json.loads(Path("vectors/mask.json").read_text("utf-8"))["masks"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['type']}-{vector['mask']}-{vector['value']}")
def test_mask(vector: dict[str, Any]) -> None:
    assert apply(vector["mask"], sample.field(vector["type"]), vector["value"]) == vector["shown"]


def test_vectors_show_every_mask_of_every_type() -> None:
    wanted = {(name, mask) for name, found in TYPES.items() for mask in found.masks}
    assert wanted == {(vector["type"], vector["mask"]) for vector in VECTORS}


@pytest.mark.parametrize("name", sorted(TYPES))
def test_mask_that_does_not_fit_is_refused(name: str) -> None:
    for mask in set(get_args(Mask)) - TYPES[name].masks:
        with pytest.raises(ValueRejected, match="does not fit"):
            apply(mask, sample.field(name), "12345678")


@given(st.sampled_from(sorted(TYPES)), st.text(min_size=1, max_size=80))
def test_a_mask_shows_no_more_than_it_says(name: str, value: str) -> None:
    for mask in TYPES[name].masks:
        shown = apply(mask, sample.field(name), value)
        assert shown is not None
        assert apply(mask, sample.field(name), None) is None
        if mask == "last-four":
            assert shown in (HIDDEN, HIDDEN + value[-4:])
            assert shown == HIDDEN or len(value) >= 8
        if mask == "year":
            assert len(shown) <= 4
        if mask == "initial":
            assert shown.endswith(HIDDEN)


@given(st.text(alphabet="0123456789abc 号路", min_size=1, max_size=40))
def test_a_district_shows_no_number(value: str) -> None:
    shown = apply("district", sample.field("address"), value)
    assert shown is not None
    assert not any(c.isdigit() for c in shown)
