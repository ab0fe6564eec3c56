"""The chain of charters, and which is in force."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample
from tests.ledger import made

from strongroom.canonical import encode
from strongroom.catalog.model import Charter
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


# --- charters of our own schema, which are held to all of 6.2 and 6.5 ------------------------------------------------------
STEWARDS = [made.steward.public_key().public_bytes_raw()]
OURS = encode(sample.charter(stewards=STEWARDS))


def ours(**changes: Any) -> dict[str, Any]:
    """The second charter as plain JSON, to bend as no schema of ours would let it be."""
    changed = sample.charter(**{"version": 2, "previous": made.charter_hash(OURS), "stewards": STEWARDS} | changes)
    return json.loads(encode(changed))  # type: ignore[no-any-return]


def follow(document: bytes) -> None:
    charters = Charters()
    charters.add(made.charter_entry(OURS, 100, 100))
    delay = sample.charter().delay
    try:
        charters.add(made.charter_entry(document, 200, 200 + delay))
    finally:
        assert len(charters.known) == 1 + (charters.known[-1].version == 2)


def bent(path: str, value: Any) -> dict[str, Any]:
    found = ours()
    *places, last = path.split("/")
    at = found
    for place in places:
        at = at[place]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return found


def swapped() -> dict[str, Any]:
    found = ours()
    compartments = found["holdings"]["residents"]["compartments"]
    compartments["identity"]["number"], compartments["contact"]["number"] = 2, 1
    return found


def renamed(member: str, algorithm: int, length: int = 32) -> dict[str, Any]:
    material = bytes([algorithm]) + bytes(length)
    name = "riverton.example/ledger" + ("/ml-dsa" if member == "ml_dsa" else "")
    key_id = hashlib.sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    return bent(f"keyholder/{member}", f"{name}+{key_id}+{b64encode(material).decode()}")


FORBIDDEN: dict[str, tuple[dict[str, Any], str]] = {
    "another room": (bent("room", b64encode(bytes(16)).decode()), "room: is permanent"),
    "another message key": (bent("keyholder/message", b64encode(bytes(32)).decode()), "keyholder.message: is permanent"),
    "another log": (renamed("log", 1), "keyholder.log: is permanent"),
    "another ML-DSA key": (renamed("ml_dsa", 6, 1312), "keyholder.ml_dsa: is permanent"),
    "compartment numbers swapped": (swapped(), "a compartment stays, with its number"),
    "no buckets": (bent("buckets", None), "missing required field"),
    "a holding without buckets": (bent("buckets/residents", None), "want one member for each holding"),
    "another bucket root": (bent("buckets/residents/phone", b64encode(bytes(32)).decode()), "is permanent"),
    "a field gone": (bent("holdings/residents/fields/address", None), "fields.address: is gone"),
    "a member more": (bent("more", 1), "a member or value"),
    "a purpose that makes no sense": (bent("purposes/register/units", []), "units"),
    "a rule that does not parse": (bent("rules", "permit (principal, action, resource);"), "rules"),
}  # fmt: skip


def test_one_that_changes_what_it_may() -> None:
    follow(encode(ours(delay=1, rules="")))


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_no_charter_of_ours_changes(name: str) -> None:
    members, says = FORBIDDEN[name]
    with pytest.raises(EntryError, match=f"^charter: .*{re.escape(says)}"):
        follow(encode(members))


def test_the_first_one_too_is_whole() -> None:
    for name in sample.charter().__struct_fields__:
        members = json.loads(OURS)
        del members[name]
        with pytest.raises(EntryError):
            Charters().add(made.charter_entry(encode(members), 1, 1))


@pytest.mark.parametrize("later", [1, 2], ids=["ours", "a later schema"])
def test_a_document_in_another_form(later: int) -> None:
    """A member twice is one charter to who takes the first, another to who takes the last."""
    good = encode(ours() | {"v": later})
    assert b'"delay":259200' in good
    follow(good)
    for old, new in (
        (b'"delay":259200', b'"delay":0,"delay":259200'),
        (b'"delay":259200', b'"delay": 259200'),
        (b'"delay":259200', b'"delay":259200.0'),
        (b'"delay":259200', b'"delay":2592e2'),
        (b'"delay":259200', b'"delay":-0'),
        (b'"delay":259200', b'"delay":9007199254740992'),
        (b'"name":"', b'"name":"\\u0072'),
        (b'{"auditor"', b'{"a":NaN,"auditor"'),
        (b'{"auditor"', b'{"a":"\\ud800","auditor"'),
        (b'{"auditor"', b'{"zz":1,"auditor"'),
        (b'{"auditor"', b' {"auditor"'),
    ):
        with pytest.raises(EntryError):
            follow(good.replace(old, new, 1))


# --- charters of a later schema: what they and ours have in common ---------------------------------------------------------
@pytest.mark.parametrize("name", [one for one in FORBIDDEN if "permanent" in FORBIDDEN[one][1]])
def test_what_no_charter_of_a_later_schema_changes(name: str) -> None:
    with pytest.raises(EntryError, match="permanent"):
        follow(encode(FORBIDDEN[name][0] | {"v": 2}))


def test_a_later_schema_may_have_other_members_but_not_forget() -> None:
    plain = ours()
    slim = {name: one for name, one in plain.items() if name not in ("keyholder", "holdings", "buckets")} | {"v": 2}
    charters = Charters()
    charters.add(made.charter_entry(OURS, 100, 100))
    charters.add(made.charter_entry(encode(slim), 200, 200 + 259200))
    later = slim | {"version": 3, "previous": b64encode(charters.known[-1].hash).decode()}
    keys = plain["keyholder"] | {"log": "another"}
    with pytest.raises(EntryError, match=r"keyholder\.log is permanent"):
        charters.add(made.charter_entry(encode(later | {"keyholder": keys}), 300, 300 + 2 * 259200))
    charters.add(made.charter_entry(encode(later | {"keyholder": plain["keyholder"]}), 300, 300 + 2 * 259200))


def test_there_is_no_way_back_to_an_older_schema() -> None:
    charters = Charters()
    charters.add(made.charter_entry(encode(json.loads(OURS) | {"v": 2}), 100, 100))
    second: Charter = sample.charter(version=2, previous=charters.known[0].hash, stewards=STEWARDS)
    with pytest.raises(EntryError, match="older schema"):
        charters.add(made.charter_entry(encode(second), 200, 200 + 259200))
    with pytest.raises(EntryError, match="no schema before 1"):
        Charters().add(made.charter_entry(encode(json.loads(OURS) | {"v": 0}), 100, 100))
