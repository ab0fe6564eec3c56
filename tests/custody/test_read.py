"""The vault opens nothing without a good receipt: a false keyholder's answers, one fault each (DESIGN 4; SPEC.md 8.2)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import FRESH, Houses, change
from tests.world import World

from strongroom.canonical import encode
from strongroom.client.device import SignedAsk
from strongroom.custody import opening, read
from strongroom.errors import (
    CheckpointError,
    CommitmentError,
    EntryError,
    FormatError,
    InputError,
    KeyholderUnavailable,
    NoteError,
    ProofError,
    Refused,
    SealError,
    StrongroomError,
)
from strongroom.gate import ask as asks
from strongroom.gate import written
from strongroom.keyholder import checks, protocol, reading
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.work import Work
from strongroom.ledger import checkpoint, entry, note, proof
from strongroom.seal import hpke
from strongroom.seal.private import open_private


class Answer:
    """What a false keyholder is about to send; a lie changes one of these."""

    def __init__(self, keyholder: Keyholder, case: checks.Case, work: Work, index: int) -> None:
        self.keyholder, self.index = keyholder, index
        self.receipt, self.shares = keyholder.book.receipt(index), case.shares
        self.whos = b"".join(case.whos)
        self.entries = keyholder.book.entries(case.request.have, protocol.MAX_TAIL)
        self.fresh = case.request.fresh  # type: ignore[union-attr]
        self.info = protocol.answer_info(keyholder.room, work.body)
        self.inner = b""

    def sealed(self) -> protocol.SealedAnswer:
        inner = self.inner or encode(protocol.Shares(receipt=self.receipt, shares=self.shares, whos=self.whos))
        return protocol.SealedAnswer(entries=self.entries, sealed=hpke.encrypt(self.fresh, self.info, inner))

    def resigned(self, log: note.Signer | None = None, **members: Any) -> str:
        """The receipt with another checkpoint under it."""
        found = proof.parse(self.receipt)
        at = checkpoint.parse(note.parse_note(found.checkpoint).text)
        text = checkpoint.Checkpoint(at.origin, members.get("size", at.size), members.get("root", at.root)).marshal()
        signed = f"{text}\n{(log or self.keyholder.keys.log).sign(text)}"
        return proof.Proof(members.get("index", found.index), found.hashes, signed).marshal()


Lie = Callable[[Answer], Any]


def _heartbeat(time: int) -> str:
    return entry.encode(entry.HeartbeatEntry(v=1, time=time)).decode()


def _earlier(answer: Answer) -> None:
    """The receipt of a read of the same record before, a good one in every respect."""
    before = max(
        index
        for index, text in enumerate(answer.keyholder.book.entries(0, answer.index))
        if isinstance(entry.parse(text.encode()), entry.DisclosureEntry)
    )
    answer.receipt = answer.keyholder.book.receipt(before)


def _log() -> note.Signer:
    return note.Signer("riverton.example/ledger", Ed25519PrivateKey.generate())


def _set(**members: Any) -> Lie:
    return lambda answer: answer.__dict__.update(members)


LIES: dict[str, tuple[type[StrongroomError], Lie]] = {
    "no receipt": (ProofError, _set(receipt="")),
    "no inner answer": (FormatError, _set(inner=b"{}")),
    "no proof in it": (ProofError, _set(receipt="c2sp.org/tlog-proof@v1\nindex 0\n\nx\n1\nAAAA\n")),
    "signed by another key": (NoteError, lambda a: setattr(a, "receipt", a.resigned(_log()))),
    "another root": (CheckpointError, lambda a: setattr(a, "receipt", a.resigned(root=os.urandom(32)))),
    "another size": (CheckpointError, lambda a: setattr(a, "receipt", a.resigned(size=10**6))),
    "cut": (CheckpointError, lambda a: setattr(a, "receipt", a.resigned(size=1))),
    "another index": (ProofError, lambda a: setattr(a, "receipt", a.resigned(index=1))),
    "an index outside": (ProofError, lambda a: setattr(a, "receipt", a.resigned(index=10**6))),
    "the last index there is": (ProofError, lambda a: setattr(a, "receipt", a.resigned(index=2**63 - 1))),
    "another entry's": (ProofError, lambda a: setattr(a, "receipt", a.keyholder.book.receipt(0))),
    "an earlier read's": (ProofError, _earlier),
    "another entry instead": (CheckpointError, lambda a: setattr(a, "entries", [_heartbeat(a.keyholder.book.time)])),
    "an entry of a time to come": (EntryError, lambda a: setattr(a, "entries", [_heartbeat(4_000_000_000)])),
    "entries that are none": (EntryError, _set(entries=["{}"])),
    "sealed to another key": (SealError, _set(fresh=FRESH.public)),
    "for another request": (SealError, _set(info=b"x")),
    "no share": (FormatError, _set(shares=b"")),
    "half a share": (FormatError, _set(shares=bytes(16))),
    "a share too many": (FormatError, lambda a: setattr(a, "shares", a.shares * 2)),
}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What went through the door to plaintext."""
    calls: list[Any] = []
    real = opening.__dict__["open_column"]

    def watch(*values: Any) -> Any:
        calls.append(values)
        return real(*values)

    monkeypatch.setattr(opening, "open_column", watch)
    return calls


def _lying(monkeypatch: pytest.MonkeyPatch, lie: Lie) -> None:
    def give(keyholder: Keyholder, case: checks.Case, work: Work, index: int) -> protocol.SealedAnswer:
        answer = Answer(keyholder, case, work, index)
        lie(answer)
        return answer.sealed()

    monkeypatch.setattr(reading, "_give", give)


@pytest.mark.parametrize("name", LIES)
def test_nothing_is_opened_on_a_false_answer(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, opened: list[Any], name: str
) -> None:
    houses.town.disclose(houses.handles[:1])
    opened.clear()
    signed = houses.ask()
    kind, lie = LIES[name]
    with monkeypatch.context() as patch:
        _lying(patch, lie)
        with pytest.raises(kind) as caught:
            read.disclose(houses.town.room, signed)
    assert type(caught.value) is kind, caught.value
    assert opened == []
    # The true answer, had by the same request again or a new ask, opens.
    houses.town.disclose(houses.handles[:1])
    assert len(opened) == 1


def test_entries_withheld_are_fetched_and_else_nothing_opens(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, opened: list[Any]
) -> None:
    signed = houses.ask()
    with monkeypatch.context() as patch:
        _lying(patch, _set(entries=[]))
        assert read.disclose(houses.town.room, signed).values
    opened.clear()
    signed = houses.ask()
    with monkeypatch.context() as patch:
        _lying(patch, _set(entries=[]))
        patch.setattr(houses.town.room, "fetch", lambda _start, _limit: [])
        with pytest.raises(CheckpointError, match="entries end at"):
            read.disclose(houses.town.room, signed)
    assert opened == []


def test_an_answer_replayed(houses: Houses, opened: list[Any]) -> None:
    """Of an earlier request: it is sealed to that one's key."""
    town, kept = houses.town, []
    real = town.room.client._transport

    def keep(path: str, signature: bytes, body: bytes) -> bytes:
        kept.append(real(path, signature, body))
        return kept[-1]

    town.room.client._transport = keep
    read.disclose(town.room, houses.ask())
    opened.clear()
    signed, before = houses.ask(), kept[-1]
    town.room.client._transport = lambda path, signature, body: before
    with pytest.raises((SealError, FormatError)):
        read.disclose(town.room, signed)
    town.room.client._transport = real
    assert opened == []


def _entry_lies(monkeypatch: pytest.MonkeyPatch, **members: Any) -> None:
    real: Any = reading._entry
    monkeypatch.setattr(reading, "_entry", lambda keyholder, case: change(real(keyholder, case), **members))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"commitment": bytes(32)}, "not about this ask"),
        ({"purpose": "reach"}, "not about this ask"),
        ({"count": 1}, "not about this ask"),
        ({"compartments": [2]}, "other compartments"),
        ({"compartments": [1, 2]}, "other compartments"),
        ({"tags": [bytes(16)]}, "fewer tags than records"),
        ({"tags": [bytes(16), bytes([1] * 16), bytes([2] * 16)]}, "not one tag for each person"),
        ({"role": "nurse"}, "not about this ask"),
        ({"unit": "health"}, "another unit"),
    ],
)
def test_an_entry_that_does_not_say_what_was_asked(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, opened: list[Any], members: dict[str, Any], words: str
) -> None:
    signed = houses.ask(2)
    _entry_lies(monkeypatch, **members)
    with pytest.raises(EntryError, match=words):
        read.disclose(houses.town.room, signed)
    assert opened == []
    houses.check = lambda: None  # type: ignore[method-assign] # a false book


def test_an_entry_dated_when_the_ask_was_not_good(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, opened: list[Any]
) -> None:
    signed = houses.ask(1)
    houses.town.hands.wait(100)
    monkeypatch.setattr(written, "LATE_SECONDS", 60)
    with pytest.raises(EntryError, match="outside the time"):
        read.disclose(houses.town.room, signed)
    assert opened == []


def test_a_record_sealed_under_another_person_is_found_out_where_its_identifier_opens(town: World) -> None:
    """Whoever had the vault at intake can do that; its person would find no read of it."""
    people = town.take_in(6, shift=1)
    with pytest.raises(SealError, match="under another person"):
        town.disclose([people[2].handle], ("name",))
    # A purpose that opens other compartments alone cannot tell: THREATS.md says so.
    assert town.disclose([people[2].handle], ("phone",), "reach").values


def test_the_same_private_half_twice_leaves_evidence_of_both(town: World) -> None:
    """An auditor who opens an entry's evidence must be shown that read and no other."""
    people = town.take_in(3)
    first = town.ask([people[0].handle], ("name",))
    harmless, private = first.ask, first.private
    again = change(harmless, nonce=os.urandom(16), records=[people[1].handle], fields=["born", "name"])
    text = encode(again)
    second = SignedAsk(again, text, asks.sign(text, town.key_of("ana").key), private)
    indexes = [read.disclose(town.room, one).index for one in (first, second)]
    auditor = hpke.private_from((town.root / "steward" / "auditor.key").read_bytes())
    for index, one in zip(indexes, (first, second), strict=True):
        written = entry.parse(town.room.mirror.entry(index))
        assert isinstance(written, entry.DisclosureEntry)
        sealed = town.room.store.private(written.commitment)
        assert sealed is not None
        data = open_private(auditor, town.room.keys.room, written.commitment, sealed)
        shown, half, _ = asks.parse_evidence(data, written.commitment)
        assert (shown, half) == (one.ask, one.private)
        with pytest.raises(CommitmentError):
            asks.parse_evidence(data, bytes(32))


def test_a_share_of_somebody_else_opens_nothing(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = houses.ask(2)
    _lying(monkeypatch, lambda a: setattr(a, "shares", a.shares[32:] + a.shares[:32]))
    with pytest.raises(CommitmentError, match="tampered with"):
        read.disclose(houses.town.room, signed)


@pytest.mark.parametrize("at", [0, 2, 4])
def test_of_many_records_the_one_that_does_not_open_is_named(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Opened, and held against their persons, at once; what is odd is said of the very one."""
    name = f"record {houses.handles[at].hex()} "
    _lying(monkeypatch, lambda a: setattr(a, "shares", a.shares[: 32 * at] + bytes(32) + a.shares[32 * at + 32 :]))
    with pytest.raises(CommitmentError, match=name):
        read.disclose(houses.town.room, houses.ask(5))
    _lying(monkeypatch, lambda a: setattr(a, "whos", a.whos[: 16 * at] + bytes(16) + a.whos[16 * at + 16 :]))
    with pytest.raises(SealError, match=f"{name}is sealed under another person"):
        read.disclose(houses.town.room, houses.ask(5))


# --- what reaches the reader -------------------------------------------------------------------------------------------
def test_only_the_fields_asked_for_and_as_masked(houses: Houses) -> None:
    one = houses.people[0]
    found = houses.town.disclose([one.handle], ("id-number", "born", "sex"))
    number, born = one.values["id-number"] or "", one.values["born"] or ""
    assert found.values == ({"id-number": f"****{number[-4:]}", "born": born[:4], "sex": one.values["sex"]},)
    assert found.handles == (one.handle,)
    assert str(one.values["name"]) not in repr(found)


def test_find_then_disclose(houses: Houses) -> None:
    one = houses.people[3]
    found = houses.town.find("resident-id", one.values["id-number"] or "")
    assert found.handles == (one.handle,)
    houses.town.find("phone", "+8613900000002")
    assert [type(item) for item in houses.entries()[-2:]] == [entry.FindEntry, entry.FindEntry]


def test_a_gates_refusal_is_an_entry_and_opens_nothing(houses: Houses, opened: list[Any]) -> None:
    now = houses.town.room.now()
    signed = houses.town.asker().disclose("residents", "confirm", houses.handles[:1], ["name"], "case-1", "asdf", now)
    with pytest.raises(Refused, match="reason"):
        read.disclose(houses.town.room, signed)
    last = houses.entries()[-1]
    assert isinstance(last, entry.RefusalEntry)
    assert (last.by, last.code) == ("vault", "reason")
    assert opened == []


def test_parts_that_do_not_belong_together_are_refused_without_an_entry(houses: Houses) -> None:
    size = houses.town.keyholder.book.size
    signed = houses.ask()
    other = SignedAsk(signed.ask, signed.text, signed.signature, houses.ask().private)
    with pytest.raises(Refused) as caught:
        read.disclose(houses.town.room, other)
    assert caught.value.code == "ask"
    assert houses.town.keyholder.book.size == size


def test_a_record_that_is_not_here(houses: Houses) -> None:
    with pytest.raises(InputError, match="1 of the records"):
        houses.town.disclose([houses.handles[0], os.urandom(16)])


def test_no_keyholder_no_read(houses: Houses, opened: list[Any]) -> None:
    signed = houses.ask()

    def gone(path: str, signature: bytes, body: bytes) -> bytes:
        raise KeyholderUnavailable("no keyholder answers")

    houses.town.room.client._transport = gone
    with pytest.raises(KeyholderUnavailable):
        read.disclose(houses.town.room, signed)
    assert opened == []
    assert isinstance(signed.ask, asks.DiscloseAsk)
