"""The chain of charters, and which is in force."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger import made

from strongroom.canonical import encode
from strongroom.errors import EntryError
from strongroom.ledger.charters import Charters

FIRST = made.charter(1, bytes(32))
SECOND = made.charter(2, made.charter_hash(FIRST))
other = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)


def begun() -> Charters:
    charters = Charters()
    charters.add(made.charter_entry(FIRST, 100, 100))
    return charters


def test_in_force_from_effective_until_the_next() -> None:
    charters = begun()
    charters.add(made.charter_entry(SECOND, 200, 260))
    versions = {time: one.version if (one := charters.in_force(time)) else None for time in (99, 100, 259, 260, 9999)}
    assert versions == {99: None, 100: 1, 259: 1, 260: 2, 9999: 2}


@pytest.mark.parametrize(
    ("document", "arguments", "message"),
    [
        (made.charter(3, made.charter_hash(FIRST)), {}, "version 3 does not follow 1"),
        (made.charter(2, bytes(32)), {}, "does not name the one before it"),
        (SECOND, {"effective": 259}, "before the public delay"),
        (SECOND, {"key": other}, "not signed by a steward"),
        (SECOND.replace(b"riverton", b"everton"), {}, "another name"),
    ],
)
def test_what_breaks_the_chain(document: bytes, arguments: dict[str, Any], message: str) -> None:
    charters = begun()
    with pytest.raises(EntryError, match=message):
        charters.add(made.charter_entry(document, **({"time": 200, "effective": 260} | arguments)))
    assert len(charters.known) == 1


def test_the_first_charter_is_version_one_signed_by_its_own_steward() -> None:
    for one in (
        made.charter_entry(SECOND, 1, 1),
        made.charter_entry(FIRST, 1, 1, other),
        made.charter_entry(FIRST, 2, 1),
    ):
        with pytest.raises(EntryError):
            Charters().add(one)


def test_the_delay_in_force_counts_not_the_new_one() -> None:
    charters = begun()
    hasty = made.charter(2, made.charter_hash(FIRST), delay=0)
    with pytest.raises(EntryError, match="delay"):
        charters.add(made.charter_entry(hasty, 200, 200))
    charters.add(made.charter_entry(hasty, 200, 260))
    # Pending, it does not yet shorten the delay of the one after it.
    with pytest.raises(EntryError, match="delay"):
        charters.add(made.charter_entry(made.charter(3, made.charter_hash(hasty)), 250, 260))
    charters.add(made.charter_entry(made.charter(3, made.charter_hash(hasty)), 260, 260))


def test_while_none_is_in_force_the_one_written_last_counts() -> None:
    charters = Charters()
    charters.add(made.charter_entry(FIRST, 100, 500))
    hers = made.charter(2, made.charter_hash(FIRST)).replace(
        encode(made._public(made.steward)), encode(made._public(other))
    )
    charters.add(made.charter_entry(hers, 200, 500))
    third = made.charter(3, made.charter_hash(hers))
    with pytest.raises(EntryError, match="steward"):
        charters.add(made.charter_entry(third, 300, 500))
    charters.add(made.charter_entry(third, 300, 500, other))
    assert [one.version if (one := charters.in_force(time)) else None for time in (499, 500)] == [None, 3]


def test_keys_and_heartbeat_are_known_where_they_are_stated() -> None:
    houses = {"keyholder": {"log": "a", "ml_dsa": "b"}, "vault": {"cosigner": "c"}, "heartbeat": 60}
    members = json.loads(FIRST)
    for more, want in (
        ({}, ((), None)),
        (houses, (("a", "b", "c"), 60)),
        ({"vault": 1, "keyholder": {"log": 2}}, ((), None)),
    ):
        known = Charters().add(made.charter_entry(encode(members | more), 1, 1))
        assert (known.vkeys, known.heartbeat) == want


@given(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.recursive(st.none() | st.integers() | st.text("ab"), st.lists).map(repr)
)
def test_no_document_raises_anything_but_ours(document: str) -> None:
    with pytest.raises(EntryError):
        Charters().add(made.charter_entry(document.encode(), 1, 1))


@pytest.mark.parametrize(
    "bad",
    [
        {"version": True},
        {"version": "1"},
        {"stewards": ["x"]},
        {"stewards": [1]},
        {"previous": "AAAA"},
        {"delay": None},
    ],
)
def test_members_have_their_types(bad: dict[str, Any]) -> None:
    members = {"delay": 1, "name": "n", "previous": bytes(32), "stewards": [bytes(32)], "version": 1}
    with pytest.raises(EntryError):
        Charters().add(made.charter_entry(encode(members | bad), 1, 1))
