"""Upkeep over the real keyholder: what lives stays readable past the destruction of its keys, what was erased does not (SPEC.md 3.7, 8.9)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import world
from tests.custody.life import amend, mandate
from tests.world import Person, World

from strongroom.canonical import encode
from strongroom.custody import correct, erase, fsck, removals, resealing, upkeep
from strongroom.custody.certificate import Word
from strongroom.custody.erase import Erased
from strongroom.errors import InputError, KeyholderUnavailable, ProofError, StrongroomError
from strongroom.keyholder import life as keyholder_life
from strongroom.keyholder import protocol, routes
from strongroom.ledger import entry
from strongroom.seal import batch
from strongroom.store.rows import BatchRow

DAY, ROTATION = 86400, 30


def day(town: World) -> int:
    return int(town.hands.wall()) // DAY


def to_day(town: World, wanted: int) -> None:
    town.hands.wait(wanted * DAY + 43_200 - town.hands.wall())


@pytest.fixture
def start(town: World) -> int:
    """The first day of a rotation of both holdings, not long from now."""
    found = (day(town) // 210 + 1) * 210
    to_day(town, found)
    return found


def kept(town: World, holding: str = "residents", **options: Any) -> upkeep.Kept:
    (found,) = upkeep.run(town.room, holdings=[holding], **options)
    return found


def batches(town: World, holding: str = "residents") -> list[BatchRow]:
    return [row for row in town.room.store.batches() if row.holding == town.room.holding(holding)]


def forget(town: World, people: Sequence[Person]) -> Erased:
    asked = mandate(town, "forget")
    handles = [one.handle for one in people]
    return erase.erase(
        town.room, asked.asker.erase("residents", "forget", handles, asked.case, asked.reason, town.room.now())
    )


def readable(town: World, people: Sequence[Person]) -> None:
    handles = sorted(one.handle for one in people)
    names = {one.handle: one.values["name"] for one in people}
    found = town.disclose(handles)
    assert {handle: values["name"] for handle, values in zip(found.handles, found.values, strict=True)} == names


def gone(town: World, people: Sequence[Person]) -> None:
    """No row, no token, no number of theirs is left."""
    store, number = town.room.store, town.room.holding("residents")
    handles = {one.handle for one in people}
    assert store.latest(number, handles) == []
    assert not any(row.handle in handles for row in store.records(number))
    assert store.problems() == []


# --- resealing -----------------------------------------------------------------------------------------------------------
def test_what_lives_moves_on_to_the_next_key(town: World, start: int) -> None:
    people = town.take_in(5)
    (before,) = batches(town)
    assert before.epoch == start + 2 * ROTATION
    found = kept(town)
    assert (found.resealed, found.outlook.waiting, found.outlook.backups) == (0, 0, start + 2 * ROTATION)
    to_day(town, start + ROTATION)
    look = kept(town, dry=True)
    assert (look.resealed, look.outlook.destruction, look.problems) == (1, start + 2 * ROTATION, ())
    assert batches(town) == [before]
    found = kept(town)
    assert (found.resealed, found.removed, found.problems) == (1, 0, ())
    (after,) = batches(town)
    assert (after.epoch, after.expires, after.members) == (start + 3 * ROTATION, before.expires, before.members)
    assert after.sealed != before.sealed
    readable(town, people)
    assert kept(town).resealed == 0
    assert batches(town) == [after]
    # Past the day of the first key.
    to_day(town, start + 2 * ROTATION)
    readable(town, people)


def test_what_was_erased_is_left_behind(town: World, start: int) -> None:
    people = town.take_in(8)
    living, erased = people[2:], people[:2]
    assert forget(town, erased).final == start + 2 * ROTATION
    to_day(town, start + ROTATION)
    found = kept(town)
    assert (found.resealed, found.removed, found.strangers, found.problems) == (1, 2, 0, ())
    gone(town, erased)
    readable(town, living)
    # Once more over what has deltas already, with and without an erasure in between.
    to_day(town, start + 2 * ROTATION)
    assert kept(town).resealed == 1
    readable(town, living)
    forget(town, living[:1])
    to_day(town, start + 3 * ROTATION)
    assert kept(town).removed == 1
    readable(town, living[1:])
    gone(town, people[:3])


def test_a_batch_of_which_all_was_erased_goes_whole(town: World, start: int) -> None:
    people, others = town.take_in(3), town.take_in(2, seed=2)
    forget(town, people)
    to_day(town, start + ROTATION)
    found = kept(town)
    assert (found.resealed, found.removed) == (2, 3)
    assert len(batches(town)) == 1
    gone(town, people)
    readable(town, others)


def test_a_record_with_two_versions(town: World, start: int) -> None:
    people = town.take_in(3)
    asked = mandate(town, "amend")
    correct.correct(town.room, asked, [people[0].handle], {"name": "Nobody Else"}, "register")
    people[0].values["name"] = "Nobody Else"
    to_day(town, start + ROTATION)
    assert kept(town).resealed == 2
    readable(town, people)
    forget(town, people[:1])
    to_day(town, start + 2 * ROTATION)
    assert kept(town).removed == 2
    gone(town, people[:1])
    readable(town, people[1:])


# --- two at once, and stopped anywhere ------------------------------------------------------------------------------------
class Killed(BaseException):
    """Nothing catches it, as nothing catches kill -9."""


def _steps(town: World, at: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Kill at the ``at``-th step: before and after each call to the keyholder, and each write to the store."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == at:
            raise Killed

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            step()
            found = function(*args, **kwargs)
            step()
            return found

        return called

    monkeypatch.setattr(town.room.client, "_transport", around(town.room.client._transport))
    for name in ("settle", "unsettle", "put_resealed", "withdraw", "purge", "empty_log"):
        monkeypatch.setattr(town.room.store, name, around(getattr(town.room.store, name)))
    for name in ("write_secret", "sync_folder"):
        monkeypatch.setattr(removals, name, around(getattr(removals, name)))
    return lambda: count


def _troubled(town: World, start: int) -> tuple[list[Person], list[Person]]:
    """Two batches, one with an erased record, and a later version that the keyholder was not told of."""
    people = [*town.take_in(4), *town.take_in(3, seed=2)]
    correct.correct(town.room, mandate(town, "amend"), [people[5].handle], {"name": "Nobody Else"}, "register")
    people[5].values["name"] = "Nobody Else"
    town.room.store.unsettle(town.room.holding("residents"))
    forget(town, people[:1])
    to_day(town, start + ROTATION)
    return people[1:], people[:1]


def test_stopped_at_any_step_it_goes_on(founded: Path, tmp_path: Path) -> None:
    at, done = 0, False
    while not done:
        at += 1
        town = world.copy(founded, tmp_path / f"room{at}")
        to_day(town, first := (day(town) // 210 + 1) * 210)
        living, erased = _troubled(town, first)
        with pytest.MonkeyPatch.context() as broken:
            reached = _steps(town, at, broken)
            try:
                upkeep.run(town.room)
                done = True
                assert reached() < at
            except Killed:
                pass
        town.room.close()
        town.room = town.open_room()
        if done:
            assert at > 20
        found = kept(town)
        assert found.problems == ()
        assert {row.epoch for row in batches(town)} == {first + 3 * ROTATION}
        readable(town, living)
        gone(town, erased)
        assert town.room.store.unsettled(town.room.holding("residents"), 9) == []
        town.close()


def test_one_at_a_time(town: World, start: int) -> None:
    town.take_in(1)
    with upkeep._alone(town.room.directory):
        with pytest.raises(InputError, match="under way"):
            upkeep.run(town.room)
        assert upkeep.after_intake(town.room, "residents") == []
        assert upkeep.run(town.room, dry=True)
    assert upkeep.run(town.room)


def test_no_keyholder(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> bytes:
        raise KeyholderUnavailable("no keyholder answers")

    town.take_in(1)
    monkeypatch.setattr(town.room.client, "_transport", silent)
    with pytest.raises(KeyholderUnavailable):
        upkeep.run(town.room)
    (problem,) = upkeep.after_intake(town.room, "residents")
    assert "strongroom upkeep" in problem
    # What is known without it is said without it.
    assert upkeep.run(town.room, dry=True)
    assert upkeep.standing(town.room)[0].outlook.backups == start + 2 * ROTATION


# --- a keyholder that is not believed --------------------------------------------------------------------------------------
def _kept_as_it_was(town: World, said: str, people: Sequence[Person]) -> None:
    before = batches(town)
    found = kept(town)
    assert found.resealed == 0
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert batches(town) == before
    readable(town, people)


def test_an_answer_that_nobody_signed(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    people = town.take_in(3)
    to_day(town, start + ROTATION)

    def transport(path: str, signature: bytes, body: bytes) -> bytes:
        data = town.transport(path, signature, body)
        if path != "/v1/reseal":
            return data
        return encode(msgspec.structs.replace(protocol.resealed.parse(data), signature=bytes(64)))

    monkeypatch.setattr(town.room.client, "_transport", transport)
    _kept_as_it_was(town, "not signed by the keyholder", people)


def test_a_living_row_cannot_be_dropped_in_silence(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    people = town.take_in(4)
    to_day(town, start + ROTATION)
    mark = town.keyholder.marks("residents", [people[0].handle])[0]
    real = keyholder_life.reseal

    def lying(keyholder: Any, *rest: Any) -> Any:
        with monkeypatch.context() as lie:
            lie.setattr(keyholder.store, "erased", lambda marks: {mark: 0})
            return real(keyholder, *rest)

    _route(monkeypatch, "/v1/reseal", lying)
    _kept_as_it_was(town, "a record of the request was not erased", people)


def _one_mark_for_two(town: World, people: Sequence[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    own, others = (town.keyholder.marks("residents", [one.handle])[0] for one in people[:2])
    real = type(town.keyholder).marks
    monkeypatch.setattr(type(town.keyholder), "marks", lambda *at: [own if one == others else one for one in real(*at)])


def test_nor_under_the_mark_of_another(town: World, start: int) -> None:
    """The erasure of the other is older than the key: nobody who reads it would think that this record ended with it."""
    people = town.take_in(5)
    forget(town, people[:1])
    to_day(town, start + ROTATION)
    assert kept(town).removed == 1
    to_day(town, start + 2 * ROTATION)
    with pytest.MonkeyPatch.context() as lying:
        _one_mark_for_two(town, people, lying)
        before = batches(town)
        found = kept(town)
    assert (found.resealed, found.removed) == (0, 0)
    assert "leaves out a key" in found.problems[0]
    assert batches(town) == before
    readable(town, people[1:])


def test_nor_two_under_one_mark(town: World, start: int) -> None:
    people = town.take_in(5)
    forget(town, people[:1])
    to_day(town, start + ROTATION)
    with pytest.MonkeyPatch.context() as lying:
        _one_mark_for_two(town, people, lying)
        found = kept(town)
    assert (found.resealed, found.removed, len(found.problems)) == (0, 0, 1)
    readable(town, people[1:])
    assert kept(town).removed == 1


def test_a_mark_is_one_records_for_ever(tmp_path: Path) -> None:
    def word(mark: int, handle: int, holding: str = "calls") -> Word:
        record = protocol.CertifiedRecord(entry=1, epochs=[], handle=bytes([handle]) * 16, mark=bytes([mark]) * 16)
        text = encode(
            protocol.Certificate(
                holding=holding, records=[record], room=bytes(16), root=bytes(32), size=2, time=handle, v=1
            )
        )
        return Word(text, bytes(64), "", 2, (), {record.mark: record.handle}, ())

    own = removals.Removals(tmp_path, "calls")
    own.keep(word(1, 1))
    own.keep(word(1, 1))
    # Another holding, though its name begins alike.
    removals.Removals(tmp_path, "calls-old").keep(word(2, 2, "calls-old"))
    for again in (own, removals.Removals(tmp_path, "calls")):
        with pytest.raises(ProofError, match="under a mark that it gave to another record"):
            again.keep(word(1, 3))
        again.keep(word(2, 4))
    assert len(list((tmp_path / "erased").iterdir())) == 3


def test_a_secret_that_the_keyholder_cannot_open(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be noticed when somebody next wants to read, and the old key is gone by then."""
    people = town.take_in(3)
    to_day(town, start + ROTATION)
    with monkeypatch.context() as broken:
        broken.setattr(batch, "seal_batch_secret", lambda *_: b"\1" + bytes(batch.SEALED_SIZE - 1))
        before = batches(town)
        found = kept(town)
    assert found.resealed == 0
    assert "batch" in found.problems[0]
    assert batches(town) == before
    readable(town, people)
    assert kept(town).resealed == 1


def test_another_secret_where_nothing_was_erased(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    people = town.take_in(3)
    to_day(town, start + ROTATION)
    real = batch.seal_batch_secret
    with monkeypatch.context() as broken:
        broken.setattr(batch, "seal_batch_secret", lambda public, bound, b: real(public, bound, bytes(32)))
        before = batches(town)
        found = kept(town)
    assert found.resealed == 0
    assert "does not show that it can open" in found.problems[0]
    assert batches(town) == before
    readable(town, people)


def test_one_damaged_batch_holds_up_no_other(town: World, start: int) -> None:
    people = [one for seed in range(1, 6) for one in town.take_in(2, seed=seed)]
    rows = batches(town)
    store = town.room.store
    store._db.run("UPDATE batches SET sealed = zeroblob(1169) WHERE batch = ?1", (rows[2].batch,))
    lost = {handle for handle, _, _ in store.members(rows[2].batch)}
    to_day(town, start + ROTATION)
    found = kept(town)
    assert found.resealed == 4
    (problem,) = found.problems
    assert rows[2].batch.hex() in problem
    readable(town, [one for one in people if one.handle not in lost])


def test_a_ledger_that_was_cut_ends_it_all(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    town.take_in(2)
    to_day(town, start + ROTATION)
    town.room.sync()
    size = town.room.mirror.size
    real = town.room.mirror.accept

    def accept(signed: str, entries: Sequence[str], begin: int, fetch: Any) -> Any:
        return real(signed, entries, size + 1, fetch)

    monkeypatch.setattr(town.room.mirror, "accept", accept)
    with pytest.raises(StrongroomError, match="was cut"):
        upkeep.run(town.room)


def _route(monkeypatch: pytest.MonkeyPatch, path: str, handler: Any) -> None:
    route = routes.ROUTES[path]
    monkeypatch.setitem(routes.ROUTES, path, routes.Route(route.before, route.after, handler, route.most))


# --- what an answer may be, without a room ---------------------------------------------------------------------------------
MEMBERS = [(bytes([n]) * 16, 1, b"") for n in range(1, 5)]
PLACES = resealing._places(MEMBERS)
SEALED = b"\1" * batch.SEALED_SIZE


def _aged(places: Sequence[bytes], deltas: int | None = None, sealed: bytes = SEALED) -> protocol.Aged:
    return protocol.Aged(
        deltas=bytes(32) * (len(places) if deltas is None else deltas), members=b"".join(places), sealed=sealed
    )


def test_an_answer_is_the_same_all_some_or_none() -> None:
    assert resealing.outcome(MEMBERS, _aged([])) == (SEALED, None, [])
    assert resealing.outcome(MEMBERS, _aged([], sealed=b"")) == (b"", [], MEMBERS)
    kept_, dropped = [(*one[:2], bytes(32)) for one in MEMBERS[:3]], MEMBERS[3:]
    assert resealing.outcome(MEMBERS, _aged(PLACES[:3])) == (SEALED, kept_, dropped)


@pytest.mark.parametrize(
    "aged",
    [
        _aged(PLACES),  # nothing was erased: then nothing is said
        _aged([bytes(20)]),  # one that was not asked for
        _aged([*PLACES[:2], bytes(20)]),
        _aged([PLACES[1], PLACES[0]]),
        _aged([PLACES[0], PLACES[0]]),
        _aged(PLACES[:2], deltas=1),
        _aged(PLACES[:2], deltas=0),
        _aged([], deltas=1),
        _aged(PLACES[:2], sealed=b""),
        _aged([], sealed=b"\1"),
        protocol.Aged(deltas=b"\1", members=PLACES[0], sealed=SEALED),
        protocol.Aged(deltas=bytes(32), members=PLACES[0][:-1], sealed=SEALED),
    ],
)
def test_or_it_means_nothing(aged: protocol.Aged) -> None:
    with pytest.raises(StrongroomError):
        resealing.outcome(MEMBERS, aged)


# --- versions, notices -----------------------------------------------------------------------------------------------------
def test_versions_are_told_again_after_a_recovery_once(town: World, start: int) -> None:
    people = town.take_in(2)
    correct.correct(town.room, mandate(town, "amend"), [people[0].handle], {"name": "Nobody Else"}, "register")
    assert kept(town).told == 0
    keyholder = town.keyholder
    keyholder.store.db.execute("DELETE FROM versions")
    with keyholder.writing():
        keyholder.book.stage(entry.NoticeEntry(v=1, time=keyholder.now(), code="generation", scope=""))
    assert kept(town).told == 1
    assert keyholder.newest("residents", [people[0].handle]) == {people[0].handle: 2}
    assert kept(town).told == 0


# --- the vault restored ----------------------------------------------------------------------------------------------------
def _copied(town: World, to: Path) -> Path:
    shutil.copytree(town.root / "vault", to)
    return to


def _restore(town: World, copy: Path) -> None:
    town.room.close()
    shutil.rmtree(town.root / "vault")
    shutil.copytree(copy, town.root / "vault")
    town.room = town.open_room()


def test_a_copy_of_the_vault_is_put_back(town: World, start: int, tmp_path: Path) -> None:
    """What was erased since comes back as rows, and leaves again with the next upkeep that is told that somebody has looked."""
    people = town.take_in(6)
    copy = _copied(town, tmp_path / "copy")
    index = forget(town, people[:2]).index
    to_day(town, start + ROTATION)
    kept(town)
    to_day(town, start + ROTATION + 5)
    _restore(town, copy)
    town.room.sync()
    assert len(town.room.store.latest(town.room.holding("residents"), [one.handle for one in people])) == 6
    found = kept(town)
    assert (found.resealed, found.removed, found.strangers, len(found.problems)) == (0, 0, 0, 2)
    found = kept(town, believed=[index])
    assert (found.resealed, found.removed, found.strangers, found.problems) == (1, 2, 2, ())
    gone(town, people[:2])
    readable(town, people[2:])
    to_day(town, start + 2 * ROTATION + 1)
    town.tick()
    readable(town, people[2:])


def test_a_copy_is_good_until_the_day_that_was_printed(town: World, start: int, tmp_path: Path) -> None:
    people = town.take_in(3)
    copy = _copied(town, tmp_path / "copy")
    last = upkeep.standing(town.room)[0].outlook.backups
    assert last == start + 2 * ROTATION
    to_day(town, start + ROTATION)
    kept(town)
    to_day(town, last - 1)
    town.tick()
    _restore(town, copy)
    assert kept(town).resealed == 1
    readable(town, people)
    to_day(town, last)
    town.tick()
    _restore(town, copy)
    found = kept(town)
    assert (found.resealed, found.outlook.lost) == (0, 1)


# --- expiry and holds ------------------------------------------------------------------------------------------------------
CALLS = [("+8613800000001", "+8613800000002"), ("+8613800000003", "")]


def _hold(town: World, until: int, authority: str = "Riverton District Court, 41 C 7") -> None:
    request = protocol.Operate(
        action="hold",
        authority=authority,
        holding="calls",
        nonce=os.urandom(16),
        scope="",
        time=town.room.now(),
        until=until,
    )
    body = encode(request)
    key = town.keyholder.keys.operator
    signature = protocol.sign_request(town.keyholder.room, "/v1/operator", body, key)
    town.keyholder.ask("/v1/operator", signature, body)


def _keep_calls(town: World, until: int) -> None:
    """Upkeep every week, with the keyholder's own rounds."""
    while day(town) < until:
        to_day(town, min(day(town) + 7, until))
        town.tick()
        assert kept(town, "calls").problems == ()


def test_what_has_expired_goes_once_the_ledger_says_so(town: World, start: int) -> None:
    town.take_in_calls(*CALLS)
    number = town.room.holding("calls")
    _keep_calls(town, start + 89)
    (row,) = batches(town, "calls")
    assert row.epoch == row.expires == start + 90
    # The day has come, and the keyholder has not said yet that the key is destroyed.
    to_day(town, start + 90)
    found = kept(town, "calls")
    assert (found.purged, found.problems, found.outlook.batches) == (0, (), {"expired": 1})
    town.tick()
    assert kept(town, "calls", dry=True).purged == 0  # nobody was asked, so nobody knows
    found = kept(town, "calls")
    assert (found.purged, found.outlook.batches) == (2, {})
    assert list(town.room.store.records(number)) == []
    assert town.room.store.problems() == []


def test_a_silent_keyholder_keeps_no_rows_alive(town: World, start: int) -> None:
    town.take_in_calls(*CALLS)
    _keep_calls(town, start + 89)
    to_day(town, start + 96)
    assert kept(town, "calls").purged == 0
    to_day(town, start + 97)
    found = kept(town, "calls")
    assert found.purged == 2
    (problem,) = found.problems
    assert "does not say that the keys" in problem
    assert kept(town, "calls").problems == ()


def test_while_a_hold_stands_nothing_goes(town: World, start: int) -> None:
    town.take_in_calls(*CALLS)
    _keep_calls(town, start + 80)
    _hold(town, (start + 120) * DAY)
    _keep_calls(town, start + 119)
    found = kept(town, "calls")
    assert (found.purged, found.held_until, found.outlook.batches) == (0, (start + 120) * DAY, {"expired": 1})
    _keep_calls(town, start + 120)
    found = kept(town, "calls")
    assert (found.held_until, found.outlook.batches) == (None, {})
    assert list(town.room.store.records(town.room.holding("calls"))) == []


def test_a_retention_that_was_shortened(town: World, start: int) -> None:
    """What is there keeps the day it was promised, and moves on to keys that live as long as any."""
    town.take_in_calls(*CALLS)
    amend(town, ("retention: 90d", "retention: 5d"))
    to_day(town, start + 8)
    found = kept(town, "calls")
    assert (found.resealed, found.problems) == (1, ())
    (row,) = batches(town, "calls")
    assert (row.epoch, row.expires) == (start + 21, start + 90)


def test_a_hold_saves_what_nobody_resealed(town: World, start: int) -> None:
    """The week was missed. With a hold the key is still there, and upkeep catches up."""
    town.take_in_calls(*CALLS)
    _hold(town, (start + 60) * DAY)
    to_day(town, start + 40)
    town.tick()
    found = kept(town, "calls")
    assert (found.resealed, found.problems, found.outlook.lost) == (1, (), 0)
    (row,) = batches(town, "calls")
    assert row.epoch == start + 49


def test_what_was_missed_is_said_to_be_lost(town: World, start: int) -> None:
    town.take_in_calls(*CALLS)
    to_day(town, start + 14)
    town.tick()
    found = kept(town, "calls")
    assert (found.resealed, found.outlook.lost, found.outlook.waiting) == (0, 1, 0)
    (problem,) = found.problems
    assert "not resealed before their key was destroyed" in problem
    # The rows stay until they expire, for a fsck or a court to see.
    assert len(batches(town, "calls")) == 1
    assert upkeep.standing(town.room)[0].outlook.lost == 1


def test_the_last_quarter_is_loud(town: World, start: int) -> None:
    town.take_in(1)
    for days, urgent in ((29, False), (30, False), (52, False), (53, True), (59, True)):
        to_day(town, start + days)
        (found,) = upkeep.standing(town.room)
        assert found.outlook.urgent is urgent, days
        assert found.outlook.destruction == (start + 60 if days >= 30 else None)


def test_an_expiry_of_another_key_is_none(town: World, start: int) -> None:
    town.take_in_calls(*CALLS)
    to_day(town, start + 14)
    keyholder = town.keyholder
    with keyholder.writing():
        keyholder.book.stage(
            entry.ExpiryEntry(v=1, time=keyholder.now(), epoch=start + 14, holding="calls", key=bytes(32))
        )
    found = kept(town, "calls")
    assert any("names another key" in one for one in found.problems)


def test_the_room_is_whole_after_it(town: World, start: int) -> None:
    people = town.take_in(4)
    forget(town, people[:1])
    to_day(town, start + ROTATION)
    kept(town)
    town.close()
    problems: list[str] = []
    fsck.check(town.root, lambda what, done, total: None, problems.append, int(town.hands.wall()))
    assert problems == []
