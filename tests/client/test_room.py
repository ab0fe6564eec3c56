"""A room over the network, as an application uses it: real vault, real keyholder, real asks."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.client.served import MAIN, WHY, Between, Resident, Served, rows

from strongroom import Room
from strongroom.canonical import encode
from strongroom.client import messages
from strongroom.client.device import SignedAsk, countersign, create
from strongroom.client.handle import Handle
from strongroom.client.memory import File, InMemory
from strongroom.errors import InputError, Refused
from strongroom.ledger import checkpoint, note, proof


def test_reads_what_was_taken_in_and_proves_it(served: Served, residents: list[Resident], tmp_path: Path) -> None:
    person, other = residents[:2]
    with served.room("ana", tmp_path / "state") as room:
        found = room.find("residents", "confirm", "resident-id", person.values["id-number"] or "", **WHY)
        assert found.records == (person.handle,)
        answer = room.disclose("residents", "confirm", [person.handle, str(other.handle)], ["name", "id-number"], **WHY)
        for one in (person, other):
            assert answer.records[one.handle]["name"] == one.values["name"]
            assert answer.records[one.handle]["id-number"] == "****" + str(one.values["id-number"])[-4:]
        told = room.check("residents", "verify", [person.handle], "born", "matches", person.values["born"], **WHY)
        assert told.records == {person.handle: True}
        assert json.loads(answer.text)["type"] == "disclosure"
        kept = checkpoint.parse(note.parse_note((tmp_path / "state").read_text()).text)
        for proved in (found, answer, told):
            assert proof.parse(proved.receipt).index == proved.entry < kept.size
        again = room.receipt(answer.entry)
        assert (again.entry, again.text) == (answer.entry, answer.text)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_writes(served: Served, tmp_path: Path) -> None:
    taken = rows(3, 21)
    with served.room("rui", tmp_path / "state") as registrar, served.room("ana", tmp_path / "state") as clerk:
        (batch,) = registrar.take_in_many("residents", "register", iter(taken), **WHY)
        first, *rest = batch.records
        corrected = registrar.correct("residents", "amend", [first], {"name": "Wu Ming"}, intake="register", **WHY)
        assert corrected.records == {first: 2}
        assert corrected.indexed
        assert clerk.disclose("residents", "confirm", [first], ["name"], **WHY).records[first]["name"] == "Wu Ming"
        erased = registrar.erase("residents", "forget", [first], **WHY)
        assert erased.records == (first,)
        with pytest.raises(InputError, match="not in residents"):
            clerk.disclose("residents", "confirm", [first], ["name"], **WHY)
        given = [
            (handle, values["name"])
            for part in clerk.export("residents", "extract", ["name"], 5, records=rest, **WHY)
            for handle, values in part.records.items()
        ]
        assert sorted(given) == sorted(zip(rest, [one["name"] for one in taken[1:]], strict=True))


def test_the_same_from_coroutines(served: Served, residents: list[Resident], tmp_path: Path) -> None:
    async def all_of_it() -> None:
        async with (
            served.aroom("ana", tmp_path / "state") as room,
            served.aroom("rui", tmp_path / "state") as registrar,
        ):
            person = residents[2]
            found, answer = await asyncio.gather(
                room.find("residents", "reach", "phone", person.values["phone"] or "", **WHY),
                room.disclose("residents", "confirm", [person.handle], ["name"], **WHY),
            )
            assert person.handle in found.records
            assert answer.records[person.handle]["name"] == person.values["name"]
            told = await room.check("residents", "verify", [person.handle], "born", "adult", **WHY)
            assert set(told.records) == {person.handle}
            handles = [one.handle for one in residents[:4]]
            exported = [part async for part in room.export("residents", "extract", ["name"], 5, records=handles, **WHY)]
            assert {handle for part in exported for handle in part.records} == set(handles)
            parts = [part async for part in room.disclose_many("residents", "confirm", handles, ["name"], **WHY)]
            assert [len(part.records) for part in parts] == [4]
            (taken,) = [part async for part in registrar.take_in_many("residents", "register", rows(1, 31), **WHY)]
            corrected = await registrar.correct(
                "residents", "amend", taken.records, {"name": "Wu Ming"}, intake="register", **WHY
            )
            assert list(corrected.records.values()) == [2]
            assert (await registrar.erase("residents", "forget", taken.records, **WHY)).records == taken.records
            assert (await room.charter()).charter.name == "riverton.example"
            assert (await room.receipt(0)).entry == 0
            with pytest.raises(Refused) as caught:
                await room.disclose("residents", "confirm", [person.handle], ["email"], **WHY)
            assert caught.value.code == "field"

    asyncio.run(all_of_it())


class Slow(File):
    """A file on a disk that is written to only when ``go`` says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.go, self.waited = threading.Event(), threading.Event(), list[bool]()

    def swap(self, old: str, new: str) -> bool:
        self.asked.set()
        self.waited.append(self.go.wait(10))
        return super().swap(old, new)


def test_a_loop_goes_on_while_the_checkpoint_is_written(
    served: Served, residents: list[Resident], tmp_path: Path
) -> None:
    async def both() -> None:
        state = Slow(tmp_path / "state")
        async with served.aroom("ana", state) as room:
            reading = asyncio.create_task(room.disclose("residents", "confirm", [residents[3].handle], ["name"], **WHY))
            assert await asyncio.to_thread(state.asked.wait, 30)
            # This runs, and the answer is held back until what proves it is remembered.
            assert not reading.done()
            assert state.read() == ""
            state.go.set()
            assert (await reading).records[residents[3].handle]["name"] == residents[3].values["name"]
            assert all(state.waited)
            assert state.read()

    asyncio.run(both())


def test_many_go_in_parts_that_fit(served: Served, residents: list[Resident], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.client.rules.MAX_RECORDS", 5)
    handles = sorted(one.handle for one in residents)
    with served.room("ana", InMemory()) as room:
        with pytest.raises(InputError, match="in parts"):
            room.disclose("residents", "confirm", handles, ["name"], **WHY)
        parts = list(room.disclose_many("residents", "confirm", iter(handles), ["name"], **WHY))
    assert [len(part.records) for part in parts] == [5, 5, 2]
    assert [handle for part in parts for handle in part.records] == handles
    assert len({part.entry for part in parts}) == 3


def test_a_second_signature(served: Served, residents: list[Resident]) -> None:
    def second(signed: SignedAsk) -> SignedAsk:
        return countersign(signed, served.device("eva"))

    asked = ("residents", "unseal", [residents[0].handle], ["phone"])
    with served.room("ana", InMemory(), countersign=second) as room:
        answer = room.disclose(*asked, **WHY)
        assert len(json.loads(answer.text)["countersigners"]) == 1
        # A purpose that wants none is not shown to anybody.
        room.find("residents", "confirm", "phone", residents[0].values["phone"] or "", **WHY)
    with served.room("ana", InMemory()) as room, pytest.raises(Refused) as caught:
        room.disclose(*asked, **WHY)
    assert caught.value.code == "countersign"


def test_an_export_asks_for_no_more_than_is_named(served: Served, between: Between, residents: list[Resident]) -> None:
    with served.room("ana", InMemory(), between.address) as room:
        list(room.export("residents", "extract", ["name"], 40, records=[residents[0].handle], **WHY))
        for count, records in ((40, []), (0, None)):
            with pytest.raises(InputError, match="nothing was asked"):
                list(room.export("residents", "extract", ["name"], count, records=records, **WHY))
    (sent,) = [said.sent for said in between.seen if said.path == "/v1/exports"]
    assert json.loads(json.loads(sent)["ask"]["ask"])["count"] == 1


def test_what_comes_back_countersigned_is_the_same_ask(served: Served, residents: list[Resident]) -> None:
    asked = ("residents", "unseal", [residents[0].handle], ["phone"])
    first: list[SignedAsk] = []

    def another(signed: SignedAsk) -> SignedAsk:
        first.append(signed)
        return countersign(first[0], served.device("eva"))

    with served.room("ana", InMemory(), countersign=another) as room:
        room.disclose(*asked, **WHY)
        with pytest.raises(InputError, match="another ask"):
            room.disclose(*asked, **WHY)


def test_a_new_charter_is_never_asked_under_by_itself(served: Served, residents: list[Resident]) -> None:
    """The ask under the old one is refused, and said to be; the next is signed under the new one."""
    command = [sys.executable, "-c", MAIN, "reader", "add", "bo", "--role", "clerk", "--unit", "registry"]
    asked = ("residents", "confirm", [residents[0].handle], ["name"])
    with served.room("ana", InMemory()) as room:
        before = room.charter()
        room.disclose(*asked, **WHY)
        subprocess.run([*command, "--room", str(served.root)], check=True, capture_output=True)
        with pytest.raises(Refused) as caught:
            room.disclose(*asked, **WHY)
        assert caught.value.code == "charter"
        room.disclose(*asked, **WHY)
        after = room.charter()
    assert after.charter.version == before.charter.version + 1
    assert after.charter.previous == before.hash
    with served.room("bo", InMemory()) as room:
        assert room.disclose(*asked, **WHY).records


def test_a_stranger_is_refused(served: Served, residents: list[Resident], tmp_path: Path) -> None:
    stranger = create(tmp_path / "stranger.device", "stranger", os.urandom)
    room = Room(served.address, device=stranger, anchors=served.anchors, state=InMemory())
    with room, pytest.raises(Refused) as caught:
        room.disclose("residents", "confirm", [residents[0].handle], ["name"], **WHY)
    assert caught.value.code == "reader"


def test_what_is_refused_says_where_the_ledger_has_it(served: Served, residents: list[Resident]) -> None:
    with served.room("ana", InMemory()) as room:
        for code, purpose, fields, reason in (
            ("purpose", "register", ["name"], WHY["reason"]),
            ("field", "confirm", ["email"], WHY["reason"]),
            ("reason", "confirm", ["name"], "test"),
        ):
            with pytest.raises(Refused, match=r"\(entry \d+\)") as caught:
                room.disclose("residents", purpose, [residents[0].handle], fields, case="case-17", reason=reason)
            assert caught.value.code == code


def test_nothing_shows_or_keeps_values(served: Served, residents: list[Resident]) -> None:
    person = residents[3]
    with served.room("ana", InMemory()) as room:
        answer = room.disclose("residents", "confirm", [person.handle], ["name", "born"], **WHY)
        (exported,) = room.export("residents", "extract", ["name"], 1, records=[person.handle], **WHY)
        told = room.check("residents", "verify", [person.handle], "name", "matches", "Somebody Else", **WHY)
    values = answer.records[person.handle]
    name = str(person.values["name"])
    for shown in (answer, exported, told, values):
        assert name not in repr(shown)
        assert name not in str(shown)
    assert "False" not in repr(told)
    for held in (answer, exported, values):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(held)
    assert dict(values) == {"born": str(person.values["born"])[:4], "name": name}


def test_threads_share_a_room_and_processes_its_memory(
    served: Served, residents: list[Resident], tmp_path: Path
) -> None:
    """Answers overtake each other; each is proved all the same, and what is remembered never goes back."""
    with served.room("ana", tmp_path / "state") as one, served.room("ana", tmp_path / "state") as other:

        def read(at: int) -> int:
            handle = residents[at % len(residents)].handle
            return (one, other)[at % 2].disclose("residents", "confirm", [handle], ["name"], **WHY).entry

        with ThreadPoolExecutor(6) as pool:
            entries = list(pool.map(read, range(18)))
    assert len(set(entries)) == 18
    kept = checkpoint.parse(note.parse_note((tmp_path / "state").read_text()).text)
    assert kept.size > max(entries)


def test_a_process_that_was_forked_off_has_lines_of_its_own(
    served: Served, residents: list[Resident], tmp_path: Path
) -> None:
    """As a web server does that loads an application first and forks then: one line used by two would give each the other's answers."""
    (tmp_path / "anchors.json").write_bytes(encode(served.anchors))
    code = """
import os, sys
from strongroom import Room
address, device, *handles = sys.argv[1:]
why = {"case": "case-17", "reason": "confirming an application for a passport"}
room = Room(address, device=device, anchors="anchors.json", state="state")
room.charter()
child = os.fork()
for _ in range(8):
    (name,) = room.disclose("residents", "confirm", [handles[child == 0]], ["name"], **why).records.values()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    device = str(served.root / "people" / "ana.device")
    arguments = [served.address, device, *(str(one.handle) for one in residents[:2])]
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_budgets(served: Served) -> None:
    with served.room("ana", InMemory()) as room:
        told = room.budgets("residents", "confirm")
    assert (told.purpose, told.holding) == ("confirm", "residents")
    assert {one.scope for one in told.budgets} >= {"reader", "room"}


def test_records_go_in_parts_that_one_request_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.client.messages._MOST_SENT", 1000)
    sizes = [len(part) for part in messages.parts({"name": "x" * 60, "born": None} for _ in range(5))]
    assert sizes == [2, 2, 1]
    assert [len(part) for part in messages.parts([{"name": "x" * 9000}] * 2)] == [1, 1]
    monkeypatch.setattr("strongroom.client.messages._MOST_SENT", 10**9)
    assert [len(part) for part in messages.parts({"name": None} for _ in range(10_001))] == [10_000, 1]
    assert list(messages.parts([])) == []


def test_files_alone_are_enough(served: Served, residents: list[Resident], tmp_path: Path) -> None:
    """What an application has of a room: an address and three files. The handle comes from its own table."""
    (tmp_path / "anchors.json").write_bytes(encode(served.anchors))
    code = """
import sys
from strongroom import Room
address, device, anchors, state, handle = sys.argv[1:]
with Room(address, device=device, anchors=anchors, state=state) as room:
    answer = room.disclose("residents", "confirm", [handle], ["name"], case="case-17", reason="confirming an application for a passport")
print(answer.records[next(iter(answer.records))]["name"])
loaded = {name.split(".")[1] for name in sys.modules if name.startswith("strongroom.")}
assert not loaded & {"service", "custody", "cli", "witness", "serving", "drill", "demo", "report"}, loaded
assert not {"aiohttp", "asyncio", "sqlite3", "django", "sqlalchemy", "rich"} & set(sys.modules)
"""
    device = served.root / "people" / "ana.device"
    arguments = [served.address, str(device), "anchors.json", "state", str(residents[0].handle)]
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == residents[0].values["name"]


def test_handles() -> None:
    handle = Handle(bytes(range(16)))
    assert str(handle) == bytes(handle).hex()
    assert Handle(str(handle)) == handle == Handle(handle)
    for wrong in (b"", bytes(15), str(handle).upper(), f" {handle}", str(handle)[1:], "zz" * 16, 16, None):
        with pytest.raises(InputError):
            Handle(wrong)  # type: ignore[arg-type]
