"""Synthetic people: valid where a checker looks, nobody where a person would."""

from __future__ import annotations

import collections
import datetime
import hashlib
import itertools
import re

import phonenumbers
import pytest
from email_validator import validate_email
from stdnum import numdb
from stdnum.cn import ric

from strongroom.synth import names
from strongroom.synth.people import FIELDS, FIRST_YEAR, LAST_YEAR, MOST, check_digit, people

SOME = list(people(20_000, seed=11643))


def test_the_fields() -> None:
    assert all(tuple(person) == FIELDS and all(person.values()) for person in SOME)


def test_check_digits_against_another_implementation() -> None:
    assert all(person["id-number"][-1] == ric.calc_check_digit(person["id-number"]) for person in SOME)
    assert {person["id-number"][-1] for person in SOME} == set("0123456789X")
    assert check_digit("11010519491231002") == "X"  # the example in GB 11643


def test_no_region_is_one_that_was_ever_assigned() -> None:
    assigned = numdb.get("cn/loc")
    assert assigned.info("110105")[0][1], "the table of regions must be there for this to mean anything"
    for code in {person["id-number"][:6] for person in SOME}:
        assert not any(properties for _, properties in assigned.info(code))


def test_birth_and_sex_are_those_of_the_number() -> None:
    for person in SOME:
        born = datetime.date.fromisoformat(person["born"])
        assert born == ric.get_birth_date(person["id-number"])
        assert FIRST_YEAR <= born.year <= LAST_YEAR
        assert person["sex"] == ("male" if int(person["id-number"][16]) % 2 else "female")


def test_telephones_pass_for_valid_and_can_be_nobodys() -> None:
    for person in SOME[:3000]:
        number = phonenumbers.parse(person["phone"])
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == person["phone"]
    # Area code 10, then 0: the trunk prefix, with which no subscriber's number begins.
    assert all(re.fullmatch(r"\+86100\d{7}", person["phone"]) for person in SOME)


def test_addresses_of_mail_are_in_domains_kept_for_examples() -> None:
    for person in SOME[:3000]:
        found = validate_email(person["email"], check_deliverability=False, test_environment=True)
        assert found.normalized == person["email"]
        assert found.domain in ("example.com", "example.org")


def test_names_and_places_look_like_a_city() -> None:
    surnames = collections.Counter(person["name"][0] for person in SOME if not person["name"].isascii())
    assert [surname for surname, _ in surnames.most_common(3)] in (["王", "李", "张"], ["李", "王", "张"])
    latin = sum(person["name"][0] < "\u1000" for person in SOME)
    assert 0.04 < latin / len(SOME) < 0.08
    assert {person["district"] for person in SOME} == {district for _, _, district in names.DISTRICTS}
    assert 0.48 < sum(person["sex"] == "male" for person in SOME) / len(SOME) < 0.52
    assert max(len(person["name"].encode()) for person in SOME) <= 64
    assert max(len(person["address"].encode()) for person in SOME) <= 120


def test_next_to_nobody_stands_a_twin() -> None:
    """Neighbouring rows must not tell each other: births, regions and telephones are spread."""
    regions = [person["id-number"][:6] for person in SOME]
    repeats = sum(a == b for a, b in itertools.pairwise(regions)) / len(regions)
    assert 0.05 < repeats < 0.2
    assert len({person["born"] for person in SOME[:1000]}) > 900


def test_identifiers_are_distinct() -> None:
    seen: dict[str, set[str]] = {"id-number": set(), "phone": set(), "email": set()}
    for person in people(200_000, seed=3):
        for field, values in seen.items():
            values.add(person[field])
    assert {field: len(values) for field, values in seen.items()} == dict.fromkeys(seen, 200_000)


def test_the_same_seed_gives_the_same_people() -> None:
    assert list(people(5000, seed=11643)) == SOME[:5000]
    assert next(people(1, seed=1)) != next(people(1, seed=2))
    # Pinned, so that a demo shows the same on every Python.
    digest = hashlib.sha256("\n".join("\t".join(person.values()) for person in SOME).encode()).hexdigest()
    assert digest[:16] == "4d82db239ec8f790"


def test_bounds() -> None:
    assert list(people(0, seed=1)) == []
    for count in (-1, MOST + 1):
        with pytest.raises(ValueError, match="count"):
            next(people(count, seed=1))
