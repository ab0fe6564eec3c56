"""Telling of newest versions: in order, and however much of them is gone on either side (SPEC.md section 8.9)."""

from __future__ import annotations

from tests.world import World

from strongroom.custody import newest
from strongroom.keyholder import protocol


def _untold(town: World, *pairs: tuple[bytes, int]) -> int:
    number = town.room.holding("residents")
    with town.room.store._db.transaction():
        for handle, version in pairs:
            town.room.store._db.run(
                "INSERT INTO unsettled (holding, handle, version) VALUES (?1, ?2, ?3)", (number, handle, version)
            )
    return number


def test_several_versions_of_one_record_are_told_in_order(town: World) -> None:
    one, two, three = sorted(person.handle for person in town.take_in(3))
    number = _untold(town, (one, 2), (one, 3), (one, 4), (two, 2))
    newest.tell(town.room, "residents")
    assert town.room.store.unsettled(number, 9) == []
    assert town.keyholder.newest("residents", [one, two, three]) == {one: 4, two: 2}


def test_versions_that_are_gone_are_told_too(town: World) -> None:
    """Purged here before they were told, or told to a keyholder that was then put back from a copy: it must not stop there."""
    one, two, three = sorted(person.handle for person in town.take_in(3))
    number = _untold(town, (one, 2), (two, 5), (three, 3))
    newest.tell(town.room, "residents")
    assert town.room.store.unsettled(number, 9) == []
    assert town.keyholder.newest("residents", [one, two, three]) == {one: 2, two: 5, three: 3}
    town.keyholder.store.db.execute("DELETE FROM versions")
    _untold(town, (two, 6))
    newest.tell(town.room, "residents")
    assert town.keyholder.newest("residents", [two]) == {two: 6}


def test_what_is_told_does_not_depend_on_how_many_fit_a_request(town: World) -> None:
    handles = sorted(person.handle for person in town.take_in(5))
    number = _untold(town, *((handle, version) for handle in handles for version in (2, 3)))
    most, protocol.MAX_VERSIONS = protocol.MAX_VERSIONS, 3
    try:
        newest.tell(town.room, "residents")
    finally:
        protocol.MAX_VERSIONS = most
    assert town.room.store.unsettled(number, 9) == []
    assert set(town.keyholder.newest("residents", handles).values()) == {3}
