"""Chunks that are read back before their secret is forgotten: what is wrong is found, and what was not looked at is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.custody.intake.test_importer import errand, residents, write_csv
from tests.world import World

from strongroom.canonical import encode
from strongroom.custody.intake import rows
from strongroom.custody.intake.importer import Report, Source, import_file
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.errors import KeyholderUnavailable, Refused, StoreError
from strongroom.keyholder import protocol
from strongroom.store.jobs import Jobs
from strongroom.store.vault import VaultStore


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rows, "MAX_ROWS", 4)


def take(town: World, count: int = 10, **more: Any) -> Report:
    all_ = residents(count)
    all_[1]["phone"] = ""
    path = write_csv(Path("residents.csv"), all_)
    named = errand(town, purpose="announce" if more.get("upsert") else "register")
    return import_file(town.room, Source(path), "residents", named, **{"workers": 1, "verify": True, **more})


def test_what_was_stored_is_read_back(town: World) -> None:
    report = take(town)
    assert (report.stored, report.verified) == (10, True)
    again = take(town)
    assert (again.already, again.verified) == (True, True)
    changed = take(town, upsert="id-number")
    assert (changed.stored, changed.verified) == (10, True), "later versions too, several of one record among them"


def test_what_nobody_looked_at_is_not_said_to_be_verified(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not take(town, verify=False).verified
    assert not take(town).verified, "it was complete, and is not read back now: the secrets are forgotten"
    # Killed between a chunk's storing and its verifying: nothing can read that one back any more.
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "verify", lambda *_: pytest.fail("killed here"))
        with pytest.raises(pytest.fail.Exception):
            take(town, 11)
    report = take(town, 11)
    assert (report.resumed, report.stored, report.verified) == (True, 11, False)


def test_an_import_that_was_stopped_elsewhere_is_verified_whole(town: World) -> None:
    real, calls = town.room.client._transport, 0

    def failing(path: str, signature: bytes, body: bytes) -> bytes:
        nonlocal calls
        calls += path == "/v1/intake"
        if calls == 3:
            raise KeyholderUnavailable("gone")
        return real(path, signature, body)

    town.room.client._transport = failing
    with pytest.raises(KeyholderUnavailable):
        take(town)
    town.room.client._transport = real
    report = take(town)
    assert (report.resumed, report.stored, report.verified) == (True, 10, True)


def spoilt(sql: str) -> Callable[[World, pytest.MonkeyPatch], None]:
    """Damage the file right after each chunk was stored."""

    def spoil(town: World, patch: pytest.MonkeyPatch) -> None:
        together = VaultStore.together

        @contextmanager
        def damaged(store: VaultStore) -> Iterator[None]:
            with together(store):
                yield
            with sqlite3.connect(town.root / "vault" / "vault.db") as db:
                assert db.execute(sql).rowcount
            db.close()

        patch.setattr(VaultStore, "together", damaged)

    return spoil


def sealed_otherwise(change: Callable[[Records], Records]) -> Callable[[World, pytest.MonkeyPatch], None]:
    """Seal something else than what the rows say."""

    def spoil(_: World, patch: pytest.MonkeyPatch) -> None:
        fill = Sealer.fill
        patch.setattr(Sealer, "fill", lambda self, batch, records: fill(self, batch, change(records)))

    return spoil


def other_names(records: Records) -> Records:
    values = {**records.values, "name": ["X"] * 4}
    return Records(records.handles, records.versions, records.whos, records.tokens, values)


def other_persons(records: Records) -> Records:
    whos = {name: [*column[1:], column[0]] for name, column in records.whos.items()}
    return Records(records.handles, records.versions, whos, records.tokens, records.values)


SPOILT: dict[str, tuple[Callable[[World, pytest.MonkeyPatch], None], str]] = {
    "a body": (spoilt("UPDATE records SET body = zeroblob(length(body))"), "as they were put there"),
    "a token": (spoilt("UPDATE records SET tokens = x''"), "as they were put there"),
    "a row": (spoilt("DELETE FROM records WHERE handle = (SELECT min(handle) FROM records)"), "as they were put there"),
    "a batch": (spoilt("UPDATE batches SET sealed = zeroblob(1169)"), "a batch is not in the store"),
    "another value": (sealed_otherwise(other_names), "does not say what its row says"),
    "another person": (sealed_otherwise(other_persons), "does not say what its row says"),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILT.values(), ids=SPOILT)
def test_what_is_not_as_it_should_be_stops_the_import(
    town: World, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[World, pytest.MonkeyPatch], None], says: str
) -> None:
    with monkeypatch.context() as patch:
        spoil(town, patch)
        with pytest.raises(StoreError, match=says):
            take(town)
    (job,) = town.room.store.jobs.all()
    assert town.room.store.jobs.get(job).unverified == 1
    assert not town.room.store.jobs.get(job).done


def test_a_keyholder_that_cannot_open_it_stops_the_import(town: World) -> None:
    honest = town.room.client._transport

    def unable(path: str, signature: bytes, body: bytes) -> bytes:
        return encode(protocol.HeldProofs(proofs=bytes(32))) if path == "/v1/held" else honest(path, signature, body)

    def refusing(path: str, signature: bytes, body: bytes) -> bytes:
        if path == "/v1/held":
            raise Refused("batch", "does not open")
        return honest(path, signature, body)

    town.room.client._transport = unable
    with pytest.raises(StoreError, match="has not shown that it can open"):
        take(town)
    town.room.client._transport = refusing
    with pytest.raises(Refused):
        take(town)
    town.room.client._transport = honest
    assert not take(town).verified
