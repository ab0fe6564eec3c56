"""What the tests of a record's life share: who asks and why, the charter changed under their feet, and what is in the book."""

from __future__ import annotations

from tests import world
from tests.world import World

from strongroom.catalog import source
from strongroom.custody import amendment, ceremony
from strongroom.custody.asking import Mandate
from strongroom.ledger import entry, tag

ASKERS = {"amend": "rui", "amend-all": "rui", "forget": "rui", "register": "rui"}
REASON = "looking after the register of residents"


def mandate(town: World, purpose: str, holding: str = "residents", seconds: tuple[str, ...] = ()) -> Mandate:
    """Of whom the purpose is for."""
    asker = town.asker(ASKERS.get(purpose, "ana"))
    return Mandate(asker, holding, purpose, "case-17", REASON, tuple(town.key_of(name) for name in seconds))


def amend(town: World, *changes: tuple[str, str]) -> None:
    """Make the tests' charter, with each text replaced by another, the one in force."""
    text = world.CHARTER
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    town.room.sync()
    steward = ceremony.load_steward(town.root / "steward" / "steward.key")
    amendment.apply(town.room, steward, source.load(text, "charter.yaml"), lambda _: None)
    town.hands.wait(1)


def entries(town: World) -> list[entry.Entry]:
    store = town.keyholder.store
    return [entry.parse(data) for data in store.entries(0, store.size())]


def tags_of(town: World, holding: str, who: bytes) -> list[bytes]:
    """The tags that the person's chain should have by its count."""
    keyholder = town.keyholder
    return [
        one
        for id_, person, generation, count in keyholder.store.chains()
        if (id_, person) == (keyholder.holding_id(holding), who)
        for one in tag.tags(tag.chain_key(keyholder.keys.tag, id_, person, generation), 1, count)
    ]
