"""What every vault store must do, whatever database is under it.

A store's test module derives ``Contract`` and gives ``open``; pytest then runs each test here against it. ``open``
called twice gives two objects upon the same database, as two processes have.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path

import pytest

from strongroom.errors import StoreError, TileError
from strongroom.store.rows import HoldingRow, Job, RecordRow, RowError, Stored, join_tokens
from strongroom.store.vault import VaultStore

JOB = b"j" * 16


def draw(name: str, n: int = 16) -> bytes:
    return hashlib.shake_256(name.encode()).digest(n)


def record(handle: str, version: int = 1, batch: str = "batch", tokens: str = "") -> RecordRow:
    joined = join_tokens([draw(f"token {name}") for name in tokens])
    return RecordRow(draw(handle), version, draw(batch), joined, draw(f"body {handle} {version}", 50))


class Contract(ABC):
    @abstractmethod
    def open(self, place: Path) -> VaultStore:
        """The store at ``place``, made where it is missing."""

    @pytest.fixture
    def store(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        with closing(self.open(tmp_path)) as store:
            assert store.add_holding(draw("residents"), "residents") == 1
            store.put_batch(draw("batch"), 1, 24_837, draw("sealed", 1169))
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
        store.put_epoch(1, 3, public, signature)
        assert store.epochs(1) == [3, 9]
        with pytest.raises(StoreError):
            store.put_epoch(7, 9, public, signature)

    def test_batches(self, store: VaultStore) -> None:
        store.put_batch(draw("b"), 1, 24_838, b"sealed")
        assert {row.batch for row in store.batches()} == {draw("batch"), draw("b")}
        assert store.count_batches() == 2
        with pytest.raises(StoreError):
            store.put_batch(draw("b"), 1, 24_838, b"sealed")
        with pytest.raises(StoreError):
            store.put_batch(draw("c"), 5, 24_838, b"sealed")

    # Records and tokens

    def test_a_record_comes_back_whole(self, store: VaultStore) -> None:
        row = record("a", tokens="xy")
        store.put_chunk(1, [row])
        wanted = Stored(row.handle, 1, row.batch, 24_837, draw("sealed", 1169), row.tokens, row.body)
        assert store.latest(1, [draw("missing"), row.handle]) == [wanted]
        assert store.latest(2, [row.handle]) == []
        assert store.handles_of_token(1, draw("token x")) == [row.handle]
        assert store.handles_of_token(2, draw("token x")) == []
        assert store.handles_of_tokens(1, [draw("token y"), draw("token z")]) == {draw("token y"): [row.handle]}
        assert list(store.records(1)) == [wanted]
        assert store.problems() == []

    def test_two_records_may_share_a_token(self, store: VaultStore) -> None:
        store.put_chunk(1, [record("a", tokens="x"), record("b", tokens="x")])
        assert store.handles_of_token(1, draw("token x")) == sorted([draw("a"), draw("b")])

    def test_a_new_version_takes_over_the_tokens(self, store: VaultStore) -> None:
        store.put_chunk(1, [record("a", tokens="xy"), record("b", tokens="x")])
        store.put_batch(draw("later"), 1, 24_900, b"sealed later")
        store.put_chunk(1, [record("a", 2, "later", tokens="yz")])
        assert store.handles_of_token(1, draw("token x")) == [draw("b")]
        assert store.handles_of_token(1, draw("token y")) == [draw("a")]
        assert store.handles_of_token(1, draw("token z")) == [draw("a")]
        assert [(row.version, row.epoch) for row in store.latest(1, [draw("a")])] == [(2, 24_900)]
        assert store.latest_versions(1, [draw("a"), draw("b"), draw("c")]) == {draw("a"): 2, draw("b"): 1}
        assert store.holdings()[0][3:] == (2, 3)
        assert store.problems() == []

    @pytest.mark.parametrize(
        "bad",
        [
            record("a"), record("a", 3), record("new", 2), record("new", 0), record("new", 2**32),
            record("new", batch="unknown"), record("new", batch="other holding"),
            record("new")._replace(handle=b"short"), record("new")._replace(body=b""),
            record("new")._replace(tokens=b"short"), record("new")._replace(tokens=bytes(32)),
        ],
    )  # fmt: skip
    def test_a_chunk_with_a_bad_row_leaves_nothing(self, store: VaultStore, bad: RecordRow) -> None:
        store.put_batch(draw("other holding"), store.add_holding(draw("calls"), "calls"), 24_837, b"s")
        store.put_chunk(1, [record("a", tokens="x")])
        store.jobs.start(JOB, 1, "")
        before = list(store.records(1))
        with pytest.raises(StoreError):
            store.put_chunk(1, [record("b", tokens="y"), bad], job=JOB, chunk=4, errors=[RowError(1, "f", "r")])
        assert list(store.records(1)) == before
        assert store.handles_of_token(1, draw("token y")) == []
        assert store.jobs.chunks(JOB) == set()
        assert list(store.jobs.errors(JOB)) == []
        assert store.problems() == []

    def test_records_stream_past_a_page(self, store: VaultStore) -> None:
        store.put_chunk(1, [record(str(i)) for i in range(1203)])
        found = [row.handle for row in store.records(1)]
        assert found == sorted(draw(str(i)) for i in range(1203))

    # Jobs

    def test_a_job_goes_on_where_it_stopped(self, store: VaultStore) -> None:
        store.jobs.start(JOB, 1, "source")
        store.put_chunk(1, [record("a")], job=JOB, chunk=0, errors=[RowError(7, "phone", "too short")])
        store.put_chunk(
            1, [record("b"), record("c")], job=JOB, chunk=2, errors=[RowError(3, "", "cut"), RowError(7, "id", "digits")]
        )  # fmt: skip
        store.jobs.start(JOB, 1, "source")
        assert store.jobs.chunks(JOB) == {0, 2}
        assert store.jobs.get(JOB) == Job(1, "source", False, 3, 2)
        assert list(store.jobs.errors(JOB)) == [
            RowError(3, "", "cut"), RowError(7, "id", "digits"), RowError(7, "phone", "too short"),
        ]  # fmt: skip
        with pytest.raises(StoreError):
            store.put_chunk(1, [record("d")], job=JOB, chunk=2)
        assert store.latest(1, [draw("d")]) == []
        assert store.jobs.all() == [JOB]
        with pytest.raises(StoreError, match="another of this name"):
            store.jobs.start(JOB, 1, "other source")
        with pytest.raises(StoreError, match="none of this name"):
            store.jobs.get(b"k" * 16)

    def test_a_finished_job_keeps_its_totals_and_nothing_of_its_chunks(self, store: VaultStore) -> None:
        store.jobs.start(JOB, 1, "source")
        store.put_chunk(
            1, [record("a")], job=JOB, chunk=0, errors=[RowError(7, "id", "cut"), RowError(7, "born", "cut")]
        )
        store.put_chunk(1, [record("b"), record("c")], job=JOB, chunk=1)
        other = b"o" * 16
        store.jobs.start(other, 1, "source")
        store.put_chunk(1, [record("d")], job=other, chunk=0, errors=[RowError(1, "", "cut")])
        for _ in range(2):  # a second time: killed before it could say so
            store.jobs.finish(JOB)
            assert store.jobs.get(JOB) == Job(1, "source", True, 3, 1)
            assert store.jobs.chunks(JOB) == set()
            assert list(store.jobs.errors(JOB)) == []
        store.jobs.start(JOB, 1, "source")
        assert store.jobs.get(JOB).done
        assert store.jobs.get(other) == Job(1, "source", False, 1, 1)
        with pytest.raises(StoreError, match="still takes rows"):
            store.put_chunk(1, [record("e")], job=JOB, chunk=2)
        with pytest.raises(StoreError, match="none of this name"):
            store.jobs.finish(b"k" * 16)
        assert store.holdings()[0].records == 4

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
            store.put_chunk(1, [record("a", tokens="x")])
            assert other.handles_of_token(1, draw("token x")) == [draw("a")]
            other.put_chunk(1, [record("a", 2, tokens="y")])
            with pytest.raises(StoreError, match="not the next"):
                store.put_chunk(1, [record("a", 2, tokens="z")])
            assert store.handles_of_token(1, draw("token y")) == [draw("a")]

    def test_a_reader_is_not_disturbed_by_a_writer(self, store: VaultStore, tmp_path: Path) -> None:
        store.put_chunk(1, [record(str(i)) for i in range(700)])
        with closing(self.open(tmp_path)) as other:
            rows = other.records(1)
            first = next(rows)
            store.put_chunk(1, [record("new")])
            assert 699 <= len(list(rows)) <= 700
            assert first.handle == min(draw(str(i)) for i in range(700))
