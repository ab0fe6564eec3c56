"""Both houses at work for a while, with everything happening to them that happens; in the end nothing is lost, nothing is there
that nobody asked for, nothing has grown, and ledger, keyholder, store and askers tell one story.

Half a minute here; ``make soak MINUTES=5`` for longer. The other tests bend that story in one place each: the reckoning says so.
"""

from __future__ import annotations

import dataclasses
import os
import random
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.crash.houses import fsck
from tests.serving.said import calm
from tests.soak import reckoning, watch
from tests.soak.faults import Faults
from tests.soak.model import Model
from tests.soak.reckoning import Begun, Book
from tests.soak.servers import Server
from tests.soak.town import Town, town
from tests.soak.traffic import CASE, REASON, Clerk, Cutter, Registrar, Traffic
from tests.soak.watch import Sample, Watch, growth

from strongroom.cli.main import main

MINUTES = float(os.environ.get("STRONGROOM_SOAK_MINUTES") or 0.25)
_LAST = 7.0
"""Seconds without faults at the end, in which whoever runs is judged by what it holds."""


@dataclasses.dataclass
class Soaked:
    """What is left: the room as it was when both houses had stopped, and what was asked of them."""

    room: Path
    model: Model
    begun: Begun
    samples: dict[str, list[Sample]]

    def story(self) -> list[str]:
        """All that does not fit."""
        book = Book(self.room, self.begun)
        return [
            *reckoning.entries(self.model, book),
            *reckoning.receipts(self.model, book, self.room),
            *reckoning.budgets(self.model, book),
            *reckoning.records(self.model, self.room),
        ]


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soaked]:
    folder = tmp_path_factory.mktemp("soak")
    with town(folder) as made:
        samples = _soak(made, folder)
        # Away from its disk, which goes with us.
        shutil.copytree(made.seen, folder / "left", ignore=shutil.ignore_patterns("filler"))
        yield Soaked(folder / "left", made.model, made.begun, samples)


def _soak(made: Town, folder: Path) -> dict[str, list[Sample]]:
    seed = int(os.environ.get("STRONGROOM_SEED") or random.SystemRandom().randrange(10**6))
    chooser, halt, model = random.Random(seed), threading.Event(), made.model
    askers = made.askers
    keyholder = Server(made.room, "keyholder", folder / "keyholder.log", made.prefix)
    vault = Server(made.room, "serve", folder / "vault.log", made.prefix)
    watches = {"keyholder": Watch(keyholder), "vault": Watch(vault)}
    handles = sorted(model.names)
    own = {"rui": handles[:50], "sol": handles[50:100]}
    workers: list[Traffic] = [
        *[Clerk(model, askers[name], vault.port, seed + at, halt, []) for at, name in enumerate(("ana", "bea", "cid"))],
        *[Registrar(model, askers[name], vault.port, seed + 10 + at, halt, own[name]) for at, name in enumerate(own)],
        Cutter(model, askers["dot"], vault.port, seed + 20, halt, []),
    ]
    faults = Faults(made, keyholder, vault, chooser, calm=min(12.0, 1.0 + MINUTES * 1.5))
    try:
        for one in workers:
            one.start()
        faults.storm(MINUTES * 60, halt)
        halt.wait(_LAST + watch.WARM_SECONDS)
        halt.set()
        for one in workers:
            one.join(60)
            assert not one.is_alive(), f"seed {seed}: somebody still waits for an answer"
            assert one.broke is None, f"seed {seed}: {one.broke!r}"
        for looking in watches.values():
            looking.stop()
        with closing(Clerk(model, askers["ana"], vault.port, seed, halt, [])) as clerk:
            _read_back(model, clerk)
    finally:
        halt.set()
        for looking in watches.values():
            looking.stop()
        for house in (vault, keyholder):
            if house.process.poll() is None:
                house.stop()
    print(f"\nseed {seed}; struck: {dict(faults.struck)}\n{dict(sorted(model.tally().items()))}")  # noqa: T201 - for make soak
    assert not model.wrong, f"seed {seed}: {model.wrong[:10]}"
    for name in ("keyholder", "vault"):
        said = (folder / f"{name}.log").read_text(errors="replace")
        calm(said)
        assert set(re.findall(r"\w+", said)).isdisjoint(model.numbers.values()), "a number of somebody's is in a log"
    assert all(faults.struck.values())
    return {name: looking.samples for name, looking in watches.items()}


def _read_back(model: Model, clerk: Clerk) -> None:
    """Each record once more: it says what it was last told, and what was erased is refused."""
    living = sorted(model.names.keys() - model.erased - model.maybe_erased)
    for at in range(0, len(living), 100):
        part = living[at : at + 100]
        signed = clerk.asker.disclose("residents", "confirm", part, ["name"], CASE, REASON, int(time.time()))
        act, said = clerk.send("/v1/disclosures", "disclosure", signed, len(part))
        assert act.outcome == "answered", (act.code, said)
        for one in said["records"]:
            if one["fields"]["name"] not in model.names[bytes.fromhex(one["handle"])]:
                model.say("read back: a record has another name than the one it was last given")
    for handle in sorted(model.erased)[:20]:
        signed = clerk.asker.disclose("residents", "confirm", [handle], ["name"], CASE, REASON, int(time.time()))
        act, _ = clerk.send("/v1/disclosures", "disclosure", signed, 1, records=[handle])
        if act.outcome != "refused":
            model.say(f"read back: an erased record was {act.outcome} {act.code}")


def test_whole(soaked: Soaked) -> None:
    checked = fsck(soaked.room)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert main(["ledger", "verify", "--room", str(soaked.room)]) == 0


def test_one_story(soaked: Soaked) -> None:
    assert soaked.story() == []
    kinds = soaked.model.tally()
    for kind in ("disclosure", "find", "check", "correction", "erasure", "intake"):
        assert kinds[f"{kind} answered"], f"no {kind} was answered: nothing is known of them"


def test_nothing_grows(soaked: Soaked) -> None:
    for name, samples in soaked.samples.items():
        assert growth(samples, share=0.15, mb=12, files=6) == [], name


# --- that it can fail ------------------------------------------------------------------------------------------------------
@pytest.fixture
def bent(soaked: Soaked, tmp_path: Path) -> Soaked:
    """A copy to be bent."""
    shutil.copytree(soaked.room, tmp_path / "room")
    model = Model(
        list(soaked.model.acts), dict(soaked.model.names), dict(soaked.model.numbers), set(soaked.model.erased)
    )
    model.maybe_erased, model.maybe_stored = set(soaked.model.maybe_erased), soaked.model.maybe_stored
    return Soaked(tmp_path / "room", model, soaked.begun, soaked.samples)


def _database(soaked: Soaked, house: str, *statements: str) -> None:
    with closing(sqlite3.connect(soaked.room / house / f"{house}.db")) as base:
        for statement in statements:
            assert base.execute(statement).rowcount > 0, statement
        base.commit()


def _answered(model: Model, kind: str) -> int:
    return next(at for at, act in enumerate(model.acts) if (act.kind, act.outcome) == (kind, "answered"))


def _forgotten_ask(soaked: Soaked) -> None:
    del soaked.model.acts[_answered(soaked.model, "disclosure")]


def _lost_entry(soaked: Soaked) -> None:
    act = soaked.model.acts[_answered(soaked.model, "find")]
    _database(soaked, "keyholder", f"DELETE FROM entries WHERE idx = {act.entries[0]}")  # noqa: S608 - a number of ours


def _cut_and_done(soaked: Soaked) -> None:
    at = _answered(soaked.model, "check")
    soaked.model.acts[at] = dataclasses.replace(soaked.model.acts[at], outcome="cut")


def _spent_twice(soaked: Soaked) -> None:
    _database(
        soaked, "keyholder", "UPDATE budgets SET level = level - 100000 * 1000000 WHERE key LIKE 'reader:%:confirm:%'"
    )


def _lost_record(soaked: Soaked) -> None:
    handle = next(iter(soaked.model.names.keys() - soaked.model.erased - soaked.model.maybe_erased))
    _database(soaked, "vault", f"DELETE FROM records WHERE handle = x'{handle.hex()}'")  # noqa: S608 - a handle of ours


def _another_receipt(soaked: Soaked) -> None:
    one, other = (_answered(soaked.model, kind) for kind in ("find", "check"))
    soaked.model.acts[one] = dataclasses.replace(soaked.model.acts[one], receipt=soaked.model.acts[other].receipt)


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (_forgotten_ask, "nobody asked for them"),
        (_lost_entry, "find, answered : 0 entries, want 1 to 1"),
        (_cut_and_done, "check, cut : 1 entries, want 0 to 0"),
        (_spent_twice, "are gone from it"),
        (_lost_record, "1 that were answered as stored are not in the store"),
        (_another_receipt, "find: its receipt does not hold"),
    ],
)
def test_a_bent_story_is_found(bent: Soaked, bend: Callable[[Soaked], None], says: str) -> None:
    bend(bent)
    assert any(says in line for line in bent.story())


def test_what_grows_is_found() -> None:
    flat = [Sample(1, age / 4, 60.0 + age % 3, 20) for age in range(120)]
    assert growth(flat, share=0.15, mb=12, files=6) == []
    leaking = [dataclasses.replace(one, memory_mb=60 + one.age * 2, files=20 + int(one.age)) for one in flat]
    assert [line.split(" grew ")[0] for line in growth(leaking, share=0.15, mb=12, files=6)] == ["memory", "open files"]
    with pytest.raises(AssertionError, match="no process lived long enough"):
        growth(flat[:20], share=0.15, mb=12, files=6)
