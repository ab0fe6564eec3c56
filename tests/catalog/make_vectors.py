"""Write ``vectors/charter.json``: SPEC.md 6.1 to 6.3 by example, for implementations in any language.

    PYTHONPATH=src:. python tests/catalog/make_vectors.py

Each refused charter is the document with the first ``replace`` in it replaced by ``by``, and fails for one reason:
``code`` is that of the exception expected, ``place`` the path of members that it names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.catalog import sample

from strongroom.catalog import charter as documents
from strongroom.catalog.model import Countersign, PurposeBudgets

VECTORS = Path(__file__).parents[2] / "vectors"
STEWARD = sample.key("steward of the vectors")

VISITS = sample.holding(
    about="Who visited whom in the hospital",
    lawful_basis="Infection Act, section 2",
    retention=0,
    rotation=7,
    compartments={
        "guest": sample.compartment(1, person="guest"),
        "host": sample.compartment(2, person="host"),
        "picture": sample.compartment(3, 65_664, "guest"),
        "when": sample.compartment(9, 64, ""),
    },
    fields={
        "guest": sample.field("resident-id", "guest", "primary", required=True),
        "host": sample.field("text", "host", "primary", pattern="[A-Z][0-9]{5}", max=6),
        "risk": sample.field("enum", "host", values=["low", "high"], needs={"finding": ["high"]}),
        "finding": sample.field("text", "host", max=500),
        "photo": sample.field("image", "picture"),
        "day": sample.field("date", "when"),
    },
)
PURPOSES = {
    "confirm-identity": sample.purpose(),
    "register": sample.purpose(
        actions=["intake"], roles=["registrar"], units=["registry"], reads={"residents": {}}, finds={}
    ),
    "trace": sample.purpose(
        actions=["find", "disclose", "check", "correct", "erase", "export"],
        reads={"residents": {}, "visits": {"risk": "clear", "photo": "clear", "day": "year"}},
        finds={"visits": ["resident-id", "text:host"]},
        checks={"visits": {"day": ["matches"], "guest": ["adult", "district", "matches"]}},
        history=True,
        held=True,
        most=10,
        countersign=Countersign(roles=["clerk", "judge"], units=["court", "health"]),
        budgets=PurposeBudgets(reader=["5/hour"], unit=["9/hour"], record=["2/day"], purpose=["20/day"]),
    ),
    "visit": sample.purpose(actions=["intake"], reads={"visits": {}}, finds={}, tells=True),
}
ROSTER = documents.roster_bytes(
    [sample.line("ann"), sample.line("bob", unit="health"), sample.line("eve", role="registrar")]
)


# Why, what is replaced, by what, and where the problem is: empty where the document does not even parse.
Refused = tuple[str, str, str, str]


def _members() -> list[Refused]:
    id_number = "holdings.residents.fields.id-number"
    return [
        ("white space", '{"auditor"', '{ "auditor"', ""),
        ("unknown member", '{"auditor"', '{"about":"","auditor"', ""),
        ("order of members", '"delay":259200,"heartbeat":3600', '"heartbeat":3600,"delay":259200', ""),
        ("member missing", '"delay":259200,', "", ""),
        ("number with a fraction", '"delay":259200', '"delay":259200.0', ""),
        ("negative number", '"delay":259200', '"delay":-1', ""),
        ("other form version", '"v":1,', '"v":2,', ""),
        ("escaped letter", '"name":"riverton', '"name":"\\u0072iverton', ""),
        ("upper-case name", '"phone":{"compartment"', '"Phone":{"compartment"', ""),
        ("unknown action", '["find","disclose"]', '["find","browse"]', ""),
        ("unknown mask", '"born":"year"', '"born":"decade"', ""),
        ("unknown test", '"day":["matches"]', '"day":["exceeds"]', ""),
        ("room of 15 bytes", '"room":"HxxbL613hDQCTxU3mGNGkg=="', '"room":"HxxbL613hDQCTxU3mGNG"', ""),
        ("compartment number too large", '"number":1,', '"number":65536,', ""),
        ("version without previous", '"version":1', '"version":2', "version"),
        ("bad room name", '"name":"riverton.example"', '"name":"Riverton"', "name"),
        ("heartbeat of 0", '"heartbeat":3600', '"heartbeat":0', "heartbeat"),
        ("compartment number 0", '"number":1,', '"number":0,', "holdings.residents.compartments.identity"),
        ("compartment number twice", '"number":1,', '"number":2,', "holdings.residents.compartments.identity"),
        ("floor not a multiple of 64", '"floor":256', '"floor":250', "holdings.residents.compartments.contact"),
        ("floor over 524,288", '"floor":65664', '"floor":524352', "holdings.visits.compartments.picture"),
        (
            "person who is no primary identifier",
            '"floor":256,"number":2,"person":"id-number"',
            '"floor":256,"number":2,"person":"phone"',
            "holdings.residents.compartments.contact.person",
        ),
        (
            "primary identifier in another person's compartment",
            '"number":2,"person":"host"',
            '"number":2,"person":"guest"',
            "holdings.visits.fields.host.compartment",
        ),
        (
            "primary identifier in a compartment about nobody",
            '"number":1,"person":"id-number"',
            '"number":1,"person":""',
            f"{id_number}.compartment",
        ),
        (
            "unknown compartment",
            '"compartment":"contact","identifier":"none"',
            '"compartment":"contacts","identifier":"none"',
            "holdings.residents.fields.address.compartment",
        ),
        ("unknown type", '"type":"address"', '"type":"street"', "holdings.residents.fields.address.type"),
        (
            "a type that is no identifier",
            '"compartment":"contact","identifier":"none"',
            '"compartment":"contact","identifier":"secondary"',
            "holdings.residents.fields.address.identifier",
        ),
        (
            "an image that is an identifier",
            '"compartment":"picture","identifier":"none"',
            '"compartment":"picture","identifier":"secondary"',
            "holdings.visits.fields.photo.identifier",
        ),
        (
            "max of an image over 262,144",
            '"compartment":"picture","identifier":"none","max":0',
            '"compartment":"picture","identifier":"none","max":262145',
            "holdings.visits.fields.photo.max",
        ),
        ("max over 16,384", '"max":500', '"max":16385', "holdings.visits.fields.finding.max"),
        (
            "enum value twice",
            '["female","male","other"]',
            '["female","male","male"]',
            "holdings.residents.fields.sex.values",
        ),
        (
            "a value needs a field that there is not",
            '"needs":{"finding":["high"]}',
            '"needs":{"findings":["high"]}',
            "holdings.visits.fields.risk.needs.findings",
        ),
        (
            "a value needs its own field",
            '"needs":{"finding":["high"]}',
            '"needs":{"risk":["high"]}',
            "holdings.visits.fields.risk.needs.risk",
        ),
        (
            "needs of an undeclared value",
            '"needs":{"finding":["high"]}',
            '"needs":{"finding":["highest"]}',
            "holdings.visits.fields.risk.needs.finding",
        ),
        (
            "needs of no value",
            '"needs":{"finding":["high"]}',
            '"needs":{"finding":[]}',
            "holdings.visits.fields.risk.needs.finding",
        ),
        (
            "needs of what is no enum",
            '"max":6,"needs":{}',
            '"max":6,"needs":{"finding":["high"]}',
            "holdings.visits.fields.host.needs",
        ),
        ("retention over 150 years", '"retention":3650', '"retention":54751', "holdings.residents.retention"),
        ("rotation of 0", '"rotation":30', '"rotation":0', "holdings.residents.rotation"),
        ("rotation over 366 days", '"rotation":30', '"rotation":367', "holdings.residents.rotation"),
    ]


def _purposes() -> list[Refused]:
    finds, confirm, trace = (
        '"finds":{"residents":["phone","resident-id"]}',
        "purposes.confirm-identity",
        "purposes.trace",
    )
    tests = '"checks":{"visits":{"day":["matches"],"guest":["adult","district","matches"]}}'
    reads, most = f"{confirm}.reads.residents", f"{trace}.most"
    actions = '["find","disclose","check","correct","erase","export"]'
    return [
        ("mask that does not fit", '"born":"year"', '"born":"last-four"', f"{reads}.born"),
        ("mask on an image", '"photo":"clear"', '"photo":"initial"', f"{trace}.reads.visits.photo"),
        ("purpose reads an unknown field", '"born":"year"', '"bron":"year"', f"{reads}.bron"),
        (
            "purpose reads an unknown holding",
            '"reads":{"residents":{}}',
            '"reads":{"guests":{}}',
            "purposes.register.reads.guests",
        ),
        (
            "purpose reads fields but may only find",
            '["find","disclose"]',
            '["find"]',
            f"{confirm}.reads",
        ),
        ("may find by no kind", finds, '"finds":{}', f"{confirm}.find-by"),
        ("finds by an empty list", finds, '"finds":{"residents":[]}', f"{confirm}.find-by.residents"),
        (
            "kinds not sorted",
            finds,
            '"finds":{"residents":["resident-id","phone"]}',
            f"{confirm}.find-by.residents",
        ),
        ("kind twice", finds, '"finds":{"residents":["phone","phone"]}', f"{confirm}.find-by.residents"),
        (
            "finds by a kind that the holding has not",
            finds,
            '"finds":{"residents":["email"]}',
            f"{confirm}.find-by.residents",
        ),
        (
            "finds in a holding that it does not read",
            finds,
            '"finds":{"visits":["resident-id"]}',
            f"{confirm}.find-by.visits",
        ),
        ("names kinds but may not find", '"finds":{}', '"finds":{"residents":["phone"]}', "purposes.register.find-by"),
        ("may check, but asks nothing", tests, '"checks":{}', f"{trace}.checks"),
        ("asks but may not check", '"checks":{}', '"checks":{"residents":{"born":["adult"]}}', f"{confirm}.checks"),
        ("test that does not fit", '"day":["matches"]', '"day":["district"]', f"{trace}.checks.visits.day"),
        (
            "test of an image",
            '"guest":["adult","district","matches"]',
            '"photo":["matches"]',
            f"{trace}.checks.visits.photo",
        ),
        ("test of an unknown field", '"day":["matches"]', '"born":["matches"]', f"{trace}.checks.visits.born"),
        ("no test of a field", '"day":["matches"]', '"day":[]', f"{trace}.checks.visits.day"),
        (
            "tests not sorted",
            '["adult","district","matches"]',
            '["matches","adult"]',
            f"{trace}.checks.visits.guest",
        ),
        (
            "tests in a holding that it does not read",
            '"checks":{"visits":',
            '"checks":{"guests":',
            f"{trace}.checks.guests",
        ),
        ("exports none at once", '"most":10', '"most":0', most),
        ("exports over 10,000 at once", '"most":10', '"most":10001', most),
        ("says how many but may not export", '"most":0', '"most":5', f"{confirm}.most"),
        (
            "history but may not disclose",
            actions,
            '["find","check","correct","erase","export"]',
            f"{trace}.history",
        ),
        ("tells but may not take in", '"tells":false', '"tells":true', f"{confirm}.tells"),
        (
            "held but may only take in",
            f'"held":false,"history":false,{_LAWFUL}"most":0,"reads":{{"residents":{{}}}}',
            f'"held":true,"history":false,{_LAWFUL}"most":0,"reads":{{"residents":{{}}}}',
            "purposes.register.held",
        ),
        (
            "countersigned by units but no role",
            '"roles":["clerk","judge"],"units":["court","health"]',
            '"roles":[],"units":["court","health"]',
            f"{trace}.countersign",
        ),
        (
            "countersigned by the asker's own unit alone",
            '"units":["court","health"]',
            '"units":["health"]',
            f"{trace}.countersign.units",
        ),
        (
            "countersigned by a unit too small to name",
            '"units":["court","health"]',
            '"units":["court","other"]',
            f"{trace}.countersign.units",
        ),
        ("purpose called as what is not known", '"visit":{"about"', '"unknown":{"about"', "purposes.unknown"),
        (
            "unit called as those too small to name",
            '["registry","health"]',
            '["registry","other"]',
            f"{confirm}.units",
        ),
        ("rate", '"20/minute"', '"20/min"', f"{confirm}.budgets.reader"),
        ("rate with a leading zero", '"20/minute"', '"020/minute"', f"{confirm}.budgets.reader"),
        ("two rates of a period", '"20/minute","200/day"', '"20/day","200/day"', f"{confirm}.budgets.reader"),
        ("rate of a record", '"record":["2/day"]', '"record":["0/day"]', f"{trace}.budgets.record"),
        (
            "budget of an unknown holding",
            '"holdings":{"residents":["9000/day"]}',
            '"holdings":{"guests":["9000/day"]}',
            "budgets.holdings.guests",
        ),
        ("bucket root missing", '"phone":"6JoQ1Mqfrfb7l70RT+r7OlXvHaex36wRjzygxB8HVHw=",', "", "buckets.residents"),
        ("rule that permits", "forbid (principal", "permit (principal", "rules"),
        ("rule without a name", '@id(\\"no-reads-at-night\\") ', "", "rules"),
        ("rule with a wrong fact", "context.hour", "context.hours", "rules"),
        ("no steward", '"stewards":["', '"stewards":[],"x":["', ""),
        (
            "verifier key of another name",
            '"log":"riverton.example/ledger+',
            '"log":"riverton.example/other+',
            "keyholder.log",
        ),
    ]


_LAWFUL = '"lawful_basis":"Residence Act, section 9",'


def charter() -> dict[str, Any]:
    """The content of ``charter.json``."""
    steward = Ed25519PrivateKey.from_private_bytes(STEWARD)
    base = sample.charter()
    document = documents.document(
        sample.charter(
            stewards=[steward.public_key().public_bytes_raw()],
            roster=documents.roster_hash(ROSTER),
            holdings=base.holdings | {"visits": VISITS},
            buckets=base.buckets | {"visits": {"resident-id": sample.key("guests"), "text:host": sample.key("hosts")}},
            purposes=PURPOSES,
        )
    )
    return {
        "about": "SPEC.md 6.1 to 6.3. Each refused charter is the document with `replace` once replaced by `by`",
        "document": document.decode(),
        "charter_hash": documents.charter_hash(document).hex(),
        "steward_private": STEWARD.hex(),
        "signature": documents.sign(document, steward).hex(),
        "roster": ROSTER.decode(),
        "roster_hash": documents.roster_hash(ROSTER).hex(),
        "refused": [
            {"why": why, "replace": old, "by": new, "code": "catalog" if place else "malformed"}
            | ({"place": place} if place else {})
            for why, old, new, place in [*_members(), *_purposes()]
        ],
    }


if __name__ == "__main__":
    (VECTORS / "charter.json").write_text(json.dumps(charter(), ensure_ascii=False, indent=1) + "\n", "utf-8")
