"""Hostile bodies on every path, signed by whoever may sign there: only errors of ours, and only the canonical form."""

from __future__ import annotations

import json
import os
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.houses import FRESH, Houses, change
from tests.keyholder import asked
from tests.keyholder.grouped import group_of, part_of
from tests.ledger.mutate import mutations

from strongroom.canonical import Codec, Record, encode
from strongroom.custody.steps import of_ask
from strongroom.errors import FormatError, StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.work import Work

CODES = {
    "malformed", "vault", "clock", "ask", "room", "reader", "signature", "used", "early", "stale", "charter", "purpose", "role", "unit",
    "holding", "field", "compartment", "record", "frozen", "erased", "epoch", "batch", "budget", "desk", "device", "operator", "code",
    "store", "seal", "test", "version", "countersign", "expired", "person",
}  # fmt: skip
KEY = bytes(32)
NOTE = "riverton.example/ledger\n0\n" + "A" * 43 + "=\n\n— riverton.example/ledger AAAAAAA=\n"
VAULT: dict[str, Any] = {"have": 0, "cosignature": "", "root": KEY, "time": 7}
ASK = encode(
    asks.DiscloseAsk(
        v=1, charter=KEY, commitment=KEY, holding="residents", nonce=bytes(16), purpose="confirm", reader=b"r" * 16,
        room=bytes(16), time=7, fields=["name"], records=[bytes(16)], version=0,
    )
).decode()  # fmt: skip
SIGNED = asks.Countersignature(reader=b"s" * 16, signature=bytes(64))
ASKED: dict[str, Any] = {"ask": ASK, "signature": bytes(64), "countersignatures": [SIGNED]}
WITH_ASK: dict[str, Any] = VAULT | ASKED
BATCHES: dict[str, Any] = {"batches": [bytes(1169)], "epochs": [20_000], "expires": [20_001], "members": KEY}
SLOTS: dict[str, Any] = BATCHES | {
    "handles": bytes(16), "versions": b"\0\0\0\1", "compartments": b"\0\1", "masked": bytes(16), "batch": b"\0\0",
    "deltas": bytes(32),
}  # fmt: skip
STATED = protocol.StatedChain(chain=KEY, count=1, generation=1, holding="residents", kind="phone")
ERASED = protocol.CertifiedRecord(entry=1, epochs=[20_000], handle=bytes(16), mark=bytes(16))
CHAIN = protocol.Chain(key=KEY, count=1, generation=1, holding="residents", kind="phone")

PART = protocol.part(protocol.Disclose, **ASKED, **SLOTS)

REQUESTS: dict[str, Record] = {
    "/v1/disclose": protocol.Disclose(**WITH_ASK, **SLOTS, fresh=FRESH.public),
    "/v1/erase": protocol.Erase(**WITH_ASK, **SLOTS),
    "/v1/find": protocol.Find(**WITH_ASK, fresh=FRESH.public, inner=KEY),
    "/v1/intake": protocol.Intake(**WITH_ASK, fresh=FRESH.public, fields=["phone"], inners=[KEY]),
    "/v1/refusal": protocol.Refusal(**WITH_ASK, code="reason"),
    "/v1/together": protocol.Together(**VAULT, fresh=FRESH.public, parts=[msgspec.Raw(encode(PART))]),
    "/v1/charter": protocol.EnterCharter(**VAULT, document="{}", roster="[]", signature=bytes(64), steward=KEY),
    "/v1/epoch": protocol.Epoch(**VAULT, holding="residents", epoch=20_000),
    "/v1/supersede": protocol.Supersede(**VAULT, holding="residents", handles=bytes(16), versions=b"\0\0\0\2"),
    "/v1/reseal": protocol.Reseal(
        **VAULT, holding="residents", epoch=20_000,
        batches=[protocol.Aging(deltas=b"", epoch=20_000, expires=20_001, members=bytes(20), sealed=bytes(1169))],
    ),
    "/v1/held": protocol.Held(**VAULT, **BATCHES, holding="residents"),
    "/v1/certify": protocol.Certify(**VAULT, holding="residents", records=[bytes(16)]),
    "/v1/budgets": protocol.Budgets(**VAULT, holding="residents", purpose="confirm", reader=bytes(16)),
    "/v1/entries": protocol.Entries(**VAULT, start=0, limit=3),
    "/v1/cosign": protocol.Plain(**VAULT),
    "/v1/publish": protocol.Plain(**VAULT),
    "/v1/status": protocol.Plain(**VAULT),
    "/v1/desk/admit": protocol.Admit(code=KEY, holding="residents", kind="phone", time=7, who=bytes(16)),
    "/v1/subject/enrol": protocol.Enrol(code="0123456789", device=KEY, time=7),
    "/v1/subject/reads": protocol.Reads(device=KEY, fresh=FRESH.public, nonce=bytes(16), time=7),
    "/v1/operator": protocol.Operate(
        action="hold", authority="a court", holding="residents", nonce=bytes(16), scope="", time=7, until=8
    ),
}  # fmt: skip

ANSWERS: list[tuple[Codec[Any], Record]] = [
    (protocol.sealed_answer, protocol.SealedAnswer(entries=["{}"], sealed=KEY)),
    (protocol.shares, protocol.Shares(receipt="r", shares=KEY, whos=KEY)),
    (protocol.token, protocol.Token(receipt="r", token=bytes(16))),
    (protocol.tokens, protocol.Tokens(receipt="r", tokens=[bytes(16)])),
    (protocol.parts, PART),
    (protocol.parts, protocol.part(protocol.Find, **ASKED, inner=KEY)),
    (protocol.parts, protocol.part(protocol.Refusal, **ASKED, code="reason")),
    (protocol.given_together, protocol.GivenTogether(checkpoint=NOTE, entries=["{}"], sealed=KEY)),
    (
        protocol.part_answers,
        protocol.PartAnswers(
            answers=[
                protocol.Given(index=1, shares=KEY, whos=KEY),
                protocol.GivenToken(index=2, token=bytes(16)),
                protocol.Entered(index=3),
                protocol.NotGiven(code="frozen", detail="x", after=None, index=4),
            ]
        ),
    ),
    (protocol.written, protocol.Written(entries=["{}"], receipt="r")),
    (
        protocol.resealed,
        protocol.Resealed(batches=[protocol.Aged(deltas=KEY, members=bytes(20), sealed=KEY)], signature=bytes(64)),
    ),
    (protocol.held_proofs, protocol.HeldProofs(proofs=KEY)),
    (protocol.certified, protocol.Certified(certificate="{}", checkpoint=NOTE, signature=bytes(64))),
    (
        protocol.certificate,
        protocol.Certificate(holding="residents", records=[ERASED], room=bytes(16), root=KEY, size=1, time=7, v=1),
    ),
    (protocol.epoch_key, protocol.EpochKey(public=FRESH.public, signature=bytes(64))),
    (protocol.tail, protocol.Tail(checkpoint=NOTE, entries=["{}"])),
    (protocol.published, protocol.Published(checkpoint=NOTE)),
    (
        protocol.status,
        protocol.Status(
            charter=KEY,
            charter_version=1,
            checkpoint=NOTE,
            frozen=["room"],
            pending=[2],
            published=1,
            time=7,
            witnessed="",
        ),
    ),
    (
        protocol.buckets,
        protocol.Buckets(buckets=[protocol.Bucket(left=1, rate="5/day", scope="reader")], time=7),
    ),
    (protocol.done, protocol.Done(done=True)),
    (protocol.enrolled, protocol.Enrolled(chain=KEY, holding="residents", kind="phone")),
    (protocol.sealed_reads, protocol.SealedReads(sealed=KEY)),
    (
        protocol.reads_inner,
        protocol.ReadsInner(chains=[CHAIN], checkpoint=NOTE, signature=bytes(64), statement="{}"),
    ),
    (
        protocol.statement,
        protocol.Statement(chains=[STATED], device=KEY, room=bytes(16), root=KEY, size=1, time=7, v=1),
    ),
    (protocol.problem, protocol.Problem(code="ask", detail="x", after=None)),
]

HOSTILE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "\0", "A" * 5000, "room", "holding:x", "reader:" + "f" * 32, "AAAA", "AA==", NOTE, ASK, "{}", "[" * 9999]),
    st.lists(st.sampled_from(["", "AAAA", 0, -1, None, [], {}]), max_size=5),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)  # fmt: skip


@st.composite
def hostile(draw: st.DrawFn, request: Record) -> bytes:
    """A body that is nearly ``request``: some members put right for the room, some wrong, or its text changed."""
    members = json.loads(encode(request))
    for name in draw(st.lists(st.sampled_from(sorted(members)), max_size=3)):
        members[name] = draw(HOSTILE)
    if draw(st.integers(0, 9)) == 0:
        members.pop(draw(st.sampled_from(sorted(members))))
    if draw(st.integers(0, 9)) == 0:
        members[draw(st.text(max_size=5))] = draw(HOSTILE)
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 4)) == 0:
        text = draw(mutations(text))
    return text.encode("utf-8", "surrogatepass")


def test_the_corpus_is_whole() -> None:
    """A corpus that lacks a path fuzzes nothing on it."""
    assert REQUESTS.keys() == protocol.REQUESTS.keys()
    codecs = [one for one in vars(protocol).values() if isinstance(one, Codec)]
    assert codecs
    assert {id(one) for one in codecs} == {id(codec) for codec, _ in ANSWERS}
    for path, request in REQUESTS.items():
        assert protocol.REQUESTS[path].parse(encode(request)) == request
    for codec, answer in ANSWERS:
        assert codec.parse(encode(answer)) == answer


def _answers(houses: Houses, path: str, body: bytes) -> None:
    keyholder = houses.town.keyholder
    keys = {"desk": keyholder.keys.desk, "operator": keyholder.keys.operator, "subject": houses.town.key_of("ana").key}
    key = keys.get(path.split("/")[2], houses.town.room.keys.message)
    (answer,) = keyholder.commit([Work(path, protocol.sign_request(keyholder.room, path, body, key), body)])
    if isinstance(answer, StrongroomError):
        assert answer.code in CODES, answer.code
        assert len(encode(protocol.Problem(code=answer.code, detail=str(answer), after=2**53 - 1))) < 2000
    else:
        encode(answer)


def _own(houses: Houses, path: str) -> Record:
    """A request that is good in this room where one can be made, so that some changes of it come as far as they can."""
    sealed = asked.Sealed(houses, houses.handles[:2])
    known, now = houses.town.room.common(), houses.town.room.now()
    later = protocol.Reseal(**known, holding="residents", epoch=sealed.closed.epoch + 1, batches=[sealed.aging()])
    proof = protocol.Held(
        **known,
        holding="residents",
        batches=[sealed.closed.secret],
        epochs=[sealed.closed.epoch],
        expires=[sealed.closed.expires],
        members=sealed.closed.members,
    )
    good: dict[str, Record] = {
        "/v1/disclose": houses.good(),
        "/v1/erase": asked.erase(houses, houses.handles[:1]),
        "/v1/intake": houses.intake(houses.window(5), [KEY]),
        "/v1/together": group_of(houses, [part_of(houses.good()), part_of(houses.good(2))]),
        "/v1/reseal": later,
        "/v1/held": proof,
    }
    if path in good:
        return good[path]
    sample, own = REQUESTS[path], dict[str, Any]()
    for name in sample.__struct_fields__:
        if name == "time":
            own[name] = now
        elif name == "until":
            own[name] = now + 86400
        elif name == "device":
            own[name] = houses.town.key_of("ana").public
        elif name in known:
            own[name] = known[name]
        elif name == "ask":
            own |= of_ask(houses.ask())
    return change(sample, **own)  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", REQUESTS)
def test_hostile_bodies_meet_only_errors_of_ours(houses: Houses, path: str) -> None:
    whole = _own(houses, path)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(hostile(whole))
    def attack(body: bytes) -> None:
        _answers(houses, path, body)

    attack()
    houses.check()


@given(st.sampled_from(sorted(REQUESTS)), st.data())
def test_a_request_is_canonical_or_refused(path: str, data: st.DataObject) -> None:
    body = data.draw(hostile(REQUESTS[path]))
    try:
        found = protocol.REQUESTS[path].parse(body)
    except FormatError:
        return
    assert encode(found) == body


@given(st.sampled_from(range(len(ANSWERS))), st.data())
def test_an_answer_is_canonical_or_refused(place: int, data: st.DataObject) -> None:
    codec, sample = ANSWERS[place]
    body = data.draw(hostile(sample))
    try:
        found = codec.parse(body)
    except FormatError:
        return
    assert encode(found) == body


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_a_good_request_with_other_columns_keeps_the_rules(houses: Houses, noise: bytes) -> None:
    """Columns of any bytes, the ask and its signature good: a share only with its entry and its tag."""
    request = houses.good()
    column = (noise * 16)[:16] or os.urandom(16)
    for name, width in (("masked", 16), ("versions", 4), ("batch", 2)):
        body = encode(type(request)(**_members(request) | {name: column[:width].ljust(width, b"\1")}))
        _answers(houses, "/v1/disclose", body)
    houses.check()


def _members(request: Record) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


def test_any_bytes_at_all(houses: Houses) -> None:
    keyholder: Keyholder = houses.town.keyholder
    for path in [*REQUESTS, "", "/", "/v1/\0", "/v1/" + "x" * 10_000, "é"]:
        for body in (b"", b"\0", b"null", b"[]", b"{}", b'"', b"\xff" * 100, b"[" * 100_000, os.urandom(1000)):
            for signature in (b"", bytes(64), os.urandom(64), os.urandom(1000)):
                (answer,) = keyholder.commit([Work(path, signature, body)])
                assert isinstance(answer, StrongroomError)
                assert answer.code in CODES
            _answers(houses, path if path.startswith("/v1/s") else "/v1/status", body)
