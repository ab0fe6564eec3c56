"""An export: each record once and no half line, wherever it was broken off; every batch in the book."""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.catalog import pictures
from tests.custody.life import amend, entries, mandate
from tests.houses import Houses
from tests.world import Person, World

from strongroom.custody import asking, export, opening, outfile
from strongroom.custody.export import Exported, Wanted
from strongroom.errors import InputError, KeyholderUnavailable, Refused
from strongroom.ledger import entry, note, proof
from strongroom.synth.people import people as people_of

PEOPLE = 25


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 10)


@pytest.fixture
def people(town: World) -> list[Person]:
    return sorted(town.take_in(PEOPLE), key=lambda one: one.handle)


def wanted(path: Path, **changes: Any) -> Wanted:
    members: dict[str, Any] = {"form": "jsonl", "fields": ("phone", "name"), "records": None, "count": None}
    return Wanted(path=path, **members | changes)


def take_out(town: World, path: Path, **changes: Any) -> Exported:
    return export.export(town.room, mandate(town, "extract"), wanted(path, **changes))


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def shown(people: list[Person]) -> list[dict[str, Any]]:
    """What the purpose shows of them."""
    return [
        {
            "fields": {"name": one.values["name"], "phone": f"****{str(one.values['phone'])[-4:]}"},
            "handle": one.handle.hex(),
        }
        for one in people
    ]


def exports(town: World) -> list[entry.ExportEntry]:
    return [item for item in entries(town) if isinstance(item, entry.ExportEntry)]


def test_all_of_a_holding_by_handle(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    done = take_out(town, path)
    assert lines(path) == shown(people)
    assert (done.records, done.expired, done.before) == (PEOPLE, 0, 0)
    assert [item.count for item in exports(town)] == [10, 10, 5]
    assert [len(item.tags) for item in exports(town)] == [10, 10, 5]
    assert len({item.commitment for item in exports(town)}) == 1, "one ask"
    for file in (path, tmp_path / "out.jsonl.receipts"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_batch_has_a_receipt_that_verifies(town: World, people: list[Person], tmp_path: Path) -> None:
    done = take_out(town, tmp_path / "out.jsonl")
    _, *kept = (json.loads(line) for line in (tmp_path / "out.jsonl.receipts").read_text().splitlines())
    assert [one["entry"] for one in kept] == list(done.entries)
    for one in kept:
        found = proof.parse(one["receipt"])
        assert found.index == one["entry"]
        proof.verify(found, one["text"].encode(), [note.verifier(town.room.anchors.log)])


def test_csv(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    take_out(town, path, form="csv")
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["RECORD", "name", "phone"]
    assert rows[1:] == [[one["handle"], one["fields"]["name"], one["fields"]["phone"]] for one in shown(people)]


def test_some_records_and_so_many(town: World, people: list[Person], tmp_path: Path) -> None:
    some = [people[at].handle for at in (20, 3, 3, 11)]
    take_out(town, tmp_path / "some", records=tuple(some))
    assert lines(tmp_path / "some") == shown([people[3], people[11], people[20]])
    take_out(town, tmp_path / "first", count=12)
    assert lines(tmp_path / "first") == shown(people[:12])
    take_out(town, tmp_path / "two of them", records=tuple(some), count=2)
    assert lines(tmp_path / "two of them") == shown([people[3], people[11]])


# --- refused, and nothing is there -----------------------------------------------------------------------------------------
def _nothing(town: World, folder: Path, before: int) -> list[entry.Entry]:
    assert list(folder.iterdir()) == []
    assert town.room.store.jobs.all() == []
    return entries(town)[before:]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, "budget"), ({"fields": ("email",)}, "field"), ({"fields": ("name", "ghost")}, "field")],
)
def test_refused_before_anything_opens(
    town: World, people: list[Person], tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    if code == "budget":
        amend(town, ("most: 40", "most: 24"))
    folder = tmp_path / "out"
    folder.mkdir()
    before = len(entries(town))
    with pytest.raises(Refused) as caught:
        take_out(town, folder / "file", **changes)
    assert caught.value.code == code
    (refusal,) = _nothing(town, folder, before)
    assert isinstance(refusal, entry.RefusalEntry)
    assert (refusal.by, refusal.code) == ("vault", code)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"records": (os.urandom(16),)}, "not in residents: 1 of the records named"),
        ({"records": ()}, "no record"),
        ({"fields": ()}, "at least one field"),
    ],
)
def test_what_makes_no_sense_is_never_asked(
    town: World, people: list[Person], tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    before = len(entries(town))
    with pytest.raises(InputError, match=words):
        take_out(town, folder / "file", **changes)
    assert _nothing(town, folder, before) == []


def test_an_empty_holding(town: World, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no record to export"):
        take_out(town, tmp_path / "file")
    assert not (tmp_path / "file.receipts").exists()


def test_a_file_that_is_there(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("somebody's notes")
    with pytest.raises(InputError, match="is there already"):
        take_out(town, path)
    assert path.read_text() == "somebody's notes"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("file")] == ["file"]


def test_two_at_once(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "file"
    head: dict[str, Any] = {"count": None, "export": "00" * 16, "fields": [], "form": "jsonl"}
    first = outfile.Outfile(path, "jsonl", [], head)
    with pytest.raises(InputError, match="another export is writing it just now"):
        take_out(town, path)
    first.close()
    take_out(town, path)
    assert lines(path) == shown(people)


# --- broken off ----------------------------------------------------------------------------------------------------------------
class Gone(BaseException):
    """The process was killed: nothing is tidied up after it."""


def _at(real: Callable[..., Any], when: int, how: Callable[..., Any]) -> Callable[..., Any]:
    left = [when]

    def called(*values: Any, **named: Any) -> Any:
        left[0] -= 1
        return how(*values, **named) if left[0] < 0 else real(*values, **named)

    return called


def _killed(*_: Any, **__: Any) -> Any:
    raise Gone


def _half_written(number: int, data: bytes) -> None:
    os.write(number, data[: len(data) // 2])
    raise Gone


def _disk_full(number: int, data: bytes) -> None:
    os.write(number, data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_killed_anywhere_it_goes_on(town: World, people: list[Person], tmp_path: Path) -> None:
    """Before and after the keyholder's answer, in the middle of a line of either file, before and after the job's mark."""
    patched = (
        (opening, "opened", _killed),
        (outfile, "_put", _killed),
        (outfile, "_put", _half_written),
        (outfile, "_put", _disk_full),
        (town.room.store.jobs, "start", _killed),
        (town.room.store.jobs, "move", _killed),
        (town.room.store.jobs, "finish", _killed),
    )
    for place, (owner, name, how) in enumerate(patched):
        for when in range(9):
            town.hands.wait(86400)
            path = tmp_path / f"{place}-{when}"
            before = len(exports(town))
            broken = False
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(owner, name, _at(getattr(owner, name), when, how))
                if how is not _disk_full:
                    patch.setattr(outfile.Outfile, "close", lambda self: os.close(self._lock))
                try:
                    take_out(town, path)
                except (Gone, OSError):
                    broken = True
            written = path.read_text() if path.exists() else ""
            done = take_out(town, path)
            assert lines(path) == shown(people), (name, when)
            assert done.records == PEOPLE
            given = exports(town)[before:]
            # A receipt that was on its way is not in the file; its entry is in the book all the same.
            indexes = [index for index, one in enumerate(entries(town)) if one in given]
            assert set(done.entries) <= set(indexes)
            assert len(done.entries) >= len(indexes) - 1
            # Given twice, and told twice, is the one batch that was not noted as written.
            assert sum(item.count for item in given) in (PEOPLE, PEOPLE + 5, PEOPLE + 10)
            assert path.read_text().startswith(written[: written.rfind("\n") + 1]) or "_put" in name
            if not broken:
                break
        else:
            pytest.fail(f"{name} is called more often than that")


def test_a_finished_export_does_not_say_of_whom_it_was(town: World, people: list[Person], tmp_path: Path) -> None:
    one = people[7].handle
    take_out(town, tmp_path / "file", records=(one,))
    (job,) = town.room.store.jobs.all()
    kept = town.room.store.jobs.get(job)
    digests = {hashlib.sha256(handle).hexdigest() for handle in (person.handle for person in people)}
    assert not [digest for digest in digests if digest in kept.detail + kept.cursor]
    assert base64.b64encode(one).decode() not in kept.detail + kept.cursor
    assert take_out(town, tmp_path / "file", records=(one,)).before == 1


def test_no_keyholder_in_the_middle(town: World, people: list[Person], tmp_path: Path) -> None:
    path, real, left = tmp_path / "file", town.room.client._transport, [2]

    def gone(where: str, signature: bytes, body: bytes) -> bytes:
        left[0] -= where == "/v1/disclose"
        if left[0] < 0:
            raise KeyholderUnavailable("no keyholder answers")
        return real(where, signature, body)

    town.room.client._transport = gone
    with pytest.raises(KeyholderUnavailable):
        take_out(town, path)
    assert lines(path) == shown(people[:20])
    town.room.client._transport = real
    done = take_out(town, path)
    assert (done.records, done.before) == (PEOPLE, 20)
    assert lines(path) == shown(people)
    assert [item.count for item in exports(town)] == [10, 10, 5]


def test_begun_before_anything_was_given_leaves_nothing(town: World, people: list[Person], tmp_path: Path) -> None:
    real = town.room.client._transport

    def gone(where: str, signature: bytes, body: bytes) -> bytes:
        if where == "/v1/disclose":
            raise KeyholderUnavailable("no keyholder answers")
        return real(where, signature, body)

    folder = tmp_path / "out"
    folder.mkdir()
    town.room.client._transport = gone
    with pytest.raises(KeyholderUnavailable):
        take_out(town, folder / "file")
    assert list(folder.iterdir()) == []
    town.room.client._transport = real


def test_complete_it_is_not_asked_again(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "file"
    first = take_out(town, path)
    again = take_out(town, path)
    assert (again.records, again.before, again.entries) == (PEOPLE, PEOPLE, first.entries)
    assert len(exports(town)) == 3


def _stopped(town: World, path: Path, after: int = 1, **changes: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "opened", _at(opening.opened, after, _killed))
        with pytest.raises(Gone):
            take_out(town, path, **changes)


def test_another_export_does_not_go_on_with_it(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "file"
    _stopped(town, path)
    for changes in ({"fields": ("name",)}, {"count": 11}, {"form": "csv"}, {"records": (people[0].handle,)}):
        with pytest.raises(InputError, match="was begun with other"):
            take_out(town, path, **changes)
    assert lines(path) == shown(people[:10])


def test_a_file_cut_or_gone_meanwhile(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "file"
    _stopped(town, path)
    os.truncate(path, 17)
    with pytest.raises(InputError, match="was changed or removed"):
        take_out(town, path)
    path.unlink()
    with pytest.raises(InputError, match="was changed or removed"):
        take_out(town, path)
    (tmp_path / "file.receipts").unlink()
    take_out(town, path)
    assert lines(path) == shown(people)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"no export's\n", "was begun with other"),
        (b"[1]\n", "was begun with other"),
        (b"\xff\n", "was begun with other"),
        (None, "a line is not what an export writes"),
    ],
)
def test_a_spoilt_file_of_receipts(
    town: World, people: list[Person], tmp_path: Path, line: bytes | None, words: str
) -> None:
    path, beside = tmp_path / "file", tmp_path / "file.receipts"
    _stopped(town, path)
    head = beside.read_bytes().splitlines(keepends=True)[0]
    beside.write_bytes(line or head + b"{}\n")
    with pytest.raises(InputError, match=words):
        take_out(town, path)


# --- what changed meanwhile -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("named", [False, True])
def test_what_was_erased_meanwhile_is_left_out(town: World, people: list[Person], tmp_path: Path, named: bool) -> None:
    records = tuple(one.handle for one in people) if named else None
    _stopped(town, tmp_path / "file", records=records)
    list(asking.erase(town.room, mandate(town, "forget"), [people[12].handle]))
    done = take_out(town, tmp_path / "file", records=records)
    assert lines(tmp_path / "file") == shown(people[:12] + people[13:])
    assert done.records == PEOPLE - 1


def test_all_that_was_left_was_erased_meanwhile(town: World, people: list[Person], tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(town.room.store.jobs, "move", _killed)
        with pytest.raises(Gone):
            take_out(town, path)
    list(asking.erase(town.room, mandate(town, "forget"), [one.handle for one in people]))
    assert take_out(town, path).records == 0


def test_what_has_expired_is_left_out(town: World, people: list[Person], tmp_path: Path) -> None:
    town.hands.wait(20 * 86400)
    amend(town, ("    retention: 10y\n", "    retention: 10d\n"))
    late = town.take_in(3, seed=2)
    town.hands.wait(11 * 86400)
    done = take_out(town, tmp_path / "file")
    assert (done.records, done.expired) == (PEOPLE, 3)
    assert lines(tmp_path / "file") == shown(people)
    with pytest.raises(InputError, match="3 have expired"):
        take_out(town, tmp_path / "late", records=tuple(one.handle for one in late))


def test_under_a_legal_hold_its_purpose_gets_what_has_expired(houses: Houses, tmp_path: Path) -> None:
    town = houses.town
    now = town.room.now()
    amend(
        town,
        ("    retention: 10y\n", "    retention: 10d\n"),
        ("    most: 40\n", "    most: 40\n    held: true\n"),
    )
    late = sorted(town.take_in(3, seed=2), key=lambda one: one.handle)
    named = tuple(one.handle for one in late)
    houses.operate("hold", authority="District Court 4", holding="residents", until=now + 90 * 86400)
    town.hands.wait(11 * 86400)
    town.room.sync()
    done = take_out(town, tmp_path / "held", records=named)
    assert (done.records, done.expired) == (3, 0)
    houses.operate("hold", authority="District Court 4", holding="residents", until=town.room.now())
    town.room.sync()
    with pytest.raises(InputError, match="3 have expired"):
        take_out(town, tmp_path / "lifted", records=named)


def test_images_are_base64(town: World, tmp_path: Path) -> None:
    amend(
        town,
        ("      born: {type: date", "      photo: {type: image, compartment: identity}\n      born: {type: date"),
        ("reads: {residents: {name: clear, phone: last-four}}", "reads: {residents: {photo: clear}}"),
    )
    picture = base64.b64encode(pictures.png()).decode()
    town.seal("residents", "register", [{**next(iter(people_of(1, 3))), "photo": picture}])
    take_out(town, tmp_path / "file", fields=("photo",))
    assert lines(tmp_path / "file")[0]["fields"]["photo"] == picture
