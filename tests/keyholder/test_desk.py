"""The desk recomputes who somebody is without trusting the vault, and makes codes (SPEC.md 2.3, 2.4, 8.7)."""

from __future__ import annotations

import os

import pytest
from tests.houses import Houses

from strongroom.catalog.model import Charter
from strongroom.custody import buckets
from strongroom.errors import InputError, ProofError, ValueRejected
from strongroom.keyholder import desk
from strongroom.seal import person


@pytest.fixture
def charter(houses: Houses) -> Charter:
    return houses.town.room.rules().charter


def test_who_is_recomputed_from_one_bucket_key(houses: Houses, charter: Charter) -> None:
    room, value = houses.town.room, houses.people[0].values["phone"]
    nf = desk.normal_form(charter, "residents", "phone", value or "")
    j = person.bucket("phone", nf)
    given = buckets.bucket_key(room, "residents", "phone", j)
    found = desk.who(charter, "residents", "phone", nf, given.key, given.proof)
    assert found == person.inners(room.keys.holding("residents"), "phone", [nf])[0][:16]
    # What a vault could try that would rather hide somebody's reads: each is found out against the charter's root.
    other = person.bucket_key(room.keys.holding("residents").person("phone"), (j + 1) % desk.BUCKETS)
    for key, proof in (
        (other, given.proof),
        (os.urandom(32), given.proof),
        (given.key, given.proof[::-1]),
        (given.key, given.proof[:-1]),
        (given.key, ()),
        (given.key, (*given.proof, bytes(32))),
    ):
        with pytest.raises(ProofError, match="not the one its charter committed to"):
            desk.who(charter, "residents", "phone", nf, key, proof)
    # The right key of another bucket, for a person who is not in it.
    with pytest.raises(ProofError):
        desk.who(charter, "residents", "phone", nf + "0", given.key, given.proof)


def test_what_the_desk_cannot_take(charter: Charter) -> None:
    with pytest.raises(InputError, match="no holding"):
        desk.normal_form(charter, "patients", "phone", "1")
    with pytest.raises(InputError, match="no identifier of kind"):
        desk.normal_form(charter, "residents", "email", "a@example.org")
    with pytest.raises(InputError, match="empty"):
        desk.normal_form(charter, "residents", "phone", " ")
    with pytest.raises(ValueRejected):
        desk.normal_form(charter, "residents", "resident-id", "123")
    with pytest.raises(InputError, match="no bucket root"):
        desk.who(charter, "residents", "email", "a@example.org", bytes(32), ())


def test_codes_are_fifty_bits_and_forgive_how_they_are_typed() -> None:
    code = desk.new_code(os.urandom)
    assert len(code) == 10
    assert set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert desk.new_code(os.urandom) != code
    assert desk.clean_code(f" {code[:5].lower()}-{code[5:]} ") == code
    assert desk.clean_code("oilOIL0000") == "0110110000"
