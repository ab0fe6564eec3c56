"""Faults at every statement of a commit: afterwards nothing is half-done, book and store agree, and the next request works."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.houses import Houses, change
from tests.keyholder import asked

from strongroom.canonical import Record, encode
from strongroom.errors import StoreError, StrongroomError
from strongroom.keyholder import epochs, protocol, reading
from strongroom.keyholder.case import Case
from strongroom.keyholder.store import Store
from strongroom.keyholder.work import Work


class Faulty:
    """A connection whose statement number ``fail_at``, and any after it while ``lasting``, raises as a broken disk would."""

    def __init__(self, real: sqlite3.Connection, fail_at: int, *, lasting: bool = False) -> None:
        self.real, self.fail_at, self.lasting, self.count = real, fail_at, lasting, 0

    def _step(self, statement: str) -> None:
        self.count += 1
        if self.count == self.fail_at or (self.lasting and self.count > self.fail_at and statement != "ROLLBACK"):
            raise sqlite3.OperationalError("disk I/O error")

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self._step(statement)
        return self.real.execute(statement, *values)

    def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self._step(statement)
        return self.real.executemany(statement, *values)

    @property
    def in_transaction(self) -> bool:
        return self.real.in_transaction


@contextmanager
def _fault(houses: Houses, at: int, *, lasting: bool = False) -> Iterator[Faulty]:
    store = houses.town.keyholder.store
    faulty = Faulty(store.db, at, lasting=lasting)
    store.db = faulty  # type: ignore[assignment]
    try:
        yield faulty
    finally:
        store.db = faulty.real


def _work(houses: Houses, request: Record, path: str = "/v1/disclose") -> Work:
    content = encode(request)
    return Work(
        path, protocol.sign_request(houses.town.keyholder.room, path, content, houses.town.room.keys.message), content
    )


def _statements(houses: Houses, request: Record) -> int:
    with _fault(houses, 0) as faulty:
        houses.send(request)
    return faulty.count


@pytest.mark.parametrize("lasting", [False, True])
def test_a_fault_at_each_statement_leaves_nothing_behind(houses: Houses, lasting: bool) -> None:
    most = _statements(houses, houses.good(2)) + 2
    assert most > 12
    for at in range(1, most):
        request, before = houses.good(2), houses.held()
        with _fault(houses, at, lasting=lasting) as faulty:
            try:
                answer: Record | None = houses.send(request)
            except (sqlite3.Error, StrongroomError):
                answer = None
        committed = len(houses.held().entries) > len(before.entries)
        if answer is not None:
            # The fault came after the commit, where only the answer's tail was read, or not at all.
            assert committed
            assert faulty.count <= most
        elif not committed:
            assert houses.held() == before
        # As it was: the same request, once the disk is well.
        assert len(houses.open(request, houses.send(request)).shares) == 64
        houses.check()
        assert len(houses.held().entries) == len(before.entries) + 1
    houses.town.restart_keyholder()
    houses.check()


def test_a_fault_in_a_heartbeat_leaves_nothing_behind(houses: Houses) -> None:
    for at in range(1, 30):
        houses.town.hands.wait(3600)
        try:
            with _fault(houses, at, lasting=True):
                houses.town.keyholder.tick()
        except (sqlite3.Error, StrongroomError):
            pass
        houses.send(houses.good())
        houses.check()


def test_memory_that_could_not_be_reread_is_reread_before_it_is_used(houses: Houses) -> None:
    """Staged entries of a transaction that was rolled back would stand in the book without their tags and debits."""
    keyholder, before = houses.town.keyholder, houses.held()
    statements = _statements(houses, houses.good())
    with _fault(houses, statements // 2 + 3, lasting=True), pytest.raises(sqlite3.Error):
        houses.send(houses.good())
    assert keyholder._torn
    request = houses.good()
    houses.send(request)
    assert not keyholder._torn
    assert len(houses.held().entries) == len(before.entries) + 2
    houses.check()


def test_a_commit_that_fails_does_not_stay_open(houses: Houses) -> None:
    statements = _statements(houses, houses.good())
    for at in range(1, statements + 1):
        with _fault(houses, at) as faulty:
            with suppress(sqlite3.Error, StrongroomError):
                houses.send(houses.good())
            assert not faulty.in_transaction


class _BrokenError(Exception):
    """What no handler is known to raise."""


def test_one_request_that_breaks_its_transaction_harms_no_other(
    houses: Houses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken after it has written budgets, tags and its entry: the others must not carry any of it."""
    good, poison = houses.good(2), houses.good(3)
    real: Any = reading._write

    def write(keyholder: Any, case: Case) -> int:
        index: int = real(keyholder, case)
        if len(set(case.handles)) == 3:
            raise _BrokenError
        return index

    monkeypatch.setattr(reading, "_write", write)
    other = houses.ask(1, ("born",))
    before = houses.held()
    answers = houses.town.keyholder.commit(
        [_work(houses, good), _work(houses, poison), _work(houses, houses.disclose(other))]
    )
    assert [isinstance(one, StrongroomError) for one in answers] == [False, True, False]
    assert isinstance(answers[1], StoreError)
    assert not isinstance(answers[0], StrongroomError)
    assert len(houses.open(good, answers[0]).shares) == 64
    assert len(houses.held().entries) == len(before.entries) + 2
    houses.check()
    with pytest.raises(_BrokenError):
        houses.send(poison)
    houses.check()


def test_a_group_of_good_and_bad_is_each_decided_for_itself(houses: Houses) -> None:
    good, forged = houses.good(), change(houses.good(), signature=bytes(64))
    refused = houses.disclose(houses.ask(), (1, 2))
    garbage = Work(
        "/v1/disclose",
        protocol.sign_request(houses.town.keyholder.room, "/v1/disclose", b"{", houses.town.room.keys.message),
        b"{",
    )
    works = [_work(houses, one) for one in (forged, good, refused)]
    answers = houses.town.keyholder.commit([*works[:1], garbage, *works[1:], Work("/v1/x", b"", b"")])
    codes = [one.code if isinstance(one, StrongroomError) else "" for one in answers]
    assert codes == ["signature", "malformed", "", "compartment", "malformed"]


def test_nothing_to_commit(houses: Houses) -> None:
    assert houses.town.keyholder.commit([]) == []


def test_a_full_disk_under_the_public_files_gives_nothing_up(houses: Houses) -> None:
    """Publishing comes after the commit; where it fails, the book and the answers of the others stand."""
    keyholder, good = houses.town.keyholder, houses.good()
    keyholder.public = houses.town.root / "people" / "ana.device"  # no directory
    plain = protocol.Plain(**houses.town.room.common())
    answers = keyholder.commit([_work(houses, plain, "/v1/publish"), _work(houses, good)])
    assert isinstance(answers[0], StoreError)
    assert not isinstance(answers[1], StrongroomError)
    houses.open(good, answers[1])


def test_a_damaged_epoch_key_is_named_and_stops_nobody_else(houses: Houses) -> None:
    directory = houses.town.root / "keyholder" / "epochs"
    (path,) = directory.glob("*.key")
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    houses.town.restart_keyholder()
    with houses.refused("store", written=False):
        houses.send(houses.good())
    now = houses.town.room.now()
    houses.send(houses.find(houses.town.asker().find("residents", "confirm", "phone", "x", "c", "a reason", now)))
    path.write_bytes(whole)
    houses.send(houses.good())


def test_after_a_restart_the_checkpoint_is_the_stores(houses: Houses) -> None:
    for _ in range(3):
        houses.send(houses.good())
    note = houses.town.keyholder.book.note
    houses.town.restart_keyholder()
    assert houses.town.keyholder.book.note == note
    houses.town.keyholder.started()
    houses.check()


def test_a_keyholder_restored_from_an_old_copy_gives_nothing(houses: Houses) -> None:
    """It would give tags and asks of the lost part a second time; the vault's mirror tells it."""
    book = houses.town.root / "keyholder" / "keyholder.db"
    houses.town.keyholder.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old = book.read_bytes()
    houses.town.disclose(houses.handles[:1])
    houses.town.keyholder.store.close()
    for suffix in ("-wal", "-shm"):
        book.with_name(book.name + suffix).unlink(missing_ok=True)
    book.write_bytes(old)
    houses.town.keyholder = houses.town._keyholder()
    with pytest.raises(StoreError, match="restored from an old copy"):
        houses.town.room.sync()


def test_the_ask_table_does_not_grow_for_ever(houses: Houses) -> None:
    for _ in range(5):
        houses.send(houses.good())
        houses.town.hands.wait(700)
        houses.town.keyholder.tick()
    # What may be left is the town's own intake window, which was open for an hour.
    assert len(houses.held().asks) <= 1


def test_the_cache_of_batch_secrets_is_bounded(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    keyholder = houses.town.keyholder
    monkeypatch.setattr(epochs, "_MOST_SECRETS", 3)
    for _ in range(5):
        made = asked.Sealed(houses, houses.handles[:1])
        houses.send(asked.request(houses, houses.ask(), made.pieces((1,))))
    assert sum(map(len, keyholder.epochs._secrets.values())) <= 3


# --- a full disk -----------------------------------------------------------------------------------------------------
@contextmanager
def _full(houses: Houses) -> Iterator[None]:
    """Not a page more for the book."""
    db = houses.town.keyholder.store.db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (most,) = db.execute("PRAGMA max_page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA max_page_count = {most}")


def _until_full(do: Callable[[], object]) -> int:
    """How often it could be done before the disk was full."""
    for done in range(30):
        try:
            do()
        except (sqlite3.Error, StoreError):
            return done
    raise AssertionError("the disk was not full")


def test_a_full_disk_gives_nothing_and_harms_nothing(houses: Houses) -> None:
    today = houses.town.room.now() // 86400

    def beat() -> None:
        houses.town.hands.wait(3600)
        houses.town.keyholder.tick()

    for turn in range(3):
        before = len(houses.held().entries)
        with _full(houses):
            given = _until_full(lambda: houses.send(houses.good(2)))
            assert len(houses.held().entries) == before + given
            _until_full(beat)
        # As soon as there is room, all goes on.
        houses.town.keyholder.tick()
        houses.send(houses.good())
        wanted = today + 5 + turn
        houses.send(protocol.Epoch(**houses.town.room.common(), holding="residents", epoch=wanted))
        houses.check()


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        (sqlite3.SQLITE_READONLY, "Make the disk writable"),
        (sqlite3.SQLITE_FULL, "Make the disk writable"),
        (sqlite3.SQLITE_NOTADB, "Restore the keyholder's book"),
    ],
)
def test_a_book_that_cannot_be_opened_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, mend: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("as it is")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(StoreError, match=mend):
        Store(tmp_path / "keyholder.db")
