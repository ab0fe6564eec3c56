"""What every vault store must do, whatever database is under it.

A store's test module derives ``Contract`` and gives ``open``; pytest then runs each test here against it. ``open``
called twice gives two objects upon the same database, as two processes have.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from strongroom.errors import StoreError, TileError
from strongroom.seal.epoch import NEVER
from strongroom.store import removal
from strongroom.store.rows import BatchRow, HoldingRow, Job, RecordRow, RowError, Stored, join_tokens
from strongroom.store.vault import VaultStore

JOB = b"j" * 16
EPOCH, EXPIRES = 24_837, 27_000


def draw(name: str, n: int = 16) -> bytes:
    return hashlib.shake_256(name.encode()).digest(n)


def record(handle: str, version: int = 1, batch: str = "batch", tokens: str = "") -> RecordRow:
    joined = join_tokens([draw(f"token {name}") for name in tokens])
    return RecordRow(draw(handle), version, draw(batch), joined, draw(f"body {handle} {version}", 50))


def batches(rows: Sequence[RecordRow], epoch: int = EPOCH, expires: int = EXPIRES, holding: int = 1) -> list[BatchRow]:
    """The batches that ``rows`` are of, with their members."""
    return [
        BatchRow(batch, holding, epoch, expires, members([row for row in rows if row.batch == batch]), sealed(batch))
        for batch in sorted({row.batch for row in rows})
    ]


def members(rows: Sequence[RecordRow]) -> bytes:
    return removal.hash_of((row.handle, row.version, b"") for row in rows)


def sealed(batch: bytes) -> bytes:
    return hashlib.shake_256(batch).digest(1169)


def put(store: VaultStore, *rows: RecordRow, epoch: int = EPOCH, expires: int = EXPIRES, holding: int = 1) -> None:
    store.put_chunk(holding, rows, batches(rows, epoch, expires, holding))


def versions(store: VaultStore) -> tuple[int, int]:
    """Records and versions of the first holding."""
    assert store.problems() == []
    return store.holdings()[0][3:]


class Contract(ABC):
    @abstractmethod
    def open(self, place: Path) -> VaultStore:
        """The store at ``place``, made where it is missing."""

    @pytest.fixture
    def store(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        with closing(self.open(tmp_path)) as store:
            assert store.add_holding(draw("residents"), "residents") == 1
            yield store

    # Holdings, epochs, batches

    def test_holdings_keep_their_number(self, store: VaultStore) -> None:
        assert store.add_holding(draw("calls"), "calls") == 2
        assert store.add_holding(draw("residents"), "residents") == 1
        assert store.holdings()[1] == HoldingRow(2, draw("calls"), "calls", 0, 0)
        for id, name in ((draw("residents"), "calls"), (draw("new"), "calls"), (draw("calls"), "new")):
            with pytest.raises(StoreError, match="already"):
                store.add_holding(id, name)
        with pytest.raises(StoreError):
            store.add_holding(b"short", "other")

    def test_an_epoch_has_one_key(self, store: VaultStore) -> None:
        public, signature = draw("public", 1216), draw("signature", 64)
        assert store.epoch(1, 9) is None
        store.put_epoch(1, 9, public, signature)
        store.put_epoch(1, 9, public, draw("another signature", 64))
        assert store.epoch(1, 9) == (public, signature)
        with pytest.raises(StoreError, match="another public key"):
            store.put_epoch(1, 9, draw("other", 1216), signature)
        store.renew_epoch(1, 9, draw("other", 1216), signature)
        assert store.epoch(1, 9) == (draw("other", 1216), signature)
        store.put_epoch(1, 3, public, signature)
        assert store.epochs(1) == [3, 9]
        with pytest.raises(StoreError):
            store.put_epoch(7, 9, public, signature)

    def test_batches(self, store: VaultStore) -> None:
        rows = [record("a", batch="b"), record("b", batch="c")]
        store.put_chunk(1, rows, batches(rows))
        assert sorted(store.batches()) == sorted(batches(rows))
        assert store.count_batches() == 2

    def test_a_batch_has_records_and_a_record_its_batch(self, store: VaultStore) -> None:
        number = store.add_holding(draw("calls"), "calls")
        a, b = record("a", batch="a"), record("b", batch="b")
        for rows, of in (([a], []), ([], batches([a])), ([a], batches([a, b])), ([a, b], batches([a]))):
            with pytest.raises(StoreError, match="want the batches"):
                store.put_chunk(1, rows, of)
        with pytest.raises(StoreError, match="want the batches"):
            store.put_chunk(1, [a], batches([a], holding=number))
        put(store, a)
        with pytest.raises(StoreError):
            store.put_chunk(1, [b._replace(batch=a.batch)], batches([a]))
        with pytest.raises(StoreError):
            put(store, b, epoch=EXPIRES + 1)
        assert versions(store) == (1, 1)

    def test_what_is_stored_together_is_stored_whole_or_not_at_all(self, store: VaultStore) -> None:
        a, b = record("a", batch="a"), record("b", batch="b")

        def both(one: RecordRow, other: RecordRow, failing: AbstractContextManager[None]) -> None:
            with store.together():
                store.put_chunk(1, [one], batches([one]))
                with failing:
                    store.put_chunk(1, [other], batches([other]))

        both(a, b, nullcontext())
        c = record("c", batch="c")
        with pytest.raises(StoreError, match="UNIQUE"):
            both(c, a, nullcontext())
        # Not even where somebody goes on after a part that failed.
        with pytest.raises(StoreError, match="belongs together"):
            both(c, a, suppress(StoreError))
        assert versions(store) == (2, 2)
        put(store, c)
        assert store.problems() == []

    # Records and tokens

    def test_a_record_comes_back_whole(self, store: VaultStore) -> None:
        row = record("a", tokens="xy")
        put(store, row)
        wanted = Stored(
            row.handle, 1, row.batch, EPOCH, EXPIRES, members([row]), sealed(row.batch), b"", row.tokens, row.body
        )
        assert store.latest(1, [draw("missing"), row.handle]) == [wanted]
        assert store.latest(2, [row.handle]) == []
        assert store.handles_of_token(1, draw("token x")) == [row.handle]
        assert store.handles_of_token(2, draw("token x")) == []
        assert store.handles_of_tokens(1, [draw("token y"), draw("token z")]) == {draw("token y"): [row.handle]}
        assert list(store.records(1)) == [wanted]
        assert store.at_version(1, [draw("missing"), row.handle], 1) == [wanted]
        assert store.at_version(1, [row.handle], 2) == []
        assert store.problems() == []

    def test_two_records_may_share_a_token(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"), record("b", tokens="x"))
        assert store.handles_of_token(1, draw("token x")) == sorted([draw("a"), draw("b")])

    def test_a_new_version_takes_over_the_tokens(self, store: VaultStore) -> None:
        put(store, record("a", tokens="xy"), record("b", tokens="x"))
        put(store, record("a", 2, "later", tokens="yz"), epoch=24_900)
        assert store.handles_of_token(1, draw("token x")) == [draw("b")]
        assert store.handles_of_token(1, draw("token y")) == [draw("a")]
        assert store.handles_of_token(1, draw("token z")) == [draw("a")]
        assert [(row.version, row.epoch) for row in store.latest(1, [draw("a")])] == [(2, 24_900)]
        assert [(row.version, row.epoch) for row in store.at_version(1, [draw("a")], 1)] == [(1, EPOCH)]
        assert store.latest_versions(1, [draw("a"), draw("b"), draw("c")]) == {draw("a"): 2, draw("b"): 1}
        assert versions(store) == (2, 3)

    @pytest.mark.parametrize(
        "bad",
        [
            record("a"), record("a", 3), record("new", 2), record("new", 0), record("new", 2**32),
            record("new", batch="first"), record("b"),
            record("new")._replace(handle=b"short"), record("new")._replace(body=b""),
            record("new")._replace(tokens=b"short"), record("new")._replace(tokens=bytes(32)),
        ],
    )  # fmt: skip
    def test_a_chunk_with_a_bad_row_leaves_nothing(self, store: VaultStore, bad: RecordRow) -> None:
        put(store, record("a", batch="first", tokens="x"))
        store.jobs.start(JOB, 1, "")
        before = list(store.records(1))
        rows = [record("b", tokens="y"), bad]
        of = [BatchRow(batch, 1, EPOCH, EXPIRES, bytes(32), b"s") for batch in {row.batch for row in rows}]
        with pytest.raises(StoreError):
            store.put_chunk(1, rows, of, job=JOB, chunk=4, errors=[RowError(1, "f", "r")], cursor="far")
        assert list(store.records(1)) == before
        assert store.handles_of_token(1, draw("token y")) == []
        assert store.jobs.chunks(JOB) == set()
        assert store.jobs.get(JOB).cursor == ""
        assert list(store.jobs.errors(JOB)) == []
        assert store.count_batches() == 1
        assert store.problems() == []

    def test_records_stream_past_a_page(self, store: VaultStore) -> None:
        put(store, *(record(str(i)) for i in range(1203)))
        found = [row.handle for row in store.records(1)]
        assert found == sorted(draw(str(i)) for i in range(1203))

    def test_handles_in_order_for_a_job(self, store: VaultStore) -> None:
        put(store, *(record(str(i)) for i in range(12)))
        put(store, record("3", 2, "later"))
        wanted = sorted(draw(str(i)) for i in range(12))
        assert store.handles(1, b"", 5) == wanted[:5]
        assert store.handles(1, wanted[4], 100) == wanted[5:]
        assert store.handles(2, b"", 5) == []

    # Later versions

    def test_later_versions_wait_until_the_keyholder_knows(self, store: VaultStore) -> None:
        put(store, record("a"), record("b"))
        assert store.unsettled(1, 10) == []
        put(store, record("a", 2, "two"), record("b", 2, "two"), record("a", 3, "two"))
        waiting = sorted([(draw("a"), 2), (draw("a"), 3), (draw("b"), 2)])
        assert store.unsettled(1, 10) == waiting
        assert store.unsettled(1, 2) == waiting[:2]
        assert store.unsettled(2, 10) == []
        store.settle(1, waiting[:2])
        assert store.unsettled(1, 10) == waiting[2:]
        store.unsettle(1)
        store.unsettle(1)
        assert set(store.unsettled(1, 10)) == {(draw("a"), 3), (draw("b"), 2), waiting[2]}
        assert store.problems() == []

    # Resealing

    def test_aging_batches_come_by_epoch(self, store: VaultStore) -> None:
        for name, epoch, expires in (("c", 30, NEVER), ("a", 20, 40), ("b", 10, 21), ("d", 31, 60), ("e", 9, 9)):
            put(store, record(name, batch=name), epoch=epoch, expires=expires)
        assert [row.batch for row in store.aging(1, 31, 20)] == [draw("b"), draw("a"), draw("c")]
        assert [row.batch for row in store.aging(1, 31, 21)] == [draw("a"), draw("c")]
        assert list(store.aging(2, 31, 0)) == []
        for row in store.aging(1, 31, 0):
            store.put_resealed(row.batch, min(50, row.expires), row.members, b"new", None)
        assert {row.batch for row in store.aging(1, 31, 0)} == {draw("b"), draw("e")}

    def test_how_many_batches_have_which_days(self, store: VaultStore) -> None:
        assert store.lives(1) == {}
        for name, epoch, expires in (("c", 30, NEVER), ("a", 20, 40), ("b", 20, 40), ("d", 20, 41)):
            put(store, record(name, batch=name), epoch=epoch, expires=expires)
        assert store.lives(1) == {(20, 40): 2, (20, 41): 1, (30, NEVER): 1}
        assert store.lives(2) == {}

    def test_a_resealed_batch_has_its_records(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"), record("b"))
        (before,) = store.batches()
        store.put_resealed(before.batch, 25_000, before.members, b"sealed anew", None)
        assert list(store.batches()) == [before._replace(epoch=25_000, sealed=b"sealed anew")]
        assert store.latest(1, [draw("a")])[0].delta == b""
        with pytest.raises(StoreError, match="have changed"):
            store.put_resealed(before.batch, 25_001, bytes(32), b"of other records", None)
        with pytest.raises(StoreError, match="not here"):
            store.put_resealed(draw("none"), 25_001, bytes(32), b"", None)
        assert versions(store) == (2, 2)

    def test_what_was_erased_leaves_its_batch(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"), record("b", tokens="x"), record("c", tokens="z"))
        kept = [(row.handle, 1, draw(f"delta {row.handle.hex()}", 32)) for row in store.records(1)]
        kept = [one for one in kept if one[0] != draw("a")]
        store.put_resealed(draw("batch"), 25_000, removal.hash_of(kept), b"another secret", kept)
        assert store.members(draw("batch")) == kept
        assert [(row.handle, 1, row.delta) for row in store.latest(1, [one[0] for one in kept])] == kept
        assert [row.delta for row in store.records(1)] == [delta for _, _, delta in kept]
        assert store.handles_of_token(1, draw("token x")) == [draw("b")]
        assert store.latest(1, [draw("a")]) == []
        assert store.latest_versions(1, [draw("a")]) == {}
        assert versions(store) == (2, 2)
        # A second time: deltas are replaced, and what was erased since goes.
        again = [(*kept[0][:2], draw("delta anew", 32))]
        store.put_resealed(draw("batch"), 25_001, removal.hash_of(again), b"a third", again)
        assert store.members(draw("batch")) == again
        assert versions(store) == (1, 1)

    @pytest.mark.parametrize("kept", [["a", "b", "c"], ["a", "a"], ["a"]])
    def test_a_secret_for_other_records_is_not_taken(self, store: VaultStore, kept: list[str]) -> None:
        put(store, record("a"), record("b"))
        before = list(store.batches())
        rows = [(draw(name), 1, bytes(32)) for name in kept]
        hash_ = before[0].members if len(rows) < 2 else removal.hash_of(dict(zip(kept, rows, strict=True)).values())
        with pytest.raises(StoreError):
            store.put_resealed(draw("batch"), 25_000, hash_, b"sealed anew", rows)
        assert list(store.batches()) == before
        assert versions(store) == (2, 2)

    def test_a_batch_of_which_all_was_erased_goes(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"))
        store.put_resealed(draw("batch"), 25_000, removal.hash_of([]), b"", [])
        assert store.count_batches() == 0
        assert versions(store) == (0, 0)

    # Erasing

    def test_what_was_withdrawn_is_found_by_nothing(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"), record("b", tokens="x"))
        put(store, record("a", 2, "two", tokens="y"))
        for _ in range(2):
            store.withdraw(1, [draw("a"), draw("missing")])
            assert store.latest(1, [draw("a"), draw("b")]) == store.latest(1, [draw("b")])
            assert store.latest_versions(1, [draw("a")]) == {}
            assert store.handles(1, b"", 9) == [draw("b")]
            assert store.handles_of_token(1, draw("token x")) == [draw("b")]
            assert store.handles_of_token(1, draw("token y")) == []
            assert versions(store) == (2, 3)
        with pytest.raises(StoreError, match="not the next"):
            put(store, record("a", 3, "three", tokens="y"))
        with pytest.raises(StoreError, match="not the next"):
            put(store, record("a", 4, "three", tokens="y"))
        store.unsettle(1)
        # Its batches are resealed one after the other; when the last has been, nothing names it.
        store.put_resealed(draw("two"), 25_000, removal.hash_of([]), b"", [])
        assert versions(store) == (2, 2)
        kept = [(draw("b"), 1, bytes(32))]
        store.put_resealed(draw("batch"), 25_000, removal.hash_of(kept), b"", kept)
        assert versions(store) == (1, 1)
        assert store.unsettled(1, 9) == []

    # Expiring

    def test_what_has_expired_is_purged_batch_by_batch(self, store: VaultStore) -> None:
        for name, expires in (("a", 100), ("b", 101), ("c", 102), ("d", NEVER)):
            rows = [record(f"{name} {i}", batch=name, tokens=name) for i in range(3)]
            put(store, *rows, epoch=min(expires, 100), expires=expires)
        assert store.purge(1, 99, 100) == 0
        assert store.purge(2, 101, 100) == 0
        assert store.purge(1, 101, 4) == 3
        assert versions(store) == (9, 9)
        assert store.purge(1, 101, 1) == 3
        assert store.purge(1, 101, 1) == 0
        assert store.handles_of_token(1, draw("token a")) == []
        assert len(store.handles_of_token(1, draw("token c"))) == 3
        assert store.purge(1, 200, 100) == 3
        assert versions(store) == (3, 3)

    def test_an_old_version_goes_before_the_new_one(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"), epoch=100, expires=100)
        put(store, record("a", 2, "two", tokens="xy"), epoch=100, expires=200)
        assert store.purge(1, 100, 10) == 1
        assert [row.version for row in store.latest(1, [draw("a")])] == [2]
        assert store.handles_of_token(1, draw("token x")) == [draw("a")]
        assert store.unsettled(1, 9) == [(draw("a"), 2)]
        assert versions(store) == (1, 1)
        put(store, record("a", 3, "three", tokens="x"))
        assert store.purge(1, EXPIRES, 10) == 2
        assert versions(store) == (0, 0)
        assert store.unsettled(1, 9) == []

    def test_an_old_version_never_takes_the_place_of_one_that_expired_before_it(self, store: VaultStore) -> None:
        put(store, record("a", tokens="x"), epoch=100, expires=200)
        put(store, record("a", 2, "two", tokens="y"), epoch=100, expires=100)
        assert store.purge(1, 100, 10) == 1
        assert (store.latest(1, [draw("a")]), store.latest_versions(1, [draw("a")])) == ([], {})
        assert store.handles(1, b"", 9) == []
        assert store.handles_of_token(1, draw("token x")) == store.handles_of_token(1, draw("token y")) == []
        # It is read as what it is, an old version; and that there was a newer one is still to be told.
        assert [row.version for row in store.at_version(1, [draw("a")], 1)] == [1]
        assert store.unsettled(1, 9) == [(draw("a"), 2)]
        assert versions(store) == (1, 1)
        for version in (2, 3):
            with pytest.raises(StoreError, match="not the next"):
                put(store, record("a", version, "three", tokens="x"))
        assert store.purge(1, 200, 10) == 1
        assert versions(store) == (0, 0)
        assert store.unsettled(1, 9) == []

    # Jobs

    def test_a_job_goes_on_where_it_stopped(self, store: VaultStore) -> None:
        store.jobs.start(JOB, 1, "source")
        self.chunk(store, 0, "a", errors=[RowError(7, "phone", "too short")])
        self.chunk(store, 2, "bc", errors=[RowError(3, "", "cut"), RowError(7, "id", "digits")])
        store.jobs.start(JOB, 1, "source")
        assert store.jobs.chunks(JOB) == {0, 2}
        assert store.jobs.get(JOB) == Job(1, "source", False, 3, 2, "", 2)
        assert list(store.jobs.errors(JOB)) == [
            RowError(3, "", "cut"), RowError(7, "id", "digits"), RowError(7, "phone", "too short"),
        ]  # fmt: skip
        with pytest.raises(StoreError):
            self.chunk(store, 2, "d")
        assert store.latest(1, [draw("d")]) == []
        assert store.jobs.all() == [JOB]
        with pytest.raises(StoreError, match="another of this name"):
            store.jobs.start(JOB, 1, "other source")
        with pytest.raises(StoreError, match="none of this name"):
            store.jobs.get(b"k" * 16)

    def test_a_finished_job_keeps_its_totals_and_nothing_of_its_chunks(self, store: VaultStore) -> None:
        store.jobs.start(JOB, 1, "source")
        self.chunk(store, 0, "a", errors=[RowError(7, "id", "cut"), RowError(7, "born", "cut")])
        self.chunk(store, 1, "bc")
        store.jobs.verify(JOB, 1)
        other = b"o" * 16
        store.jobs.start(other, 1, "source")
        self.chunk(store, 0, "d", job=other, errors=[RowError(1, "", "cut")])
        for _ in range(2):  # a second time: killed before it could say so
            store.jobs.finish(JOB)
            assert store.jobs.get(JOB) == Job(1, "source", True, 3, 1, "", 1)
            assert store.jobs.chunks(JOB) == set()
            assert list(store.jobs.errors(JOB)) == []
        store.jobs.start(JOB, 1, "source")
        assert store.jobs.get(JOB).done
        assert store.jobs.get(other) == Job(1, "source", False, 1, 1, "", 1)
        with pytest.raises(StoreError, match="still takes rows"):
            self.chunk(store, 2, "e")
        with pytest.raises(StoreError, match="none of this name"):
            store.jobs.finish(b"k" * 16)
        assert store.holdings()[0].records == 4

    def test_a_chunk_is_verified_once_it_is_there(self, store: VaultStore) -> None:
        store.jobs.start(JOB, 1, "source")
        with pytest.raises(StoreError, match="no such chunk"):
            store.jobs.verify(JOB, 0)
        self.chunk(store, 0, "a")
        store.put_chunk(1, [], job=JOB, chunk=1, errors=[RowError(2, "", "cut")])
        assert store.jobs.get(JOB).unverified == 1, "of a chunk without rows there is nothing to verify"
        store.jobs.verify(JOB, 0)
        assert store.jobs.get(JOB).unverified == 0
        store.jobs.finish(JOB)
        assert store.jobs.get(JOB).unverified == 0

    def test_a_job_has_a_cursor(self, store: VaultStore) -> None:
        store.jobs.start(JOB, 1, "export")
        store.jobs.move(JOB, "a0", 7)
        self.chunk(store, 0, "a", cursor="b1")
        store.put_chunk(1, [], job=JOB, chunk=1, cursor="b2")
        assert (store.jobs.get(JOB).cursor, store.jobs.get(JOB).rows) == ("b2", 8)
        store.jobs.finish(JOB)
        assert (store.jobs.get(JOB).cursor, store.jobs.get(JOB).rows) == ("b2", 8)
        with pytest.raises(StoreError, match="goes on"):
            store.jobs.move(JOB, "c", 1)

    @staticmethod
    def chunk(store: VaultStore, number: int, names: str, job: bytes = JOB, **more: Any) -> None:
        """Store new records of these names as one chunk, in a batch of their own."""
        rows = [record(name, batch=f"batch of {names}") for name in names]
        store.put_chunk(1, rows, batches(rows), job=job, chunk=number, **more)

    # Mirror, private halves

    def test_the_mirror_grows_as_one(self, store: VaultStore) -> None:
        mirror = store.mirror
        assert (mirror.size(), mirror.checkpoint(), mirror.entries(0, 0)) == (0, b"", [])
        mirror.append(0, [b"one", b"two"], {(0, 0): bytes(64)}, b"checkpoint 2")
        mirror.append(2, [b"three"], {(0, 0): bytes(96)}, b"checkpoint 3")
        assert mirror.entries(1, 3) == [b"two", b"three"]
        assert mirror.read_tile(0, 0) == bytes(96)
        assert (mirror.size(), mirror.checkpoint()) == (3, b"checkpoint 3")
        with pytest.raises(StoreError, match="no longer"):
            mirror.append(2, [b"late"], {}, b"checkpoint late")
        with pytest.raises(StoreError):
            mirror.append(3, [b"four"], {(0, 0): b"misshapen"}, b"checkpoint 4")
        assert (mirror.size(), mirror.checkpoint(), mirror.read_tile(0, 0)) == (3, b"checkpoint 3", bytes(96))
        with pytest.raises(StoreError):
            mirror.entries(2, 4)
        with pytest.raises(TileError):
            mirror.read_tile(1, 0)

    def test_private_halves(self, store: VaultStore) -> None:
        store.put_private(draw("c", 32), b"sealed")
        store.put_private(draw("c", 32), b"sealed again")
        assert store.private(draw("c", 32)) == b"sealed"
        assert store.private(draw("d", 32)) is None

    def test_rosters(self, store: VaultStore) -> None:
        store.put_roster(draw("r", 32), b"roster")
        assert store.roster(draw("r", 32)) == b"roster"
        assert store.roster(draw("s", 32)) is None
        assert store.mirror.checkpoint() == b"", "rosters and the checkpoint lie in one table"

    # Two at once

    def test_two_objects_see_each_other(self, store: VaultStore, tmp_path: Path) -> None:
        with closing(self.open(tmp_path)) as other:
            put(store, record("a", tokens="x"))
            assert other.handles_of_token(1, draw("token x")) == [draw("a")]
            put(other, record("a", 2, "other", tokens="y"))
            with pytest.raises(StoreError, match="not the next"):
                put(store, record("a", 2, "late", tokens="z"))
            assert store.handles_of_token(1, draw("token y")) == [draw("a")]

    def test_a_reader_is_not_disturbed_by_a_writer(self, store: VaultStore, tmp_path: Path) -> None:
        put(store, *(record(str(i)) for i in range(700)))
        with closing(self.open(tmp_path)) as other:
            rows = other.records(1)
            first = next(rows)
            put(store, record("new", batch="new"))
            assert 699 <= len(list(rows)) <= 700
            assert first.handle == min(draw(str(i)) for i in range(700))
