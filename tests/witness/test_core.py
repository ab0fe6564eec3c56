"""What a witness cosigns and what it does not: each answer of C2SP tlog-witness, and what it has written down by then."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.witness.made import Log

from strongroom.errors import Declined, InputError, NoteError, StoreError
from strongroom.ledger import note
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.witness import house
from strongroom.witness.core import Witness
from strongroom.witness.request import Request
from strongroom.witness.store import NEW, Store


class Bench:
    """A witness whose clock is in our hand, which knows ``log``."""

    def __init__(self, directory: Path) -> None:
        self.keys = house.create(directory, "witness.example/w1", os.urandom)
        self.log = Log()
        self.log.grow(5)
        self.store = house.open_store(directory)
        self.store.add(house.logs([self.log.signer.vkey]))
        self.now = 1_800_000_000
        self.witness = Witness(self.store, self.keys.cosigners, lambda: self.now)
        self.verifiers = [note.verifier(vkey) for vkey in self.keys.vkeys]

    def ask(self, request: Request | bytes) -> str:
        return self.witness.add_checkpoint(request if isinstance(request, bytes) else request.marshal())

    def declined(self, request: Request | bytes, status: int, size: int | None = None) -> None:
        before = self.store.head(self.log.origin)
        with pytest.raises(Declined) as caught:
            self.ask(request)
        assert (caught.value.status, caught.value.size) == (status, size), caught.value
        assert self.store.head(self.log.origin) == before


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "witness")
    yield made
    made.store.close()


def test_a_log_that_grows_is_cosigned_with_both_keys(bench: Bench) -> None:
    for old, size in ((0, 1), (1, 3), (3, 3), (3, 5)):
        bench.now += 10
        lines = bench.ask(bench.log.ask(old, size))
        text, signers = note.signed_by(bench.log.text(size) + "\n" + lines, bench.verifiers)
        assert text == bench.log.text(size)
        assert list(signers) == bench.verifiers
        times = [one.signature[:8] for one in note.parse_note(f"{text}\n{lines}").signatures]
        assert times == [bench.now.to_bytes(8, "big")] * 2
        head = bench.store.head(bench.log.origin)
        assert (head.size, head.time) == (size, bench.now)
        # What is kept is what anybody can verify: the log's signature and the witness's.
        kept, by = note.open_checkpoint(head.note, [note.verifier(bench.log.signer.vkey), *bench.verifiers])
        assert (kept.size, len(by)) == (size, 3)


def test_each_refusal_of_the_specification(bench: Bench) -> None:
    log, stranger = bench.log, Log("log.example/two", seed=9)
    stranger.grow(3)
    bench.declined(stranger.ask(0), 404)
    impostor = Log(seed=9)
    impostor.grow(5)
    bench.declined(impostor.ask(0), 403)
    good = log.ask(0, 3)
    bent = good.note[:-8] + ("A" if good.note[-8] != "A" else "B") + good.note[-7:]
    bench.declined(dataclasses.replace(good, note=bent), 403)
    # Beside a good one too: a bad signature of a known key spoils the note.
    bench.declined(dataclasses.replace(good, note=good.note + bent.rpartition("\n\n")[2]), 403)
    bench.declined(log.ask(5, 3), 400)
    bench.declined(log.ask(2, 3), 409, 0)
    bench.declined(dataclasses.replace(good, proof=(bytes(32),)), 422)
    bench.ask(good)
    bench.declined(log.ask(0, 3), 409, 3)
    bench.declined(log.ask(0, 5), 409, 3)
    bench.declined(log.ask(4, 5), 409, 3)
    proof = log.ask(3, 5).proof
    for changed in ((), proof[:-1], (*proof, bytes(32)), (bytes(32), *proof[1:])):
        bench.declined(dataclasses.replace(log.ask(3, 5), proof=changed), 422)
    bench.declined(dataclasses.replace(log.ask(3, 3), proof=proof), 422)


MALFORMED = {
    "nothing": b"",
    "no checkpoint": b"old 0\n\n",
    "no empty line": b"old 0\nlog.example/one\n",
    "no size": b"old\n\n",
    "a sign": b"old +0\n\n",
    "leading zero": b"old 00\n\n",
    "two spaces": b"old  0\n\n",
    "huge": b"old 9223372036854775808\n\n",
    "other digits": "old \uff11\n\n".encode(),
    "no base64": b"old 0\n!\n\n",
    "short hash": b"old 0\nAAAA\n\n",
    "carriage returns": b"old 0\r\n\r\n",
    "64 hashes": b"old 0\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n",
    "no UTF-8": b"old 0\n\n\xff",
    "very long": b"old 0\n\n" + b"x" * 300_000,
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed(bench: Bench, case: str) -> None:
    data = MALFORMED[case]
    bench.declined(data, 400)
    bench.declined(
        data + bench.log.note().encode() if data.endswith(b"\n\n") and case != "no checkpoint" else data, 400
    )


def test_a_checkpoint_that_is_none(bench: Bench) -> None:
    for text in ("log.example/one\n5\n", "log.example/one\n05\n" + "A" * 43 + "=\n", bench.log.text() + "\nafter\n"):
        bench.declined(Request(0, (), f"{text}\n{bench.log.signer.sign(text)}"), 400)


def test_extension_lines_are_cosigned_as_they_are(bench: Bench) -> None:
    """C2SP lets a log add them; the Ed25519 cosignature covers them, the ML-DSA one says nothing of them."""
    text = bench.log.text(3) + "extension 1\n"
    lines = bench.ask(Request(0, (), f"{text}\n{bench.log.signer.sign(text)}"))
    assert len(note.signed_by(f"{text}\n{lines}", bench.verifiers)[1]) == 2
    bench.ask(bench.log.ask(3, 5))


def test_who_repeats_what_is_public_costs_nothing(bench: Bench) -> None:
    """Within a second it is given what it was given; then it is cosigned anew, and so says when."""
    first = bench.ask(bench.log.ask(0, 5))
    assert bench.ask(bench.log.ask(5, 5)) == first
    # Another text of the same size and root is not what was cosigned.
    text = bench.log.text(5) + "extension\n"
    extended = Request(5, (), f"{text}\n{bench.log.signer.sign(text)}")
    assert len(note.signed_by(f"{text}\n{bench.ask(extended)}", bench.verifiers)[1]) == 2
    bench.now += 1
    assert bench.ask(bench.log.ask(5, 5)) != first


def test_a_fork_is_refused_and_kept_as_evidence(bench: Bench) -> None:
    bench.ask(bench.log.ask(0, 5))
    other = Log(branch=1, common=2)
    other.grow(8)
    bench.declined(other.ask(5, 5), 409)
    fork = bench.store.fork(bench.log.origin)
    assert fork is not None
    # Both are the log's own word, whoever shows them.
    trusted = [note.verifier(bench.log.signer.vkey)]
    one, two = (note.open_checkpoint(text, trusted)[0] for text in (fork.one, fork.other))
    assert (one.origin, one.size) == (two.origin, two.size)
    assert one.root != two.root
    # A longer one is refused by its proof, which is nobody's word; and the honest branch goes on.
    bench.declined(other.ask(5, 8), 422)
    bench.log.grow(3)
    bench.ask(bench.log.ask(5, 8))
    assert bench.store.fork(bench.log.origin) == fork


def test_logs_with_several_keys_and_other_names(bench: Bench) -> None:
    """A log may turn to a new key, sign with ML-DSA-44 alone, and call its key other than its origin."""
    log = Log("log.example/three", seed=7)
    log.grow(4)
    bench.store.add(house.logs([log.quantum.vkey]))
    text = log.text(2)
    bench.ask(Request(0, (), f"{text}\n{log.quantum.cosign(text, 5)}"))
    named = dataclasses.replace(log.ask(2, 4))
    with pytest.raises(Declined):
        bench.ask(named)
    bench.store.add(house.logs([log.signer.vkey], "log.example/three"))
    bench.ask(named)
    with pytest.raises(NoteError, match="type 4"):
        house.logs([bench.keys.ed25519.vkey])


def test_a_log_that_starts_from_nothing(bench: Bench) -> None:
    empty = Log()
    bench.ask(empty.ask(0, 0))
    text = Checkpoint(empty.origin, 0, bytes(32)).marshal()
    bench.declined(Request(0, (), f"{text}\n{empty.signer.sign(text)}"), 409)
    bench.ask(bench.log.ask(0, 5))


def test_the_clock_may_lag_a_little_and_no_more(bench: Bench) -> None:
    bench.ask(bench.log.ask(0, 3))
    first = bench.store.head(bench.log.origin).time
    bench.now -= 60
    bench.ask(bench.log.ask(3, 5))
    # A later cosignature is never dated before an earlier one, of which it would make a lie.
    assert bench.store.head(bench.log.origin).time == first
    bench.now -= 1
    with pytest.raises(StoreError, match="clock"):
        bench.ask(bench.log.ask(5, 5))


def test_nothing_is_cosigned_that_is_not_on_disk(bench: Bench, tmp_path: Path) -> None:
    """Where the commit fails nothing is given, and the next one starts from what was there."""
    second = house.open_store(tmp_path / "witness")
    bench.ask(bench.log.ask(0, 3))
    bench.store._db.run("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        bench.ask(bench.log.ask(3, 5))
    assert second.head(bench.log.origin).size == 3
    bench.store._db.run("PRAGMA query_only = OFF")
    bench.ask(bench.log.ask(3, 5))
    assert second.head(bench.log.origin).size == 5
    second.close()


def test_its_files(tmp_path: Path) -> None:
    keys = house.create(tmp_path / "w", "witness.example", os.urandom)
    for name in ("keys.json", "witness.db"):
        assert (tmp_path / "w" / name).stat().st_mode & 0o777 == 0o600
    assert house.load(tmp_path / "w").vkeys == keys.vkeys
    assert "ed25519" not in repr(keys)
    with pytest.raises(StoreError, match="never overwritten"):
        house.create(tmp_path / "w", "witness.example", os.urandom)
    with pytest.raises(InputError, match="name"):
        house.create(tmp_path / "v", "has space", os.urandom)
    with pytest.raises(InputError, match="255"):
        house.create(tmp_path / "v", "w" * 256, os.urandom)
    (tmp_path / "w" / "witness.db").unlink()
    # With the same keys and an empty memory it would contradict itself.
    with pytest.raises(StoreError, match="another witness"):
        house.open_store(tmp_path / "w")


def test_a_store_knows_what_it_was_told(bench: Bench) -> None:
    assert bench.store.head("unknown") == NEW
    assert bench.store.origins() == [bench.log.origin]
    assert bench.store.add(house.logs([bench.log.signer.vkey])) == 0
    assert isinstance(bench.store, Store)
