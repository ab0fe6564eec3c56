"""A person's own view when something is hidden, and when the room is far away; many records in several asks."""

from __future__ import annotations

import io
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.session import Session

from strongroom.cli import development, subject_view
from strongroom.cli.output import Output
from strongroom.client.device import load
from strongroom.client.subject import ChainView, Read, View
from strongroom.custody import asking
from strongroom.gate import ask as asks
from strongroom.ledger import entry
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.confirm import Confirmed

CONFIRM = ("--as", "ana", "--purpose", "confirm", "--case", "C-7", "--reason", "confirming an application")


def enrolled(session: Session) -> None:
    code = session.run(
        "subject", "admit", "--holding", "residents", "--by", "resident-id", stdin=session.words["id"] + "\n"
    ).out
    assert session.run("subject", "enrol", "--device", "me.device", stdin=code).code == 0


def read_twice(session: Session) -> None:
    for fields in ("name", "born"):
        ran = session.run(
            "disclose", *CONFIRM, "--fields", fields, "--by", "resident-id", stdin=session.words["id"] + "\n"
        )
        assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("count + 1", "GAP: 4 of 5. Missing from the published ledger: number 5"),
        ("count - 1", "HIDDEN: the ledger has 1 read of you beyond the 3 that the keyholder counted: number 4"),
    ],
)
def test_a_hidden_read(full: Session, change: str, said: str) -> None:
    """The keyholder's count and the ledger no longer agree: red, what to do, exit code 1."""
    read_twice(full)
    enrolled(full)
    assert "complete: 4 of 4" in full.run("subject", "reads", "--device", "me.device").out
    with sqlite3.connect(full.room / "keyholder" / "keyholder.db") as db:
        db.execute(f"UPDATE chains SET count = {change} WHERE count = 4")  # noqa: S608 - from the table above
    db.close()
    ran = full.run("subject", "reads", "--device", "me.device")
    assert ran.code == 1
    assert said in ran.out
    assert "supervisory" in ran.out
    assert json.loads(full.run("subject", "reads", "--device", "me.device", "--json").out)["complete"] is False


def test_two_reads_under_one_number(full: Session) -> None:
    """Both are shown, and the verdict names the number: the count is right, and would have hidden one behind the other."""
    read_twice(full)
    enrolled(full)
    with sqlite3.connect(full.room / "keyholder" / "keyholder.db") as db:
        db.execute("UPDATE chains SET count = count - 1 WHERE count = 4")
    db.close()
    assert full.run("find", *CONFIRM, "--by", "resident-id", stdin=full.words["id"] + "\n").code == 0
    ran = full.run("subject", "reads", "--device", "me.device")
    assert ran.code == 1
    assert "HIDDEN: several reads of you have one number, so that they count as one: number 4" in ran.out
    assert [line.split()[0] for line in ran.out.splitlines() if " confirm " in line] == ["1", "2", "3", "4", "4"]
    assert "beyond" not in ran.out
    assert "GAP" not in ran.out
    (chain,) = json.loads(full.run("subject", "reads", "--device", "me.device", "--json").out)["chains"]
    assert (chain["repeated"], chain["complete"]) == ([4], False)


def _seen(view: View) -> str:
    shown = io.StringIO()
    subject_view.show(Output(stdout=shown), view)
    return shown.getvalue()


def test_what_the_vault_has_not_confirmed_and_silence_are_said() -> None:
    item = entry.FindEntry(
        v=1, time=1000, asker=bytes(12), charter=bytes(32), commitment=bytes(32), countersigners=[], holding="residents", purpose="confirm",
        role="clerk", unit="registry", count=1, tags=[bytes(16)],
    )  # fmt: skip
    reads = tuple(Read(n, 10 + n, item, n < 3) for n in (1, 2, 3, 4))
    chain = ChainView("residents", "phone", 1, 4, reads, (), (), ())
    at, vouched = Checkpoint("x/ledger", 20, bytes(32)), Confirmed(Checkpoint("x/ledger", 13, bytes(32)), 1000)
    good = View(
        (chain,), at, vouched, 1000, overdue=False, behind=False, signers=("x/ledger",), charters={}, waiting={}
    )
    said = _seen(good)
    assert "complete: 4 of 4" in said
    assert "not yet confirmed by the vault: number 3, 4" in said
    assert "the vault has confirmed the first 13, up to 1970-01-01 00:16:40 UTC" in said
    assert not {"SILENT", "nothing since"} & set(said.split())
    assert good.complete
    assert "the vault has confirmed nothing since 1970-01-01 00:16:40 UTC" in _seen(replace(good, behind=True))
    assert "no quorum of witnesses vouches" in _seen(replace(good, unwitnessed="cosigned by no witness"))
    silent = replace(good, overdue=True)
    assert "SILENT: the last entry is of 1970-01-01 00:16:40 UTC" in _seen(silent)
    assert not silent.complete
    assert subject_view.document(silent)["overdue"] is True


def test_from_far_away(full: Session, tmp_path: Path) -> None:
    """A person with a device, an address, two public texts and the published files: no room."""
    read_twice(full)
    enrolled(full)
    genesis = json.loads(full.run("ledger", "verify", "--json").out)["charters"][0]["hash"]
    away = Session(tmp_path / "no-room")
    where = (full.room / "keyholder" / "address").read_text().strip()
    options = ("--ledger", str(full.room / "public"), "--vkeys", str(full.room / "public" / "vkeys"))
    call = ("subject", "reads", "--device", "me.device", "--keyholder", where, *options)
    ran = away.run(*call, "--genesis", genesis)
    assert ran.code == 0, ran.err
    assert "complete: 4 of 4" in ran.out
    assert "read identity" in ran.out
    assert "another room's, or forged" in away.run(*call, "--genesis", "00" * 32).err
    assert away.run(*call, "--genesis", "00").code == 1
    assert away.run(*call).code == 1


def test_many_records_are_several_asks(full: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry and one receipt each; the receipts are files that verify."""
    monkeypatch.setattr(asking, "AT_ONCE", 4)
    with sqlite3.connect(full.room / "vault" / "vault.db") as db:
        handles = [row[0].hex() for row in db.execute("SELECT handle FROM records LIMIT 10")]
    db.close()
    Path("handles.txt").write_text("\n".join(handles))
    call = (
        "disclose",
        *CONFIRM,
        "--fields",
        "name",
        "--records-from",
        "handles.txt",
        "--receipt",
        "receipts",
        "--json",
    )
    found = json.loads(full.run(*call).out)
    assert [ask["records"] for ask in found["asks"]] == [4, 4, 2]
    assert sorted(one["handle"] for one in found["records"]) == sorted(handles)
    for ask in found["asks"]:
        assert Path(f"receipts/{ask['entry']}.tlog-proof").read_text() == ask["receipt"]
        assert json.loads(Path(f"receipts/{ask['entry']}.entry.json").read_text())["count"] == ask["records"]


def test_what_was_read_before_a_refusal_is_shown(full: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty a day: thirty of them are gone, and of the next thirty twenty are read."""
    monkeypatch.setattr(asking, "AT_ONCE", 10)
    with sqlite3.connect(full.room / "vault" / "vault.db") as db:
        handles = sorted(row[0].hex() for row in db.execute("SELECT handle FROM records"))
    db.close()
    reach = ("disclose", *CONFIRM[:2], "--purpose", "reach", *CONFIRM[4:], "--fields", "phone", *handles)
    assert full.run(*reach).code == 0
    ran = full.run(*reach)
    assert ran.code == 3
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == handles[:20]


def test_one_that_is_not_here_is_said_before_the_first_part(full: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 4)
    with sqlite3.connect(full.room / "vault" / "vault.db") as db:
        handles = sorted(row[0].hex() for row in db.execute("SELECT handle FROM records LIMIT 8"))
    db.close()
    before = full.run("ledger", "show", "--json").out
    ran = full.run("disclose", *CONFIRM, "--fields", "name", *handles, "ff" * 16)
    assert (ran.code, ran.err) == (1, "strongroom: not in residents: 1 of the records named\n")
    assert full.run("ledger", "show", "--json").out == before


def test_a_changed_charter_is_applied(session: Session) -> None:
    from tests.world import CHARTER

    source = Path("charter.yaml")
    source.write_text(CHARTER)
    assert "nothing in it differs" in session.run("charter", "apply", "charter.yaml").err
    source.write_text(CHARTER.replace("200/hour", "300/hour").replace("delay: 0s", "delay: 2h"))
    ran = session.run("charter", "apply", "charter.yaml")
    assert ran.code == 0, ran.err
    assert "2 places: delay, purposes.confirm" in ran.out
    assert "takes effect  now" in ran.out
    source.write_text(CHARTER.replace("delay: 0s", "delay: 1h"))
    ran = session.run("charter", "apply", "charter.yaml")
    assert "the public delay" in ran.out
    assert json.loads(session.run("status", "--json").out)["pending"][0]["version"] == 6
    source.write_text(CHARTER.replace("  residents:\n    about", "  visitors:\n    about", 1))
    assert session.run("charter", "apply", "charter.yaml").code == 1


def test_a_wrong_catalog_is_named_by_line(tmp_path: Path) -> None:
    from tests.world import CHARTER

    file = tmp_path / "charter.yaml"
    file.write_text(CHARTER.replace("type: date", "type: dat"))
    ran = Session(tmp_path / "room").run("catalog", "check", str(file))
    assert ran.code == 1
    assert "charter.yaml:17" in ran.out
    ran = Session(tmp_path / "room").run("init", "--charter", str(file))
    assert ran.code == 1
    assert not (tmp_path / "room").exists()


def test_a_reader_whose_enrolment_was_cut_short(alone: Session) -> None:
    """The device was made, the charter was not: the same command goes on."""
    call = ("reader", "add", "bo", "--role", "clerk", "--unit", "registry")
    assert alone.run(*call).code == 4
    with development.keyholder(alone.room):
        assert alone.run(*call).code == 0


def test_an_ask_that_is_signed_and_not_made(full: Session) -> None:
    """For the vault's API: what is printed is what would have been asked, and the ledger has nothing of it."""
    handle = full.run("find", *CONFIRM, "--by", "resident-id", stdin=full.words["id"] + "\n").out.strip()
    before = json.loads(full.run("ledger", "show", "--json").out)["size"]
    argv = ("disclose", *CONFIRM, "--fields", "name", "--sign-only")
    ran = full.run(*argv, handle)
    assert ran.code == 0, ran.err
    text = json.loads(ran.out)["ask"].encode()
    said, private, signed = asks.parse_evidence(ran.out.strip().encode(), asks.ask_hash(text))
    assert isinstance(said, asks.DiscloseAsk)
    assert (said.fields, said.records, private.case) == (["name"], [bytes.fromhex(handle)], "C-7")
    device = load(full.room / "people" / "ana.device")
    asks.verify(text, signed.signature, device.key.public_key().public_bytes_raw())
    (again,) = json.loads(full.run(*argv, handle, "--json").out)["asks"]
    assert again.keys() == json.loads(ran.out).keys()
    assert json.loads(full.run("ledger", "show", "--json").out)["size"] == before
    # What would ask after all, or keep what there is none of.
    for more in (("--by", "resident-id"), (handle, "--receipt", "receipts"), (handle, "--images", "pictures")):
        assert full.run(*argv, *more).code == 2
    assert full.run(*argv).code == 1
