"""A request's slots are unmasked and shared in columns as each would be by the formulas of SPEC.md 3.3 on its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import by_hand

from strongroom.errors import StrongroomError
from strongroom.seal import slot

SECRETS = [bytes([at]) * 32 for at in range(1, 4)]
HANDLES = [bytes([at]) * 16 for at in range(1, 5)]


class One(NamedTuple):
    batch: int
    handle: bytes
    version: int
    compartment: int
    masked: bytes
    delta: bytes


# Few of each, so that slots of one record stand together, apart, twice, and differ in one thing alone.
ones = st.builds(
    One,
    st.sampled_from(range(3)),
    st.sampled_from(HANDLES),
    st.sampled_from([1, 2, 2**32 - 1]),
    st.sampled_from([1, 2, 65535]),
    st.binary(min_size=16, max_size=16),
    st.sampled_from([bytes(32), b"\1" + bytes(31), b"\xff" * 32]),
)


def released(some: list[One], *, deltas: bool) -> tuple[list[bytes], bytes]:
    batch, handles, versions, compartments, masked, delta = zip(*some, strict=True) if some else [()] * 6
    joined = b"".join(delta) if deltas else b""
    return slot.release(SECRETS, batch, b"".join(handles), versions, compartments, b"".join(masked), joined)


@given(st.lists(ones, max_size=12), st.booleans())
def test_columns_are_what_each_slot_is_alone(some: list[One], deltas: bool) -> None:
    whos, shares = released(some, deltas=deltas)
    for one, who, share in zip(some, whos, slot.split(shares, 32), strict=True):
        place = one.handle + one.version.to_bytes(4)
        delta = one.delta if deltas else bytes(32)
        assert (who, share) == by_hand.release(SECRETS[one.batch], place, delta, one.masked, one.compartment)


@given(st.lists(ones, min_size=1, max_size=6), st.data())
def test_one_bent_slot_refuses_all_as_it_is_refused_alone(some: list[One], data: st.DataObject) -> None:
    bent: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"version": 0},
                {"version": 2**32},
                {"compartment": 0},
                {"compartment": 65536},
                {"batch": 3},
                {"batch": -1},
            ]
        )
    )
    at = data.draw(st.integers(0, len(some) - 1))
    some[at] = some[at]._replace(**bent)
    with pytest.raises(StrongroomError) as alone:
        released([some[at]], deltas=True)
    with pytest.raises(type(alone.value)) as together:
        released(some, deltas=True)
    assert str(together.value) == str(alone.value)
