"""SPEC.md alone suffices: two programs written from it, without our code, read what ours wrote and agree with it.

``open_record.py`` and ``find_reads.py`` were written by somebody who had SPEC.md and a room's files, and nothing else. Here they run
as processes of their own, on rooms and ledgers that we make, and on the same ones tampered with.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import world
from tests.custody.life import mandate
from tests.world import Person, World

from strongroom.client import device, published, subject
from strongroom.custody import check, correct, erase, export, upkeep
from strongroom.custody.export import Wanted
from strongroom.custody.intake import importer
from strongroom.custody.intake.importer import Source
from strongroom.custody.intake.window import Errand
from strongroom.errors import Refused
from strongroom.keyholder import client, desk, protocol, rounds
from strongroom.ledger import note
from strongroom.seal import person
from strongroom.store.rows import split_tokens
from strongroom.synth import people

HERE = Path(__file__).parent
COLUMNS = ("id-number", "name", "born", "sex", "phone", "email")
TAKEN_IN = 12


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", HERE / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_they_know_nothing_of_ours() -> None:
    for script in ("open_record.py", "find_reads.py"):
        imported = re.findall(r"(?m)^\s*(?:from|import) (\w+)", (HERE / script).read_text("utf-8"))
        assert "cryptography" in imported
        assert set(imported) <= {*sys.stdlib_module_names, "cryptography"}


@dataclass
class Read:
    """A room with reads in it, and what our own programs say of one person's."""

    town: World
    mine: bytes
    handles: dict[bytes, dict[str, str | None]]
    calls: list[Person]
    erased: list[bytes]
    who: bytes
    said: protocol.ReadsInner
    view: subject.View

    @property
    def root(self) -> Path:
        return self.town.root

    @property
    def chain(self) -> protocol.Chain:
        """The one of the generation that most of the reads are in."""
        return self.said.chains[0]

    @property
    def size(self) -> int:
        return protocol.statement.parse(self.said.statement.encode()).size


@pytest.fixture(scope="module")
def read(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    town = world.copy(founded, tmp_path_factory.mktemp("spec") / "room")
    handles = {one.handle: one.values for one in town.take_in(TAKEN_IN)}
    handles |= _imported(town)
    mine = list(handles)[3]
    values = handles[mine]
    assert values["id-number"]
    assert values["phone"]
    for _ in range(5):
        town.disclose([mine], ["name", "born"])
    town.find("resident-id", values["id-number"])
    town.find("phone", values["phone"])  # whoever the phone's own chain is about, it is not this one
    town.disclose(sorted(handles)[:7], ["phone"], "reach")
    town.disclose([mine, next(one for one in handles if one != mine)], ["phone", "name"], "reach")
    with pytest.raises(Refused):
        town.disclose([mine], ["phone"])
    erased = _lived(town, mine, handles)
    calls = town.take_in_calls(
        ("+8613800000001", "+8613800000002"), ("+8613800000003", ""), ("+8613800000001", "+8613800000001")
    )
    with town.keyholder.writing():
        rounds.begin_generation(town.keyholder, town.keyholder.now())
    town.disclose([mine], ["name"])
    town.room.publish()
    who = person.inners(town.room.keys.holding("residents"), "resident-id", [values["id-number"]])[0][:16]
    said, view = _reads(town, who)
    yield Read(town, mine, handles, calls, erased, who, said, view)
    town.close()


def _lived(town: World, mine: bytes, handles: dict[bytes, dict[str, str | None]]) -> list[bytes]:
    """A correction, a check, an export, erasures; keys that are destroyed, and batches resealed in time, twice."""
    room, m = town.room, mandate(town, "verify")
    check.check(room, m.asker.check("residents", "verify", [mine], "born", "adult", None, m.case, m.reason, room.now()))
    correct.correct(room, mandate(town, "amend"), [mine], {"phone": None, "name": "Nobody Else"}, "register")
    handles[mine] |= {"phone": None, "name": "Nobody Else"}
    export.export(room, mandate(town, "extract"), Wanted(town.root / "out.csv", "csv", ("name",), (mine,), None))
    gone = []
    for _ in range(2):
        one = next(handle for handle in handles if handle != mine)
        gone.append(one)
        del handles[one]
        m = mandate(town, "forget")
        erase.erase(room, m.asker.erase("residents", "forget", [one], m.case, m.reason, room.now()))
        town.hands.wait(31 * 86400)
        upkeep.run(room, holdings=["residents"])
        town.tick()
    return gone


def _imported(town: World) -> dict[bytes, dict[str, str | None]]:
    """Records that the importer took in: some without a phone or a sex, so with a random token and with nulls."""
    path, rows = town.root / "more.csv", []
    for at, one in enumerate(people.people(6, 77)):
        rows.append({name: one[name] if name == "id-number" or at % 2 else "" for name in COLUMNS})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    errand = Errand(town.asker("rui"), "register", "register-1", "taking in the yearly register")
    assert importer.import_file(town.room, Source(path), "residents", errand, workers=1).stored == len(rows)
    found = {}
    for row in rows:
        (handle,) = town.find("resident-id", row["id-number"]).handles
        found[handle] = {name: value or None for name, value in row.items()}
    return found


def _reads(town: World, who: bytes) -> tuple[protocol.ReadsInner, subject.View]:
    own, now, code = device.create(town.root / "people" / "me.device", "me", os.urandom), town.room.now(), "0123456789"
    line = client.Client(town.transport, town.keyholder.keys.desk, town.room.keys.room)
    admitted = protocol.Admit(
        code=protocol.code_hash(desk.clean_code(code)), holding="residents", kind="resident-id", time=now, who=who
    )
    line.call("/v1/desk/admit", admitted)
    subject.enrol(town.client(own), own, code, now)
    room, genesis = town.room.keys.room, town.room.anchors.genesis
    said = subject.ask_reads(town.client(own), own, room, now, os.urandom)
    keys = [note.verifier(one) for one in (town.root / "public" / "vkeys").read_text().splitlines()]
    fetch = published.fetch_from(str(town.root / "public"))
    return said, subject.verify_reads(said, own, room, genesis, fetch, keys, now)


# --- a record ------------------------------------------------------------------------------------------------------
def test_each_record_opens_to_what_was_taken_in(read: Read) -> None:
    keys, store = read.town.room.keys.holding("residents"), read.town.room.store
    number = read.town.room.holding("residents")
    for handle, values in read.handles.items():
        ran = run("open_record.py", read.root, "residents", handle.hex())
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        opened = {name: value for fields in found["compartments"].values() for name, value in fields.items()}
        assert opened == {name: values[name] for name in COLUMNS}
        assert values["id-number"]
        who = person.inners(keys, "resident-id", [values["id-number"]])[0][:16].hex()
        assert found["persons"] == {"identity": who, "contact": who}
        (row,) = store.latest(number, [handle])
        tokens = {name: bytes.fromhex(one["token"]) for name, one in found["identifiers"].items()}
        assert set(tokens) == {name for name in ("id-number", "phone") if values[name]}
        assert set(tokens.values()) <= set(split_tokens(row.tokens))
        assert all(handle in store.handles_of_token(number, token) for token in tokens.values())


def test_what_was_before_a_correction_opens_too(read: Read) -> None:
    mine = read.mine
    ran = run("open_record.py", read.root, "residents", mine.hex(), "--version", "1")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["version"] == 1
    assert found["compartments"]["identity"]["name"] != "Nobody Else"
    assert found["compartments"]["contact"]["phone"]
    assert json.loads(run("open_record.py", read.root, "residents", mine.hex()).stdout)["version"] == 2


def test_a_record_of_two_persons_and_of_somebody_unidentified(read: Read) -> None:
    keys, whos = read.town.room.keys.holding("calls"), list[bytes]()
    for call in read.calls:
        ran = run("open_record.py", read.root, "calls", call.handle.hex())
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        assert {n: v for part in found["compartments"].values() for n, v in part.items()} == call.values
        about = {name: bytes.fromhex(who) for name, who in found["persons"].items()}
        for name, field in (("calling", "caller"), ("called", "callee")):
            value = call.values[field]
            inner = (
                person.inners(keys, "phone", [value]) if value else person.no_value(keys, "phone", field, [call.handle])
            )
            assert about[name] == inner[0][:16]
        assert about["call"] == person.who_of_handle(keys, call.handle)
        whos += about.values()
    # Two callers are one, and one of them called himself.
    assert len(set(whos)) == 7


def test_what_was_erased_opens_with_nothing(read: Read) -> None:
    """Both houses' keys are there, all of them."""
    for handle in read.erased:
        ran = run("open_record.py", read.root, "residents", handle.hex())
        assert ran.returncode != 0
        assert "has a record of this handle" in ran.stderr


def test_the_bucket_roots_of_the_charter_come_out(read: Read) -> None:
    handle = next(iter(read.handles))
    assert run("open_record.py", read.root, "residents", handle.hex(), "--buckets").returncode == 0


def _sql(statement: str) -> Callable[[Path, bytes], None]:
    def bend(root: Path, handle: bytes) -> None:
        database = sqlite3.connect(root / "vault" / "vault.db")
        database.create_function("flip", 2, lambda data, at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with database:
            assert database.execute(statement, {"handle": handle}).rowcount > 0
        database.close()

    return bend


def _genesis(root: Path, handle: bytes) -> None:
    for path in (root / "vault" / "room.json", root / "keyholder" / "ceremony.json"):
        found = json.loads(path.read_text())
        found["genesis"] = "A" * 43 + "="
        path.write_text(json.dumps(found, separators=(",", ":")))


def _index_key(root: Path, handle: bytes) -> None:
    path = root / "keyholder" / "keys.json"
    found = json.loads(path.read_text())
    found["index"] = "A" * 43 + "="
    path.write_text(json.dumps(found, separators=(",", ":")))


BENT: dict[str, tuple[Callable[[Path, bytes], None], str]] = {
    "ciphertext": (_sql("UPDATE records SET body = flip(body, length(body) - 1) WHERE handle = :handle"), "InvalidTag"),
    "relabelled person": (_sql("UPDATE records SET body = flip(body, 5) WHERE handle = :handle"), "check value"),
    "check value": (_sql("UPDATE records SET body = flip(body, 3 + 22 + 13) WHERE handle = :handle"), "check value"),
    "body of another record": (
        _sql(
            "UPDATE records SET body = (SELECT body FROM records WHERE handle <> :handle LIMIT 1) WHERE handle = :handle"
        ),
        "check value",
    ),
    "token": (
        _sql("UPDATE records SET tokens = flip(flip(tokens, 15), 31) WHERE handle = :handle"),
        "tokens",
    ),
    "batch secret": (_sql("UPDATE batches SET sealed = flip(sealed, 1168)"), "InvalidTag"),
    "expiry": (_sql("UPDATE batches SET expires = expires + 30"), "InvalidTag"),
    "delta": (_sql("UPDATE deltas SET delta = flip(delta, 31) WHERE handle = :handle"), "check value"),
    "delta of another record": (
        _sql(
            "UPDATE deltas SET delta = (SELECT delta FROM deltas WHERE handle <> :handle LIMIT 1) WHERE handle = :handle"
        ),
        "check value",
    ),
    "no delta": (_sql("DELETE FROM deltas WHERE handle = :handle"), "check value"),
    "a member left out": (
        _sql(
            "DELETE FROM records WHERE handle <> :handle AND batch = (SELECT batch FROM records WHERE handle = :handle)"
        ),
        "members",
    ),
    "epoch key": (_sql("UPDATE epochs SET signature = flip(signature, 0)"), "InvalidSignature"),
    "charter": (
        _sql("UPDATE entries SET entry = CAST(replace(entry, '3600', '3601') AS BLOB) WHERE idx = 0"),
        "InvalidSignature",
    ),
    "another room's genesis": (_genesis, "genesis"),
    "another keyholder's index key": (_index_key, "tokens"),
}


@pytest.mark.parametrize("name", BENT)
def test_a_record_tampered_with_does_not_open(read: Read, tmp_path: Path, name: str) -> None:
    bend, says = BENT[name]
    root, holding, handle = tmp_path / "room", "residents", list(read.handles)[3]
    if name == "epoch key":  # of an epoch to which it has only resealed, the vault keeps none
        holding, handle = "calls", read.calls[0].handle
    shutil.copytree(read.root, root)
    assert run("open_record.py", root, holding, handle.hex()).returncode == 0
    bend(root, handle)
    ran = run("open_record.py", root, holding, handle.hex())
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert says in ran.stderr


# --- a person's reads ----------------------------------------------------------------------------------------------
def find(
    read: Read, public: Path | None = None, count: int | None = None, *more: str
) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the lines that are reads, and the last line."""
    chain = read.chain
    arguments = (chain.key.hex(), str(chain.count if count is None else count), *more)
    ran = run("find_reads.py", public or read.root / "public", *arguments)
    lines = ran.stdout.splitlines() or [ran.stderr]
    return ran.returncode, [json.loads(line) for line in lines if line.startswith('{"number"')], lines[-1]


def test_the_reads_are_those_that_we_find(read: Read) -> None:
    keys = read.root / "keyholder" / "keys.json"
    assert run("find_reads.py", "--derive", keys, "residents", read.who.hex()).stdout.strip() == read.chain.key.hex()
    ours, later = read.view.chains
    assert ours.complete
    assert (later.generation, later.count, later.complete) == (2, 1, True)
    keyed = run("find_reads.py", "--derive", keys, "residents", read.who.hex(), "2").stdout.strip()
    assert keyed == read.said.chains[1].key.hex()
    assert run("find_reads.py", read.root / "public", keyed, "1").returncode == 0
    assert ours.count >= 10
    code, found, verdict = find(
        read, None, None, "--size", str(read.size), "--genesis", read.town.room.anchors.genesis.hex()
    )
    assert (code, verdict) == (0, f"complete: {ours.count} of {ours.count}")
    assert [(one["number"], one["entry"]) for one in found] == [(one.n, one.index) for one in ours.reads]
    assert all(one["confirmed"] for one in found)
    for theirs, one in zip(found, ours.reads, strict=True):
        assert (theirs["type"], theirs["time"]) == (one.entry.__struct_config__.tag, one.entry.time)
    ran = run("find_reads.py", read.root / "public", read.chain.key.hex(), "0", "--size", str(read.size))
    whole = json.loads(next(line for line in ran.stdout.splitlines() if line.startswith('{"size"')))
    assert bytes.fromhex(whole["root"]) == protocol.statement.parse(read.said.statement.encode()).root
    assert bytes.fromhex(whole["genesis"]) == read.town.room.anchors.genesis
    assert whole["confirmed"] == read.view.confirmed.size
    assert whole["generations"] == len(read.view.chains)


def test_a_false_count_shows(read: Read) -> None:
    count = read.chain.count
    assert find(read, None, count + 1)[0::2] == (
        1,
        f"NOT complete: {count} of {count + 1}; missing [{count + 1}], beyond the count []",
    )
    assert find(read, None, count - 1)[0] == 1
    assert find(read, None, None, "--size", str(read.size // 2))[0] == 1


def _flip(path: str, at: int) -> Callable[[Path], None]:
    def bend(public: Path) -> None:
        found = max(public.glob(path), key=lambda one: (len(one.name), one.name))  # the newest
        data = bytearray(found.read_bytes())
        data[at] ^= 1
        found.write_bytes(data)

    return bend


def _without(public: Path, signer: str, name: str = "checkpoint") -> None:
    lines = (public / name).read_text().splitlines(keepends=True)
    (public / name).write_text("".join(line for line in lines if signer not in line))


def _other_keys(public: Path) -> None:
    vkeys = (public / "vkeys").read_text().splitlines()
    (public / "vkeys").write_text("\n".join([*vkeys[:2], vkeys[0]]) + "\n")


PUBLIC: dict[str, Callable[[Path], None]] = {
    "a byte of an entry": _flip("tile/entries/000.p/*", 40),
    "a hash of a tile": _flip("tile/0/000.p/*", 33),
    "a tag of a day": _flip("tags/*", 3),
    "an index of a day": _flip("tags/*", 23),
    "the checkpoint's root": _flip("checkpoint", 30),
    "a signature": _flip("checkpoint", -20),
    "the root that the vault confirmed": _flip("cosigned", 30),
    "the vault's word under no signature of its own": lambda public: _without(public, "/vault ", "cosigned"),
    "the vault's word without the log's": lambda public: _without(public, "/ledger ", "cosigned"),
    "no word of the vault": lambda public: (public / "cosigned").unlink(),
    "no ML-DSA signature": lambda public: _without(public, "/ml-dsa "),
    "no signature of the log": lambda public: _without(public, "/ledger "),
    "the keys": _other_keys,
}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_ledger_tampered_with_is_refused(read: Read, tmp_path: Path, name: str) -> None:
    public = tmp_path / "public"
    shutil.copytree(read.root / "public", public)
    assert find(read, public)[0] == 0
    PUBLIC[name](public)
    code, found, _ = find(read, public)
    assert (code, found) == (2, [])


def test_another_rooms_ledger_is_refused(read: Read) -> None:
    assert find(read, None, None, "--genesis", "00" * 32)[0] == 2


def test_the_vaults_cosignature_may_be_late(read: Read, tmp_path: Path) -> None:
    public = tmp_path / "public"
    shutil.copytree(read.root / "public", public)
    _without(public, "/vault ")
    assert find(read, public)[0] == 0
