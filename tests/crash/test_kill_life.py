"""Kill -9 in the middle of upkeep, of a migration and of a certificate: what lives goes on living, and what was erased is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.crash.conftest import people_of
from tests.crash.siege import Siege
from tests.custody.life import entries, mandate
from tests.world import Person, World

from strongroom.client import certificate
from strongroom.custody import asking, correct
from strongroom.ledger import entry
from strongroom.seal.epoch import epoch_of

DAY, ROTATION = 86400, 30
ASK = ["--as", "rui", "--purpose", "amend", "--case", "M-1", "--reason", "what was in one field goes into another"]
pytestmark = [pytest.mark.kill, pytest.mark.timeout(3600)]


def erase(town: World, people: list[Person]) -> None:
    list(asking.erase(town.room, mandate(town, "forget"), [one.handle for one in people]))


def read(town: World, people: list[Person], *names: str, purpose: str = "review") -> dict[bytes, dict[str, str | None]]:
    found: dict[bytes, dict[str, str | None]] = {}
    for part in asking.disclose(town.room, mandate(town, purpose), [one.handle for one in people], names):
        found |= dict(zip(part.handles, part.values, strict=True))
    return found


def test_upkeep(besieged: Callable[..., Siege]) -> None:
    """A turn is a rotation: some are erased, some corrected without the keyholder being told, some calls expire."""
    siege = besieged("upkeep")
    left = people_of(siege.room)
    siege.chooser.shuffle(left)

    def begin(turn: int) -> list[str]:
        nonlocal left
        gone, left = left[:4], left[4:]
        with siege.world() as town:
            erase(town, gone)
            for one in left[:3]:
                one.values["name"] = f"Name {turn}"
                correct.correct(
                    town.room, mandate(town, "amend"), [one.handle], {"name": one.values["name"]}, "register"
                )
            town.room.store.unsettle(town.room.holding("residents"))
            town.take_in_calls(*[(f"+86139123456{at:02}", "") for at in range(3)])
        siege.later += ROTATION * DAY
        siege.run("keyholder", "expire", "--yes", alone=True)
        return ["upkeep"]

    def finished(turn: int, code: int) -> None:
        with siege.world() as town:
            store, number = town.room.store, town.room.holding("residents")
            today = town.room.now() // DAY
            rows = [row for row in store.batches() if row.holding == number]
            assert {row.epoch for row in rows} == {epoch_of(today, ROTATION, 2**32 - 1)}
            # What was corrected has old versions, too, until they expire.
            assert {row.handle for row in store.records(number)} == {one.handle for one in left}
            assert store.unsettled(number, 9) == []
            assert [row.records for row in store.holdings() if row.name == "calls"] == [0]

    siege.storm(begin, finished)
    siege.rest()
    with siege.world() as town:
        names = read(town, left, "name")
        assert names == {one.handle: {"name": one.values["name"]} for one in left}
        newest = town.keyholder.store.newest(town.keyholder.holding_id("residents"), [one.handle for one in left])
        latest = town.room.store.latest_versions(town.room.holding("residents"), [one.handle for one in left])
        assert newest == {handle: version for handle, version in latest.items() if version > 1}


def test_migrations(besieged: Callable[..., Siege]) -> None:
    """Each record has one more version a turn, however often it was begun."""
    siege = besieged("migration")
    people = people_of(siege.room)
    field = "note"

    def begin(turn: int) -> list[str]:
        nonlocal field
        field, other = ("note", "memo") if turn % 2 == 0 else ("memo", "note")
        text = f"{field}: {{constant: turn {turn}}}\nclear: [{other}]\n"
        (siege.folder / f"map-{turn}.yaml").write_text(text)
        return ["catalog", "migrate", "--map", f"map-{turn}.yaml", "--intake-purpose", "register", *ASK]

    turns = siege.storm(begin)
    siege.rest()
    with siege.world() as town:
        versions = town.room.store.latest_versions(town.room.holding("residents"), [one.handle for one in people])
        assert set(versions.values()) == {1 + turns}
        found = read(town, people, "note", "memo", "name")
        other = "memo" if field == "note" else "note"
        assert found == {
            one.handle: {field: f"turn {turns - 1}", other: None, "name": one.values["name"]} for one in people
        }


def test_certificates(besieged: Callable[..., Siege]) -> None:
    """There is a whole one that verifies, or none."""
    siege = besieged("certificate")
    people = people_of(siege.room)[:3]
    with siege.world() as town:
        erase(town, people)
        genesis = town.room.anchors.genesis
    out = siege.folder / "erased.json"
    records = [word for one in people for word in ("--record", one.handle.hex())]

    def begin(turn: int) -> list[str]:
        out.unlink(missing_ok=True)
        out.with_suffix(".md").unlink(missing_ok=True)
        return ["certificate", "--holding", "residents", "--out", str(out), *records]

    def whole() -> None:
        if out.exists():
            assert len(certificate.verify(out.read_bytes(), genesis=genesis).records) == len(people)
        if out.with_suffix(".md").exists():
            assert out.with_suffix(".md").read_text().endswith("\n")

    def finished(turn: int, code: int) -> None:
        assert out.exists()
        assert out.with_suffix(".md").exists()
        whole()

    siege.storm(begin, finished, meanwhile=whole)
    siege.rest()
    with siege.world() as town:
        assert len([one for one in entries(town) if isinstance(one, entry.ErasureEntry)]) == 1
