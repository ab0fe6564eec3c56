"""What people see: ``strongroom witness``, and who has cosigned, in ``ledger verify`` and ``status``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.session import Session
from tests.houses import Houses
from tests.witness.made import Log
from tests.witness.peers import gathering, three

from strongroom.cli import ledger_witnessed
from strongroom.keyholder import witnessing
from strongroom.witness import house
from strongroom.witness.core import Witness


def test_a_witness_and_its_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = Session(tmp_path / "no-room")
    ran = session.run("witness", "create", "w", "--name", "witness.example/w1")
    assert ran.code == 0, ran.err
    keys = house.load(tmp_path / "w")
    assert [line for line in ran.out.splitlines() if line.startswith("witness.example/w1+")] == list(keys.vkeys)
    assert "never overwritten" in session.run("witness", "create", "w", "--name", "witness.example/w1").err
    log = Log()
    log.grow(3)
    (tmp_path / "policy").write_text(f"log {log.quantum.vkey}\nquorum none\n")
    good: tuple[tuple[tuple[str, ...], str], ...] = (
        ((log.signer.vkey,), "1 key of logs, 1 of them new"),
        ((log.signer.vkey, "--policy", "policy"), "2 keys of logs, 1 of them new"),
        ((log.signer.vkey, "--origin", "other.example"), "1 key of logs, 1 of them new"),
    )
    for words, said in good:
        ran = session.run("witness", "logs", "add", "w", *words)
        assert (ran.code, said in ran.out) == (0, True), ran
    bad: tuple[tuple[tuple[str, ...], int, str], ...] = (
        ((), 2, "name a log"),
        (("nonsense",), 1, "verifier key"),
        ((keys.ed25519.vkey,), 1, "type 4"),
        (("--policy", "gone"), 1, "gone"),
        (("--policy", "w/keys.json"), 1, "not ended"),
    )
    for words, code, said in bad:
        ran = session.run("witness", "logs", "add", "w", *words)
        assert (ran.code, said in ran.err) == (code, True), ran
    store = house.open_store(tmp_path / "w")
    witness = Witness(store, keys.cosigners, lambda: 1_800_000_000)
    witness.add_checkpoint(log.ask(0, 3).marshal())
    fork = Log(branch=1)
    fork.grow(3)
    with pytest.raises(Exception, match="another root"):
        witness.add_checkpoint(fork.ask(3).marshal())
    store.close()
    ran = session.run("witness", "logs", "list", "w")
    assert "2027-01-15 08:00:00 UTC" in ran.out
    assert "FORKED  log.example/one has signed two roots" in ran.out
    (one, other) = json.loads(session.run("witness", "logs", "list", "w", "--json").out)["logs"]
    assert (one["origin"], one["size"], len(one["vkeys"]), len(one["fork"])) == ("log.example/one", 3, 2, 2)
    assert (other["origin"], other["size"], other["checkpoint"]) == ("other.example", 0, None)
    assert session.run("witness", "logs", "list", "nowhere").code == 1
    ran = session.run("witness", "--directory", "w", "--host", "0.0.0.0")  # noqa: S104
    assert (ran.code, "no TLS" in ran.err) == (1, True)
    (tmp_path / "w" / "keys.json").chmod(0o644)
    ran = session.run("witness", "--directory", "w")
    assert (ran.code, "chmod 600" in ran.err) == (1, True)


def test_who_has_cosigned_a_ledger(houses: Houses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnessing, "PACE_SECONDS", 0.05)
    town, session = houses.town, Session(houses.town.root)

    async def run() -> None:
        async with three(houses, tmp_path, strict=False) as found:
            town.tick()
            # Nobody yet: that is said, and no error unless it is asked for.
            ran = session.run("ledger", "verify")
            assert (ran.code, "not enough: cosigned by no witness" in ran.out) == (0, True), ran
            assert session.run("ledger", "verify", "--witnessed").code == 1
            found[2].hold = asyncio.Event()
            async with gathering(houses) as made, asyncio.timeout(30), made._moved:
                await made._moved.wait_for(lambda: made.covered == town.keyholder.book.size)
            town.tick()
            found[2].hold.set()

    asyncio.run(run())
    ran = session.run("ledger", "verify", "--witnessed")
    assert ran.code == 0, ran.err
    assert "by a quorum, all of it" in ran.out
    assert ran.out.count("has not") == 2
    told = json.loads(session.run("ledger", "verify", "--json").out)["witnessed"]
    assert (told["quorum"], told["size"], len(told["cosigners"])) == (True, town.keyholder.book.size, 6)
    # Whoever brings a policy along wants the quorum of that.
    charter = town.room.rules().charter
    third = [line for line in charter.witnesses.policy.splitlines() if " w2" in line and "group q" not in line]
    mine = tmp_path / "mine.policy"
    mine.write_text("\n".join([*third, "quorum w2\n"]))
    ran = session.run("ledger", "verify", "--witnessed", "--policy", str(mine))
    assert (ran.code, "not the quorum" in ran.err) == (1, True), ran
    other = Log()
    mine.write_text(f"log {other.signer.vkey}\nquorum none\n")
    ran = session.run("ledger", "verify", "--witnessed", "--policy", str(mine))
    assert (ran.code, "other logs" in ran.err) == (1, True), ran
    mine.write_text((town.root / "public" / "policy").read_text())
    assert session.run("ledger", "verify", "--witnessed", "--policy", str(mine)).code == 0
    # In status, by the keyholder's word, which is verified.
    status = town.room.status()
    rows = ledger_witnessed.status(charter, status.witnessed, status.time)
    assert str(rows[0][1]).count(f"a quorum has cosigned {town.keyholder.book.size:,} entries") == 1
    assert len(rows) == 7
    late = ledger_witnessed.status(charter, status.witnessed, status.time + 3700)
    assert "old" in str(late[0])
    assert "not the quorum" in str(ledger_witnessed.status(charter, "", status.time)[0])
    assert "no cosigned checkpoint" in str(ledger_witnessed.status(charter, "nonsense", status.time)[0])
    shown = ledger_witnessed.seen_document(charter, status.witnessed, status.time)
    assert shown is not None
    assert shown["quorum"] is True
