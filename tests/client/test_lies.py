"""A vault that lies, in each way that a client could be told something that is not so: each is found, and nothing is returned.

What a lying vault can do unseen stands in THREATS.md: give other values of the right record, or find nobody.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.client.served import WHY, Between, Lie, Resident, Said, Served, rows

from strongroom import Anchors, Room
from strongroom.client.handle import Handle
from strongroom.client.memory import InMemory
from strongroom.errors import CheckpointError, EntryError, FormatError, InputError, LedgerError, ProofError, Refused
from strongroom.keyholder import keys as keyholder_keys
from strongroom.ledger import checkpoint, entry, note, proof, tile, tree
from strongroom.ledger.note import Signer


def changing(path: str, change: Callable[[Any], Any]) -> Lie:
    """Changes the answers of that path; each line of one that has lines."""

    def lie(said: Said) -> Said:
        if said.path.startswith(path) and said.status in (200, 201):
            lines = [change(json.loads(line)) for line in said.body.splitlines()]
            said.body = b"\n".join(json.dumps(line).encode() for line in lines if line is not None)
            said.body += b"\n" * said.headers["content-type"].endswith("ndjson")
        return said

    return lie


def member(name: str, value: Any) -> Callable[[Any], Any]:
    return lambda answer: answer | {name: value(answer[name]) if callable(value) else value}


def asked(room: Room, residents: list[Resident]) -> Any:
    handles = [one.handle for one in residents[:3]]
    return room.disclose("residents", "confirm", handles, ["name"], **WHY)


@pytest.fixture
def lied_to(served: Served, between: Between) -> Iterator[Room]:
    with served.room("ana", InMemory(), between.address) as room:
        yield room


def strange(records: list[Any]) -> list[Any]:
    return [*records[:-1], records[-1] | {"handle": "ab" * 16}]


@pytest.mark.parametrize(
    "change",
    [
        lambda records: records[:-1],
        lambda records: [*records, records[0]],
        lambda records: [records[1], records[0], *records[2:]],
        strange,
        lambda records: [{"handle": one["handle"], "fields": {}} for one in records],
        lambda records: [one | {"fields": one["fields"] | {"sex": "male"}} for one in records],
        lambda records: [{"handle": one["handle"], "fields": {"born": "1990"}} for one in records],
    ],
    ids=[
        "a record dropped",
        "one twice",
        "another order",
        "another's record",
        "no fields",
        "one more field",
        "another field",
    ],
)
def test_another_answer_than_was_asked_for(
    change: Any, lied_to: Room, between: Between, residents: list[Resident]
) -> None:
    between.lie = changing("/v1/disclosures", member("records", change))
    with pytest.raises(FormatError, match="asked for"):
        asked(lied_to, residents)


def test_an_entry_that_is_anothers(lied_to: Room, between: Between, residents: list[Resident]) -> None:
    """Of an ask that was answered before, with its own good receipt: the read itself is kept out of the ledger."""
    before = asked(lied_to, residents)

    def lie(answer: Any) -> Any:
        return answer | {"entry": before.entry, "receipt": before.receipt}

    between.lie = changing("/v1/disclosures", lie)
    with pytest.raises(EntryError, match="not about this ask"):
        asked(lied_to, residents)


def test_every_action_is_held_to_its_own_entry(served: Served, between: Between, residents: list[Resident]) -> None:
    with (
        served.room("ana", InMemory(), between.address) as clerk,
        served.room("rui", InMemory(), between.address) as rui,
    ):
        one = [residents[4].handle]
        (gone,) = rui.take_in("residents", "register", rows(1, 54), **WHY).records
        before = clerk.find("residents", "reach", "phone", residents[4].values["phone"] or "", **WHY)
        calls: dict[str, Callable[[], Any]] = {
            "/v1/finds": lambda: clerk.find("residents", "confirm", "phone", "+86 130 1234 5678", **WHY),
            "/v1/checks": lambda: clerk.check("residents", "verify", one, "born", "adult", **WHY),
            "/v1/corrections": lambda: rui.correct(
                "residents", "amend", one, {"email": None}, intake="register", **WHY
            ),
            "/v1/erasures": lambda: rui.erase("residents", "forget", [gone], **WHY),
            "/v1/records": lambda: rui.take_in("residents", "register", rows(1, 55), **WHY),
            "/v1/exports": lambda: list(clerk.export("residents", "extract", ["name"], 1, records=one, **WHY)),
        }
        false = {"entry": before.entry, "receipt": before.receipt, "entries": [before.entry]}
        for path, call in calls.items():
            between.lie = changing(path, lambda answer: answer | {k: v for k, v in false.items() if k in answer})
            with pytest.raises(EntryError):
                call()


def test_a_receipt_of_another_entry_or_none(lied_to: Room, between: Between, residents: list[Resident]) -> None:
    before = asked(lied_to, residents)
    between.lie = changing("/v1/disclosures", member("receipt", before.receipt))
    with pytest.raises(ProofError):
        asked(lied_to, residents)
    between.lie = changing("/v1/disclosures", member("receipt", lambda text: text.replace("index ", "index 1")))
    with pytest.raises(LedgerError):
        asked(lied_to, residents)
    between.lie = changing("/v1/disclosures", member("receipt", ""))
    with pytest.raises(ProofError):
        asked(lied_to, residents)


def test_a_checkpoint_that_the_log_did_not_sign(lied_to: Room, between: Between, residents: list[Resident]) -> None:
    asked(lied_to, residents)

    def unsigned(text: str) -> str:
        found = proof.parse(text)
        parsed = note.parse_note(found.checkpoint)
        line = parsed.signatures[0]
        false = note.Signature(line.name, line.key_id, bytes(len(line.signature)))
        return proof.Proof(found.index, found.hashes, note.marshal(note.Note(parsed.text, (false,)))).marshal()

    between.lie = changing("/v1/disclosures", member("receipt", unsigned))
    with pytest.raises(LedgerError, match="does not verify"):
        asked(lied_to, residents)


class Fork:
    """Another ledger, signed with the log's own key: what vault and keyholder could make together for one reader alone. It has the reads
    of this reader and no others."""

    def __init__(self, signer: Signer, origin: str) -> None:
        self._signer, self._origin = signer, origin
        self.entries: list[bytes] = []

    def receipt(self, index: int) -> str:
        leaves = [tree.leaf_hash(one) for one in self.entries]
        tiles = tile.append(lambda level, n: b"", 0, leaves)
        text = checkpoint.Checkpoint(self._origin, len(leaves), tree.root(leaves)).marshal()
        signed = f"{text}\n{self._signer.sign(text)}"
        hashes = tile.prove_inclusion(lambda level, n: tiles.get((level, n), b""), index, len(leaves))
        return proof.Proof(index, tuple(hashes), signed).marshal()


def test_a_forked_ledger(served: Served, between: Between, residents: list[Resident], tmp_path: Path) -> None:
    state = tmp_path / "state"
    with served.room("ana", state) as room:
        asked(room, residents)
    kept = state.read_text()
    fork = Fork(keyholder_keys.load(served.root / "keyholder").log, "riverton.example/ledger")
    with urllib.request.urlopen(f"{served.address}/v1/entries?limit=10000") as answer:  # noqa: S310 - of our own server
        fork.entries = [json.loads(line)["text"].encode() for line in answer]
    # Some read of somebody else's, which is not to be known.
    left_out = next(at for at, one in enumerate(fork.entries) if b'"type":"disclosure"' in one)
    time = entry.parse(fork.entries[left_out]).time
    fork.entries[left_out] = entry.encode(entry.HeartbeatEntry(v=1, time=time))

    def lie(said: Said) -> Said:
        if said.path == "/v1/disclosures":
            answer = json.loads(said.body)
            # The true entry of the true ask, so that only the tree around it is another.
            with served.room("ana", InMemory()) as other:
                fork.entries.append(other.receipt(answer["entry"]).text.encode())
            index = len(fork.entries) - 1
            said.body = json.dumps(answer | {"entry": index, "receipt": fork.receipt(index)}).encode()
        elif said.path.startswith("/v1/receipts/"):
            index = int(said.path.rpartition("/")[2])
            text = fork.entries[index].decode()
            said.body = json.dumps({"entry": index, "text": text, "receipt": fork.receipt(index)}).encode()
            said.status = 200
        elif said.path.startswith("/v1/entries"):
            first, limit = (int(one.partition("=")[2]) for one in said.path.partition("?")[2].split("&"))
            lines = [
                json.dumps({"entry": at, "text": fork.entries[at].decode()})
                for at in range(first, min(first + limit, len(fork.entries)))
            ]
            said.body = ("\n".join(lines) + "\n").encode()
        elif said.path.startswith("/ledger/"):
            said.status, said.body = 404, b""
        return said

    between.lie = lie
    with served.room("ana", state, between.address) as room, pytest.raises(CheckpointError, match="FORKED"):
        asked(room, residents)
    assert state.read_text() == kept
    # Who remembers nothing takes the fork for the ledger: the memory is what finds it.
    with served.room("ana", InMemory(), between.address) as room:
        assert asked(room, residents).records


def test_entries_that_are_false(served: Served, between: Between, residents: list[Resident], tmp_path: Path) -> None:
    with served.room("ana", tmp_path / "state") as room:
        asked(room, residents)

    def other(answer: Any) -> Any:
        return answer | {"text": json.dumps(json.loads(answer["text"]) | {"time": 1}, separators=(",", ":"))}

    with served.room("ana", tmp_path / "state", between.address) as room:
        room.charter()
        between.lie = changing("/v1/entries", other)
        with pytest.raises(LedgerError):
            asked(room, residents)
        between.lie = changing("/v1/entries", member("entry", lambda index: index + 1))
        with pytest.raises(LedgerError):
            asked(room, residents)
        # What it was told is not remembered: once the vault is honest, so is the answer.
        between.lie = lambda said: said
        assert asked(room, residents).records


def test_charters_that_are_not_the_ledgers(served: Served, between: Between, residents: list[Resident]) -> None:
    def without_first(answer: Any) -> Any:
        return answer | {"charters": answer["charters"][1:]}

    lies: list[Callable[[Any], Any]] = [
        without_first,
        lambda answer: answer | {"charters": [one | {"entry": one["entry"] + 100} for one in answer["charters"]]},
        lambda answer: answer | {"charters": [answer["charters"][0], *answer["charters"][2:]]},
        lambda answer: answer | {"charters": answer["charters"][::-1]},
    ]
    for change in lies:
        between.lie = changing("/v1/charters", change)
        with served.room("ana", InMemory(), between.address) as room, pytest.raises((LedgerError, InputError)):
            room.charter()
    # One that keeps the newest back: what is asked under the old one is refused, by whoever is honest.
    between.lie = changing("/v1/charters", lambda answer: answer | {"charters": answer["charters"][:-1]})
    with served.room("ana", InMemory()) as room:
        newest = room.charter().charter.version
    with served.room("ana", InMemory(), between.address) as room:
        assert room.charter().charter.version == newest - 1
        with pytest.raises(Refused) as caught:
            asked(room, residents)
        assert caught.value.code == "charter"
        between.lie = lambda said: said
        assert asked(room, residents).records


def test_another_rooms_anchors(served: Served, residents: list[Resident]) -> None:
    known = served.anchors
    for false in (
        Anchors(genesis=bytes(32), log=known.log, room=known.room),
        Anchors(genesis=known.genesis, log=known.log, room=bytes(16)),
    ):
        room = Room(served.address, device=served.device("ana"), anchors=false, state=InMemory())
        with room, pytest.raises(LedgerError):
            asked(room, residents)


def test_records_that_were_taken_in_otherwise(served: Served, between: Between) -> None:
    lies: list[tuple[Callable[[Any], Any], type[Exception]]] = [
        (member("records", lambda records: records[:1]), FormatError),
        (member("records", lambda records: [records[0], records[0]]), FormatError),
        (member("entries", []), FormatError),
        (member("entries", lambda entries: entries * 2), FormatError),
    ]
    with served.room("rui", InMemory(), between.address) as registrar:
        before = registrar.take_in("residents", "register", rows(2, 63), **WHY)
        lies.append((member("entries", lambda entries: [before.entry, *entries]), EntryError))
        for change, kind in lies:
            between.lie = changing("/v1/records", change)
            with pytest.raises(kind):
                registrar.take_in("residents", "register", rows(2, 64), **WHY)


def test_exports_that_keep_something_back(lied_to: Room, between: Between, residents: list[Resident]) -> None:
    handles = [one.handle for one in residents[5:8]]

    def export() -> list[Any]:
        return list(lied_to.export("residents", "extract", ["name"], 3, records=handles, **WHY))

    def of_type(name: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda line: change(line) if line["type"] == name else line

    assert export()
    first = str(min(Handle(one) for one in handles))
    for change, kind in (
        (of_type("record", lambda line: None if line["handle"] == first else line), LedgerError | FormatError),
        (of_type("record", lambda line: line | {"fields": {"phone": "1"}}), FormatError),
        (of_type("record", lambda line: line | {"handle": "cd" * 16}), FormatError),
        (of_type("batch", lambda line: line | {"records": 2}), FormatError),
        (of_type("end", lambda line: line | {"records": 2}), FormatError),
        (of_type("end", lambda line: None), Exception),
        (of_type("batch", lambda line: None), FormatError),
    ):
        between.lie = changing("/v1/exports", change)
        with pytest.raises(kind if isinstance(kind, type) else (LedgerError, FormatError)):
            export()


def test_an_export_whose_second_batch_has_no_entry(lied_to: Room, between: Between, residents: list[Resident]) -> None:
    """It cites the first one's: what it gives would be in no ledger."""

    def lie(said: Said) -> Said:
        if said.path == "/v1/exports":
            *batch, end = [json.loads(line) for line in said.body.splitlines()]
            lines = [*batch, *batch, end | {"records": 2 * end["records"]}]
            said.body = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n"
        return said

    between.lie = lie
    with pytest.raises(EntryError, match="of other records already"):
        list(lied_to.export("residents", "extract", ["name"], 4, **WHY))
