"""What is due on which day: the decisions of upkeep, without a room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.custody import schedule
from strongroom.custody.schedule import Facts, Life, Weight
from strongroom.seal.epoch import NEVER, epoch_of

DAYS = st.integers(0, 30_000)
ROTATIONS = st.integers(1, 366)


def _facts(today: int, *destroyed: int, rotation: int = 30, held: bool = False) -> Facts:
    return Facts(today, rotation, frozenset(destroyed), held)


@pytest.mark.parametrize(
    ("today", "destroyed", "expected"),
    [
        (0, (), "current"),
        (29, (), "current"),
        (30, (), "due"),  # the first day of the last rotation before day 60
        (59, (), "due"),
        (
            60,
            (),
            "lost",
        ),  # its day has come: the keyholder uses it no more, though it has not said that it is destroyed
        (60, (60,), "lost"),
        (499, (60,), "lost"),
        (500, (), "expired"),
        (500, (60,), "expired"),
    ],
)
def test_the_states_of_a_batch(today: int, destroyed: tuple[int, ...], expected: str) -> None:
    assert schedule.state(Life(60, 500), _facts(today, *destroyed)) == expected


def test_a_hold_lets_a_key_live_past_its_day() -> None:
    life = Life(60, 500)
    assert [schedule.state(life, _facts(day, held=True)) for day in (29, 59, 60, 90)] == [
        "current",
        "due",
        "due",
        "due",
    ]
    assert schedule.state(life, _facts(90, 60, held=True)) == "lost"


def test_a_batch_that_ends_with_its_expiry_is_left_to_it() -> None:
    life = Life(45, 45)
    assert [schedule.state(life, _facts(day)) for day in (0, 29, 30, 44)] == ["current"] * 4
    assert schedule.state(life, _facts(45)) == "expired"


def test_a_rotation_that_was_changed() -> None:
    # Shortened from 30 to 7 days: there is a later epoch on day 49, and the last rotation begins on day 53.
    assert [schedule.state(Life(60, NEVER), _facts(day, rotation=7)) for day in (48, 49, 53)] == [
        "current",
        "aging",
        "due",
    ]
    # Lengthened to 90 days: the old keys are destroyed on their day all the same.
    assert schedule.state(Life(60, NEVER), _facts(31, rotation=90)) == "due"


@given(day=DAYS, rotation=ROTATIONS, retention=st.none() | st.integers(1, 5_000), gap=st.integers(0, 800))
def test_upkeep_in_each_rotation_loses_nothing(day: int, rotation: int, retention: int | None, gap: int) -> None:
    """Sealed on ``day``, looked at once a rotation at the least: each time it is current, due in time, or expired."""
    expires = NEVER if retention is None else day + retention
    life, today = Life(epoch_of(day, rotation, expires), expires), day
    for _ in range(12):
        today += min(gap, rotation)
        # Keys of the past are destroyed on their day.
        destroyed = frozenset({life.epoch} if life.epoch <= today else ())
        facts = Facts(today, rotation, destroyed)
        found = schedule.state(life, facts)
        assert found in ("current", "due", "expired")
        if found == "expired":
            assert today >= expires
            return
        assert life.epoch > today
        if found == "due":
            assert facts.target(life) > life.epoch
            life = Life(facts.target(life), expires)
            assert schedule.state(life, facts) == "current"


@given(day=DAYS, rotation=ROTATIONS, late=st.integers(0, 1000))
def test_no_copy_outlives_two_rotations(day: int, rotation: int, late: int) -> None:
    """Whatever was sealed, its key is destroyed within two rotations, and never before one has gone by."""
    assert rotation < epoch_of(day, rotation, NEVER) - day <= 2 * rotation
    assert epoch_of(day, rotation, day + late) - day <= 2 * rotation


# --- purging ---------------------------------------------------------------------------------------------------------
def test_rows_go_once_the_ledger_says_that_their_key_has() -> None:
    lives = [Life(40, 40), Life(50, 50), Life(60, NEVER)]
    assert schedule.purge_until(lives, _facts(39)) is None
    assert schedule.purge_until(lives, _facts(40)) is None
    assert schedule.purge_until(lives, _facts(40, 40)) == 40
    assert schedule.purge_until(lives, _facts(50, 40, 50)) == 50
    # In order: a purge takes all up to a day.
    assert schedule.purge_until([Life(48, 48), Life(50, 50)], _facts(50, 50)) is None


def test_a_silent_keyholder_does_not_keep_rows_for_ever() -> None:
    life = Life(40, 40)
    last = 40 + schedule.GRACE_DAYS
    assert schedule.purge_until([life], _facts(last - 1)) is None
    assert schedule.unconfirmed([life], _facts(last - 1)) == []
    assert schedule.purge_until([life], _facts(last)) == 40
    assert schedule.unconfirmed([life], _facts(last)) == [40]
    assert schedule.unconfirmed([life], _facts(last, 40)) == []


def test_nothing_goes_while_a_hold_stands() -> None:
    life = Life(40, 40)
    assert schedule.purge_until([life], _facts(400, 40, held=True)) is None
    assert schedule.unconfirmed([life], _facts(400, held=True)) == []


def test_of_one_day_all_keys_or_none() -> None:
    lives = [Life(30, 40), Life(40, 40)]
    assert schedule.purge_until(lives, _facts(41, 40)) is None
    assert schedule.purge_until(lives, _facts(41, 30, 40)) == 40


@given(
    lives=st.lists(st.builds(lambda e, more: Life(e, e + more), st.integers(1, 60), st.integers(0, 60))),
    today=st.integers(0, 130),
    destroyed=st.frozensets(st.integers(1, 60)),
    held=st.booleans(),
)
def test_what_lives_is_never_purged(lives: list[Life], today: int, destroyed: frozenset[int], held: bool) -> None:
    until = schedule.purge_until(lives, Facts(today, 30, destroyed, held))
    if held or until is None:
        assert until is None
        return
    for life in lives:
        if life.expires <= until:
            assert life.expires <= today
            assert life.epoch in destroyed or today >= life.expires + schedule.GRACE_DAYS


# --- what status says ------------------------------------------------------------------------------------------------
def test_outlook() -> None:
    lives = {Life(60, NEVER): 3, Life(90, NEVER): 2, Life(35, 35): 1, Life(20, 20): 4}
    found = schedule.outlook(lives, _facts(31))
    assert found.batches == {"due": 3, "current": 3, "expired": 4}
    assert (found.destruction, found.urgent, found.backups, found.waiting, found.lost) == (60, False, 60, 3, 0)
    # Loud in the last quarter of the rotation.
    assert [schedule.outlook(lives, _facts(day)).urgent for day in (52, 53, 59, 60)] == [False, True, True, False]
    assert schedule.outlook({Life(12, NEVER): 1}, _facts(11, rotation=1)).urgent
    # A hold lifts the danger.
    assert not schedule.outlook(lives, _facts(59, held=True)).urgent
    assert schedule.outlook(lives, _facts(61, 60)).lost == 3


def test_an_empty_holding_has_nothing_to_fear() -> None:
    found = schedule.outlook({}, _facts(31))
    assert (found.batches, found.destruction, found.urgent, found.backups) == ({}, None, False, None)


def test_backups_of_what_expires_anyway_are_good() -> None:
    assert schedule.outlook({Life(35, 35): 1}, _facts(20)).backups is None


# --- requests --------------------------------------------------------------------------------------------------------
@given(st.lists(st.builds(Weight, st.integers(1, 10_000), st.integers(0, 10_000)), max_size=300))
def test_requests_stay_within_their_bounds(weights: list[Weight]) -> None:
    groups: list[list[Weight]] = []
    for one in weights:
        if groups and schedule.fits(groups[-1], one):
            groups[-1].append(one)
        else:
            assert schedule.fits([], one)
            groups.append([one])
    for group in groups:
        assert len(group) <= schedule.MAX_BATCHES
        assert sum(one.records for one in group) <= schedule.MAX_RECORDS
        assert sum(one.bytes for one in group) <= schedule.MAX_BYTES


def test_halves() -> None:
    for count in range(2, 9):
        group = list(range(count))
        first, second = (group[part] for part in schedule.halves(group))
        assert first + second == group
        assert first
        assert second
