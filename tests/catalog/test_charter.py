"""The charter's document: one text for one charter, and only a charter that fits (SPEC.md 6.1 to 6.5)."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import make_vectors, sample

from strongroom.canonical import encode
from strongroom.catalog import charter as documents
from strongroom.catalog.model import Charter, Field, Holding, RosterLine
from strongroom.errors import CatalogError, FormatError, Refused

VECTORS: dict[str, Any] = json.loads(Path("vectors/charter.json").read_text("utf-8"))
VALID = documents.document(sample.charter())


def changed(found: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(found, **changes)


def test_vector() -> None:
    document = VECTORS["document"].encode()
    charter = documents.parse(document)
    assert documents.document(charter) == document
    assert documents.charter_hash(document).hex() == VECTORS["charter_hash"]
    steward = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["steward_private"]))
    assert steward.public_key().public_bytes_raw() == charter.stewards[0]
    assert documents.sign(document, steward).hex() == VECTORS["signature"]
    documents.verify(document, bytes.fromhex(VECTORS["signature"]), charter.stewards[0])
    roster = VECTORS["roster"].encode()
    assert documents.roster_bytes(documents.parse_roster(roster)) == roster
    assert documents.roster_hash(roster) == charter.roster
    assert documents.roster_hash(roster).hex() == VECTORS["roster_hash"]


def test_the_file_is_what_is_written_now() -> None:
    assert json.loads(json.dumps(make_vectors.charter())) == VECTORS


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_refused_vector(vector: dict[str, str]) -> None:
    assert vector["replace"] in VECTORS["document"]
    with pytest.raises((FormatError, CatalogError)) as found:
        documents.parse(VECTORS["document"].replace(vector["replace"], vector["by"], 1).encode())
    assert found.value.code == vector["code"]
    if isinstance(found.value, CatalogError):
        assert found.value.place == f"charter: {vector['place']}"


def test_refused_vectors_are_there() -> None:
    assert len(VECTORS["refused"]) >= 80
    assert len({vector["why"] for vector in VECTORS["refused"]}) == len(VECTORS["refused"])


def test_signature_of_another_is_refused() -> None:
    mine, other = Ed25519PrivateKey.from_private_bytes(bytes(32)), Ed25519PrivateKey.generate()
    key = mine.public_key().public_bytes_raw()
    documents.verify(VALID, documents.sign(VALID, mine), key)
    for document, signature, by in (
        (VALID, documents.sign(VALID, other), key),
        (VALID + b" ", documents.sign(VALID, mine), key),
        (VALID, documents.sign(VALID, mine)[:-1], key),
        (VALID, mine.sign(VALID), key),
        (VALID, documents.sign(VALID, mine), key[:-1]),
    ):
        with pytest.raises(Refused) as found:
            documents.verify(document, signature, by)
        assert found.value.code == "charter"


@given(st.integers(0, len(VALID) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_no_byte_can_be_changed_in_its_form(at: int, put: bytes, cut: int) -> None:
    """Whatever is still accepted is canonical: it is the bytes of what was read."""
    text = VALID[:at] + put + VALID[at + cut :]
    with suppress(FormatError, CatalogError):
        assert encode(documents.parse(text)) == text


@given(st.binary(max_size=80))
def test_only_our_errors_escape(text: bytes) -> None:
    with suppress(FormatError, CatalogError):
        documents.parse(text)
    with suppress(FormatError):
        documents.parse_roster(text)


def test_document_refuses_what_parse_would() -> None:
    with pytest.raises(CatalogError, match=r"buckets\.residents"):
        documents.document(sample.charter(buckets={"residents": {}}))
    for count in (150, 400):  # by its quotes once escaped; by itself
        with pytest.raises(FormatError, match="over the 60,000"):
            documents.document(sample.charter(purposes={f"p{n}": sample.purpose() for n in range(count)}))
    with pytest.raises(CatalogError, match=r"keyholder\.log: not the verifier key"):
        documents.document(sample.charter(keyholder=changed(sample.charter().keyholder, log="x+00000000+AA==")))


lines = st.builds(
    RosterLine, key=st.binary(min_size=32, max_size=32), role=st.sampled_from(["a", "b"]), unit=st.just("u")
)


@given(st.lists(lines, max_size=6, unique_by=lambda line: line.key))
def test_roster_is_sorted_whatever_the_order(roster: list[RosterLine]) -> None:
    written = documents.roster_bytes(reversed(roster))
    assert documents.parse_roster(written) == sorted(roster, key=lambda line: line.key)
    assert written == documents.roster_bytes(roster)


def test_roster_holds_a_key_once() -> None:
    line = sample.line()
    with pytest.raises(FormatError, match="each key once"):
        documents.roster_bytes([line, changed(line, role="registrar")])
    pair = sorted([sample.line("a"), sample.line("b")], key=lambda line: line.key, reverse=True)
    with pytest.raises(FormatError, match="sorted"):
        documents.parse_roster(encode(pair))
    with pytest.raises(FormatError, match="too small to name"):
        documents.roster_bytes([sample.line(unit="other")])


def test_names_that_the_ledger_uses_are_nobodys() -> None:
    unknown = {"unknown": OLD.holdings["residents"]}
    with pytest.raises(CatalogError, match="does not know"):
        documents.document(
            sample.charter(
                holdings=OLD.holdings | unknown, buckets={**OLD.buckets, "unknown": OLD.buckets["residents"]}
            )
        )


OLD = sample.charter()
HOLDING = OLD.holdings["residents"]


BY_ID = OLD.purposes | {"confirm-identity": sample.purpose(finds={"residents": ["resident-id"]})}
BY_PHONE = OLD.purposes | {"confirm-identity": sample.purpose(finds={"residents": ["phone"]})}


def follow(new: Charter) -> None:
    documents.document(new)
    documents.successor(OLD, VALID, new)


def after(**changes: Any) -> Charter:
    found: Charter = changed(OLD, version=2, previous=documents.charter_hash(VALID), **changes)
    return found


def with_holding(**changes: Any) -> Charter:
    return after(holdings={"residents": changed(HOLDING, **changes)})


def with_field(name: str, **changes: Any) -> Charter:
    field: Field = changed(HOLDING.fields[name], **changes)
    return with_holding(fields=HOLDING.fields | {name: field})


def test_what_may_follow() -> None:
    extra: Holding = changed(
        HOLDING,
        fields={"name": sample.field("person-name")},
        compartments={"identity": sample.compartment(9, 64, "")},
    )
    for new in (
        after(delay=0, heartbeat=60, rules="", purposes={"confirm-identity": sample.purpose(units=["registry"])}),
        after(stewards=[bytes(32)], roster=bytes(32), auditor=sample.key("another", 1216)),
        with_field("sex", values=["female", "male", "other", "unknown"]),
        with_holding(
            fields=HOLDING.fields | {"note": sample.field("text", "notes")},
            compartments=HOLDING.compartments | {"notes": sample.compartment(7)},
        ),
        after(holdings=OLD.holdings | {"guests": extra}, buckets=OLD.buckets | {"guests": {}}),
    ):
        follow(new)


@pytest.mark.parametrize(
    ("new", "place"),
    [
        (changed(after(), version=3), "version"),
        (changed(after(), previous=bytes(31) + b"\1"), "previous"),
        (after(room=bytes(16)), "room"),
        (after(keyholder=changed(OLD.keyholder, message=bytes(32))), "keyholder.message"),
        (
            after(
                holdings={"others": HOLDING},
                buckets={"others": OLD.buckets["residents"]},
                purposes={},
                budgets=changed(OLD.budgets, holdings={}),
                rules="",
            ),
            "holdings.residents",
        ),
        (after(buckets={"residents": OLD.buckets["residents"] | {"phone": bytes(32)}}), "buckets.residents.phone"),
        (
            with_holding(compartments=HOLDING.compartments | {"contact": sample.compartment(3)}),
            "holdings.residents.compartments.contact",
        ),
        (
            with_holding(
                compartments={
                    "identity": sample.compartment(2),
                    "contact": sample.compartment(1),
                }
            ),
            "holdings.residents.compartments.identity",
        ),
        (
            with_holding(fields={n: f for n, f in HOLDING.fields.items() if n != "sex"}),
            "holdings.residents.fields.sex",
        ),
        (with_field("name", type="text"), "holdings.residents.fields.name.type"),
        (with_field("born", compartment="contact"), "holdings.residents.fields.born.compartment"),
        (with_field("phone", region="DE"), "holdings.residents.fields.phone.region"),
        (with_field("sex", values=["male", "female", "other"]), "holdings.residents.fields.sex.values"),
        (with_field("sex", values=["female", "male"]), "holdings.residents.fields.sex.values"),
        (
            changed(
                with_field("phone", identifier="none"),
                buckets={"residents": {"resident-id": sample.key("ids")}},
                purposes=BY_ID,
            ),
            "holdings.residents.fields.phone.identifier",
        ),
        (
            with_holding(
                compartments=HOLDING.compartments | {"contact": sample.compartment(2, person="phone")},
                fields=HOLDING.fields | {"phone": sample.field("phone", "contact", "primary", region="CN")},
            ),
            "holdings.residents.compartments.contact.person",
        ),
        (
            with_holding(compartments=HOLDING.compartments | {"contact": sample.compartment(2, person="")}),
            "holdings.residents.compartments.contact.person",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_not_follow(new: Charter, place: str) -> None:
    with pytest.raises(CatalogError) as found:
        follow(new)
    assert found.value.place == f"charter: {place}"


def test_a_name_is_permanent() -> None:
    with pytest.raises(CatalogError, match="name"):
        follow(changed(sample.charter(name="other.example"), version=2, previous=documents.charter_hash(VALID)))


def test_a_field_that_exists_never_becomes_a_primary_identifier() -> None:
    """Not even where its compartment is about that person already, since it is another field's."""
    fields = HOLDING.fields | {"name": sample.field("text", identifier="secondary")}
    compartments = {"identity": sample.compartment(1, person=""), "contact": sample.compartment(2, person="")}
    fields["id-number"] = sample.field("resident-id", identifier="secondary")
    roots = {"residents": OLD.buckets["residents"] | {"text:name": sample.key("names")}}
    old = sample.charter(
        holdings={"residents": changed(HOLDING, fields=fields, compartments=compartments)}, buckets=roots
    )
    document = documents.document(old)
    new = sample.charter(
        version=2,
        previous=documents.charter_hash(document),
        buckets=roots,
        holdings={
            "residents": changed(
                HOLDING,
                fields=fields | {"id-number": sample.field("resident-id", identifier="primary")},
                compartments=compartments | {"identity": sample.compartment(1)},
            )
        },
    )
    documents.document(new)
    with pytest.raises(CatalogError, match=r"identity\.person: was about nobody"):
        documents.successor(old, document, new)


def test_a_new_person_comes_with_a_field_and_a_compartment_of_their_own() -> None:
    witness = sample.field("resident-id", "witness", "primary")
    follow(
        with_holding(
            fields=HOLDING.fields | {"witness": witness},
            compartments=HOLDING.compartments | {"witness": sample.compartment(7, person="witness")},
        )
    )
