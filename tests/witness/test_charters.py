"""A charter whose policy is none is refused by everybody: who writes it, both houses, and who watches the ledger."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests import world
from tests.houses import Houses
from tests.ledger.test_policy import KEYS
from tests.witness.peers import rule

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog import source
from strongroom.catalog.model import Charter, Witnesses
from strongroom.custody import ceremony, findings
from strongroom.custody.mirror import enact
from strongroom.errors import CatalogError, CheckpointError, EntryError, Refused
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.ledger.charters import Charters

GOOD = f"witness w {KEYS[0]} https://w.example\nquorum w\n"
BAD = {
    "no quorum": f"witness w {KEYS[0]} https://w.example\n",
    "no address": f"witness w {KEYS[0]}\nquorum w\n",
    "nonsense": "trust me\n",
}


def yaml(text: str, strict: bool = False) -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"{world.CHARTER}witnesses:\n  strict: {'true' if strict else 'false'}\n  policy: |\n{lines}"


@pytest.mark.parametrize("case", BAD)
def test_who_writes_it_is_told_the_line(case: str, tmp_path: Path) -> None:
    text = yaml(BAD[case])
    made = source.load(text.encode(), "charter.yaml")
    (found,) = findings.findings(made)
    line = 1 + text[: text.index("  policy:")].count("\n")
    assert (found.level, found.place) == ("error", f"charter.yaml:{line}")
    with pytest.raises(CatalogError):
        ceremony.found(tmp_path / "room", made, bytes, lambda _: None)
    assert not (tmp_path / "room" / "vault").exists()


def test_a_good_one_is_a_charter() -> None:
    made = source.load(yaml(GOOD, strict=True).encode(), "charter.yaml")
    assert all(one.level != "error" for one in findings.findings(made))
    assert (made.witnesses.policy, made.witnesses.strict) == (GOOD, True)
    with pytest.raises(CatalogError, match="nobody"):
        findings.sound(source.load(yaml("quorum none\n", strict=True).encode(), "charter.yaml"))


def signed(houses: Houses, policy: str) -> tuple[Charter, bytes, entry.CharterEntry]:
    """The next charter with that policy, by a steward who looks at nothing."""
    room = houses.town.room
    room.sync()
    latest = room.mirror.charters()[-1]
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    new = msgspec.structs.replace(
        latest.charter,
        witnesses=Witnesses(policy=policy, fresh=3600, strict=False),
        version=latest.charter.version + 1,
        previous=latest.hash,
    )
    document, now = encode(new), room.now()
    written = entry.CharterEntry(
        v=1,
        time=now,
        document=document.decode(),
        effective=now,
        signature=charters.sign(document, steward),
        steward=steward.public_key().public_bytes_raw(),
    )
    return new, document, written


def own_key(houses: Houses) -> str:
    vkey = houses.town.room.rules().charter.vault.cosigner
    return f"witness v {vkey} https://w.example\nquorum v\n"


@pytest.mark.parametrize("case", [*BAD, "the vault's own key"])
def test_both_houses_and_the_public_refuse_it(houses: Houses, case: str) -> None:
    policy = BAD.get(case) or own_key(houses)
    _, document, written = signed(houses, policy)
    room = houses.town.room
    roster = charters.roster_bytes(ceremony.latest_roster(room))
    request = protocol.EnterCharter(
        **room.common(),
        document=document.decode(),
        roster=roster.decode(),
        signature=written.signature,
        steward=written.steward,
    )
    with houses.refused("charter", written=False):
        houses.send(request)
    with pytest.raises(Refused, match=r"witnesses\.policy"):
        houses.send(request)
    known = room.mirror.charters()
    with pytest.raises(CheckpointError, match=f"charter in entry {room.mirror.size}"):
        enact(room.mirror.size, written, known, room.anchors.genesis)
    chain = Charters()
    for one in known:
        item = entry.parse(room.mirror.entry(one.index))
        assert isinstance(item, entry.CharterEntry)
        chain.add(item)
    with pytest.raises(EntryError, match="charter"):
        chain.add(written)


def test_what_the_charter_says_is_published(houses: Houses) -> None:
    rule(houses, GOOD, fresh=120)
    houses.town.tick()
    vkey = houses.town.keyholder.keys.log.vkey
    assert (houses.town.root / "public" / "policy").read_text() == f"log {vkey}\n{GOOD}"
    with pytest.raises(Refused, match="line 1"):
        rule(houses, BAD["nonsense"])
