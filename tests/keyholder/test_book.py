"""The published ledger: what a vault can and cannot do to it, and what it costs the disk (SPEC.md 5.2, 5.6)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from tests.houses import Houses, change

from strongroom.errors import StoreError
from strongroom.keyholder import files, protocol
from strongroom.ledger import audit, checkpoint, note, tile
from strongroom.ledger.entry import HeartbeatEntry
from strongroom.ledger.note import Verifier


def _verifiers(houses: Houses) -> list[Verifier]:
    keys = houses.town.room.rules().charter
    return [note.verifier(one) for one in (keys.keyholder.log, keys.keyholder.ml_dsa, keys.vault.cosigner)]


def _audit(houses: Houses) -> audit.Audit:
    public = houses.town.root / "public"
    return audit.audit(lambda path: (public / path).read_bytes(), _verifiers(houses), None)


def _plain(houses: Houses, cosignature: str) -> protocol.Plain:
    return change(protocol.Plain(**houses.town.room.common()), cosignature=cosignature)  # type: ignore[no-any-return]


def test_published_is_signed_by_three(houses: Houses) -> None:
    houses.town.disclose(houses.handles[:1])
    text = houses.town.room.publish()
    found = _audit(houses)
    assert found.note == text
    assert len(found.signers) == 3
    assert found.size == houses.town.keyholder.book.size


def test_no_line_under_the_logs_name_gets_into_the_published_checkpoint(houses: Houses) -> None:
    """A good cosignature with a second line after it, under the log's name and key id but no signature of the log's: readers
    refuse a note with a bad signature by a key they know, so one line would have hidden the whole ledger from everybody."""
    town = houses.town
    town.disclose(houses.handles[:1])
    published = town.keyholder.publish(town.room.now())
    town.room.sync()
    good = town.room.mirror.cosignature
    log = note.parse_note(published).signatures[0]
    evil = note.Signature(log.name, log.key_id, bytes(64)).marshal()
    for line in (good + evil, evil + good, good + "\n" + good, evil, good[:-1], good + "x", "\n", "— x y\n"):
        with houses.refused("vault", written=False):
            houses.send(_plain(houses, line), "/v1/cosign")
    assert _audit(houses).note == published
    houses.send(_plain(houses, good), "/v1/cosign")
    assert len(_audit(houses).signers) == 3


def test_a_cosignature_of_another_checkpoint_is_of_no_use_and_no_fault(houses: Houses) -> None:
    old = houses.town.room.mirror.cosignature
    houses.send(houses.good())
    houses.town.keyholder.publish(houses.town.room.now())
    houses.send(_plain(houses, old), "/v1/cosign")
    assert len(_audit(houses).signers) == 2


def test_a_cosignature_comes_once(houses: Houses) -> None:
    town = houses.town
    text = town.room.publish()
    houses.send(_plain(houses, town.room.mirror.cosignature), "/v1/cosign")
    assert (town.root / "public" / "checkpoint").read_text() == text


def _confirmed(houses: Houses) -> int:
    found = _audit(houses).confirmed
    assert found is not None
    return found.size


def test_what_the_vault_has_confirmed_is_published(houses: Houses) -> None:
    """The last checkpoint that carries its cosignature, and never one ahead of what lies there."""
    town, keyholder = houses.town, houses.town.keyholder
    path = town.root / "public" / "cosigned"
    town.room.publish()
    first = _confirmed(houses)
    assert first == keyholder.book.size
    town.disclose(houses.handles[:1])
    keyholder.publish(town.room.now())
    assert (_confirmed(houses), keyholder.book.size) == (first, first + 1)
    # The vault's word for the read comes with its next request; that one's own entry nobody has vouched for yet.
    houses.send(houses.good())
    assert _confirmed(houses) == first
    keyholder.publish(town.room.now())
    assert (_confirmed(houses), keyholder.book.size) == (first + 1, first + 2)
    before = path.read_text()
    town.room.sync()
    houses.send(_plain(houses, town.room.mirror.cosignature), "/v1/cosign")
    assert _confirmed(houses) == first + 2
    assert path.read_text() != before
    town.room.sync()
    town.disclose(houses.handles[:1])
    path.unlink()
    keyholder.publish(town.room.now())
    assert _confirmed(houses) == first + 2
    lines = path.read_text().splitlines()
    assert len(lines) == 6
    assert [line.split()[1] for line in lines[4:]] == [keyholder.keys.log.name, town.room.keys.cosigner.name]


def test_confirmed_does_not_go_ahead_nor_back(houses: Houses) -> None:
    town = houses.town
    town.room.publish()
    old = town.room.common()
    town.disclose(houses.handles[:1])
    town.disclose(houses.handles[:1])
    # Cosigned, but not yet published: whoever reads the files must not think them cut.
    houses.send(protocol.Plain(**town.room.common()), "/v1/cosign")
    assert _confirmed(houses) == old["have"]
    assert _audit(houses).size == old["have"]
    houses.send(protocol.Plain(**old), "/v1/cosign")
    town.keyholder.publish(town.room.now())
    assert _confirmed(houses) == town.keyholder.book.size == old["have"] + 2


def test_a_cosignature_that_was_overtaken_still_confirms(houses: Houses) -> None:
    """Two processes of a busy vault: when the one's word comes, the book is longer already."""
    town = houses.town
    town.room.publish()
    town.disclose(houses.handles[:1])
    vouched = town.room.common()
    houses.send(houses.good())
    houses.send(houses.good())
    town.keyholder.publish(town.room.now())
    houses.send(protocol.Plain(**vouched), "/v1/cosign")
    assert _confirmed(houses) >= vouched["have"]
    assert _audit(houses).size > vouched["have"]


def test_publishing_what_has_not_grown_writes_nothing(houses: Houses) -> None:
    now, keyholder = houses.town.room.now(), houses.town.keyholder
    first = keyholder.publish(now)
    before = {path: path.stat().st_mtime_ns for path in (houses.town.root / "public").rglob("*")}
    assert keyholder.publish(now + 100) == first
    assert {path: path.stat().st_mtime_ns for path in (houses.town.root / "public").rglob("*")} == before


def test_a_public_directory_that_was_emptied_is_written_again(houses: Houses) -> None:
    public, keyholder = houses.town.root / "public", houses.town.keyholder
    keyholder.publish(houses.town.room.now())
    public.rename(public.with_name("gone"))
    keyholder.publish(houses.town.room.now())
    assert _audit(houses).size == keyholder.book.size


def _files(public: Path) -> list[Path]:
    return [path for path in public.rglob("*") if path.is_file()]


@pytest.mark.parametrize("step", [37])
def test_partial_tiles_go_when_the_full_one_is_there(houses: Houses, step: int) -> None:
    """Else a publish every few seconds leaves 255 copies of each tile and bundle behind."""
    keyholder, public = houses.town.keyholder, houses.town.root / "public"
    for at in range(300):
        houses.town.hands.wait(3600)
        keyholder.set_time(keyholder.now())
        with keyholder.writing():
            keyholder.book.stage(HeartbeatEntry(v=1, time=keyholder.now()))
        if at % step == 0:
            keyholder.publish(keyholder.now())
    keyholder.publish(keyholder.now())
    assert _audit(houses).size == keyholder.book.size > 256
    assert not (public / "tile/0/000.p").exists()
    assert not (public / "tile/entries/000.p").exists()
    assert (public / "tile/0/000").exists()
    assert len(_files(public)) < 20


def test_what_the_book_has_in_memory_is_what_the_store_holds(houses: Houses) -> None:
    """Entries of an answer and the root that is signed come out of memory; all others out of the store's tables."""
    keyholder = houses.town.keyholder
    book, store, now = keyholder.book, keyholder.store, keyholder.now()

    def check() -> None:
        size = store.size()
        assert book.size == size
        for start in (0, 1, size - 600, size - 513, size - 512, size - 511, size - 3, size - 1, size, size + 1):
            for limit in (1, 2, 512, 1000):
                stop = min(max(start, 0) + limit, size)
                assert [one.encode() for one in book.entries(max(start, 0), limit)] == store.entries(
                    max(start, 0), stop
                )
        at = checkpoint.parse(note.parse_note(book.note).text)
        assert (at.size, at.root) == (size, tile.root(store.tile, size))

    check()
    for count in (1, 255, 2, 300, 513, 7):
        with keyholder.writing():
            for _ in range(count):
                book.stage(HeartbeatEntry(v=1, time=now))
        check()
        with suppress(ZeroDivisionError), keyholder.writing():
            book.stage(HeartbeatEntry(v=1, time=now))
            book.flush()
            raise ZeroDivisionError
        check()
        with keyholder.writing():
            book.stage(HeartbeatEntry(v=1, time=now))
        check()


def test_a_published_checkpoint_is_one_of_the_books(houses: Houses) -> None:
    text = houses.town.keyholder.publish(houses.town.room.now())
    at = checkpoint.parse(note.parse_note(text).text)
    assert at.size == houses.town.keyholder.book.size


def test_a_book_behind_what_it_published_does_not_start(houses: Houses) -> None:
    """Its own start would fill the hole, and the next signature would be a fork."""
    town = houses.town
    town.keyholder.store.close()
    old = (town.root / "keyholder" / "keyholder.db").read_bytes()
    town.keyholder = files.open_keyholder(town.root / "keyholder", town.root / "public")
    town.room.publish()
    houses.send(houses.good())
    town.room.sync()
    town.room.publish()
    town.keyholder.store.close()
    (town.root / "keyholder" / "keyholder.db").write_bytes(old)
    town.keyholder = files.open_keyholder(town.root / "keyholder", town.root / "public")
    with pytest.raises(StoreError, match="restored from an old copy"):
        town.keyholder.started()
    (town.root / "public" / "checkpoint").write_text("forged\n\n— x y\n")
    with pytest.raises(StoreError, match="not signed by this keyholder"):
        town.keyholder.started()
    (town.root / "public" / "checkpoint").unlink()
    town.keyholder.started()
    houses.check = lambda: None  # type: ignore[method-assign] # a book that has lost entries
