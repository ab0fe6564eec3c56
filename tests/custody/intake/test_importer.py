"""Imports: what is taken, what is not, and that nothing is taken twice or told."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.custody.life import tags_of
from tests.world import World

from strongroom.custody.intake import importer, rows
from strongroom.custody.intake.importer import Progress, Report, Source
from strongroom.custody.intake.window import Errand
from strongroom.errors import InputError, KeyholderUnavailable, Refused
from strongroom.ledger import entry
from strongroom.seal import person
from strongroom.store.jobs import Jobs
from strongroom.store.rows import split_tokens
from strongroom.synth import people

COLUMNS = ("id-number", "name", "born", "sex", "phone", "email")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def errand(town: World, name: str = "rui", purpose: str = "register") -> Errand:
    return Errand(town.asker(name), purpose, "register-1", "taking in the yearly register")


def residents(count: int, seed: int = 1) -> list[dict[str, str]]:
    return [{name: one[name] for name in COLUMNS} for one in people.people(count, seed)]


def write_csv(path: Path, people_: Iterable[Mapping[str, str]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(people_)
    return path


def take(town: World, path: Path, **more: Any) -> Report:
    source = {key: more.pop(key) for key in ("format", "encoding", "delimiter") if key in more}
    named = errand(town, purpose="announce" if more.get("upsert") else "register")
    return importer.import_file(town.room, Source(path, **source), "residents", named, **{"workers": 1, **more})


def bad_rows(report: Report) -> list[list[str]]:
    assert report.bad_rows is not None
    with report.bad_rows.open(newline="") as file:
        return list(csv.reader(file))


def versions(town: World) -> tuple[int, int]:
    """Records and versions."""
    (holding,) = town.room.store.holdings()
    return holding.records, holding.versions


def found(
    town: World, one: Mapping[str, str], kind: str = "resident-id", field: str = "id-number"
) -> tuple[bytes, ...]:
    return town.find(kind, one[field]).handles


def test_csv_is_taken_found_and_read(town: World, tmp_path: Path) -> None:
    all_ = residents(50)
    seen: list[Progress] = []
    path = write_csv(tmp_path / "residents.csv", all_)
    report = take(town, path, progress=seen.append)
    assert (report.rows, report.stored, report.bad, report.bad_rows) == (50, 50, 0, None)
    assert not report.resumed
    assert not report.already
    assert (seen[-1].rows, seen[-1].read, seen[-1].size) == (50, path.stat().st_size, path.stat().st_size)
    for one in all_[::17]:
        (handle,) = found(town, one)
        assert found(town, one, "phone", "phone") == (handle,)
        shown = town.disclose([handle], ["name", "born", "sex", "id-number"]).values[0]
        assert shown == {
            "name": one["name"], "born": one["born"][:4], "sex": one["sex"], "id-number": shown["id-number"]
        }  # fmt: skip
        assert (shown["id-number"] or "").endswith(one["id-number"][-4:])


def test_jsonl_is_taken_like_csv(town: World, tmp_path: Path) -> None:
    all_ = residents(5)
    path = tmp_path / "residents.jsonl"
    path.write_text("\n".join(json.dumps({**one, "email": None}, ensure_ascii=False) for one in all_))
    report = take(town, path)
    assert (report.rows, report.stored, report.format) == (5, 5, "jsonl")
    (handle,) = found(town, all_[4])
    assert town.disclose([handle], ["name"]).values[0] == {"name": all_[4]["name"]}


def test_bad_rows_are_named_and_never_quoted(town: World, tmp_path: Path) -> None:
    all_ = residents(6)
    all_[1]["id-number"] = "110101199003074419"
    all_[3] |= {"id-number": "", "born": "31.12.1999", "phone": "not-a-phone"}
    path = write_csv(tmp_path / "residents.csv", all_)
    with path.open("a") as file:
        file.write("only,three,columns\n")
    report = take(town, path)
    assert (report.rows, report.stored, report.bad) == (7, 4, 3)
    listed = bad_rows(report)
    assert [line[:2] for line in listed] == [
        ["row", "field"], ["3", "id-number"], ["5", "born"], ["5", "id-number"], ["5", "phone"], ["8", ""]
    ]  # fmt: skip
    assert report.bad_rows == Path("residents.csv.bad.csv")
    assert stat.S_IMODE(report.bad_rows.stat().st_mode) == 0o600
    text = report.bad_rows.read_text()
    assert not any(value in text for value in ("11010119900307441", "31.12", "not-a-phone", "only"))


def test_a_rerun_takes_nothing_twice(town: World, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "residents.csv", residents(5))
    first = take(town, path)
    second = take(town, path)
    assert second.already
    assert (second.rows, second.stored, second.job) == (5, 5, first.job)
    assert versions(town) == (5, 5)
    third = take(town, path, again=True)
    assert not third.already
    assert third.job != first.job
    assert versions(town) == (10, 10)


def test_an_import_goes_on_where_the_keyholder_went_away(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 10)
    all_ = residents(45)
    all_[7]["sex"] = "?"
    path = write_csv(tmp_path / "residents.csv", all_)
    calls = 0
    real = town.room.client._transport

    def failing(path: str, signature: bytes, body: bytes) -> bytes:
        nonlocal calls
        calls += path == "/v1/intake"
        if path == "/v1/intake" and calls == 4:
            raise KeyholderUnavailable("gone")
        return real(path, signature, body)

    town.room.client._transport = failing
    with pytest.raises(KeyholderUnavailable):
        take(town, path)
    assert versions(town) == (19, 19)
    assert Path("residents.csv.bad.csv").read_text().splitlines()[1:] == ["9,sex,is not one of the declared values"]
    report = take(town, path)
    assert report.resumed
    assert (report.rows, report.stored, report.bad, len(report.entries)) == (45, 44, 1, 4)
    assert versions(town) == (44, 44)


def test_upsert_makes_versions_and_tells_nothing(town: World, tmp_path: Path) -> None:
    all_ = residents(6)
    take(town, write_csv(tmp_path / "first.csv", all_[:4]))
    changed = [{**one, "name": f"New {at}"} for at, one in enumerate(all_)]
    # One person three times in one file: the last row is the one that stays.
    again = [*changed, {**changed[5], "name": "Newer"}, {**changed[5], "name": "Newest"}]
    report = take(town, write_csv(tmp_path / "second.csv", again), upsert="id-number")
    assert (report.rows, report.stored, report.bad) == (8, 8, 0)
    assert versions(town) == (6, 12)
    for at, one in enumerate(all_):
        (handle,) = found(town, one)
        shown = town.disclose([handle], ["name"]).values[0]
        assert shown == {"name": "Newest" if at == 5 else f"New {at}"}
    # Moved to another number: the record is found by the new one alone.
    moved = [{**all_[0], "phone": all_[1]["phone"]}]
    take(town, write_csv(tmp_path / "third.csv", moved), upsert="id-number")
    assert found(town, all_[0], "phone", "phone") == ()
    assert len(found(town, all_[1], "phone", "phone")) == 2


def entries(town: World, report: Report) -> list[int]:
    """The counts of an import's entries, the one for its name left out."""
    counts = []
    for at in report.entries[1:]:
        written = entry.parse(town.room.mirror.entry(at))
        assert isinstance(written, entry.IntakeEntry)
        counts.append(written.count)
    return counts


def test_who_has_no_telephone_is_told_by_no_count_and_no_token(town: World, tmp_path: Path) -> None:
    all_ = residents(8)
    for one in all_[:5]:
        one["phone"] = ""
    first = take(town, write_csv(tmp_path / "first.csv", all_))
    second = take(town, write_csv(tmp_path / "second.csv", all_), upsert="id-number")
    assert entries(town, first) == [16]
    assert entries(town, second) == [8, 8], "the identifier that rows are matched by, then the rest"
    number = town.room.holding("residents")
    tokens = [(stored.handle, stored.tokens) for stored in town.room.store.records(number)]
    # Both versions of a record have the same two, and no two records share one.
    assert len(tokens) == 16
    assert {len(joined) for _, joined in tokens} == {32}
    assert len(set(tokens)) == 8
    assert len({token for _, joined in tokens for token in split_tokens(joined)}) == 16
    # One more telephone is one more token of a value: as many as before, and the number is found.
    moved = {**all_[0], "phone": residents(9)[8]["phone"]}
    assert entries(town, take(town, write_csv(tmp_path / "third.csv", [moved]), upsert="id-number")) == [1, 1]
    (handle,) = found(town, moved, "phone", "phone")
    (latest,) = town.room.store.latest(number, [handle])
    assert len(split_tokens(latest.tokens)) == 2
    assert town.room.store.problems() == []


def test_upsert_by_an_identifier_of_several_records_adds_one_and_says_nothing(town: World, tmp_path: Path) -> None:
    (one,) = residents(1)
    take(town, write_csv(tmp_path / "first.csv", [one, one]))
    report = take(town, write_csv(tmp_path / "second.csv", [one]), upsert="id-number")
    assert (report.rows, report.stored, report.bad) == (1, 1, 0)
    assert versions(town) == (3, 3)


def test_killed_behind_the_side_file_a_run_goes_on_and_ends(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_ = residents(4)
    all_[2]["born"] = "?"
    path = write_csv(tmp_path / "residents.csv", all_)
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "finish", lambda self, job: pytest.fail("killed here"))
        with pytest.raises(pytest.fail.Exception):
            take(town, path)
    before = Path("residents.csv.bad.csv").read_text()
    Path("residents.csv.bad.csv").unlink()
    report = take(town, path)
    assert (report.resumed, report.already, report.rows, report.stored, report.bad) == (True, False, 4, 3, 1)
    assert Path("residents.csv.bad.csv").read_text() == before
    assert versions(town) == (3, 3)


def test_of_a_finished_import_the_vault_keeps_totals_alone(town: World, tmp_path: Path) -> None:
    all_ = residents(4)
    all_[2]["born"] = "?"
    path = write_csv(tmp_path / "residents.csv", all_)
    first = take(town, path)
    jobs, job = town.room.store.jobs, bytes.fromhex(first.job)
    assert (jobs.get(job).rows, jobs.get(job).bad, jobs.chunks(job), list(jobs.errors(job))) == (3, 1, set(), [])
    Path("residents.csv.bad.csv").write_text("row,field,reason\nmine\n")
    report = take(town, path)
    assert (report.already, report.rows, report.stored, report.bad, report.bad_rows) == (True, 4, 3, 1, None)
    assert Path("residents.csv.bad.csv").read_text() == "row,field,reason\nmine\n"
    assert not list(tmp_path.glob(".*.draft"))


def test_upsert_wants_its_key(town: World, tmp_path: Path) -> None:
    all_ = residents(2)
    all_[1]["phone"] = ""
    path = write_csv(tmp_path / "residents.csv", all_)
    assert bad_rows(take(town, path, upsert="phone"))[1] == ["3", "phone", "is missing, and rows are matched by it"]
    with pytest.raises(InputError, match="id-number, phone"):
        take(town, path, upsert="name")


def test_a_check_stores_nothing_and_needs_no_keyholder(town: World, tmp_path: Path) -> None:
    all_ = residents(4)
    all_[2]["born"] = "?"
    path = write_csv(tmp_path / "residents.csv", all_)
    town.room.client._transport = lambda *_: pytest.fail("the keyholder was asked")
    report = importer.check_file(town.room, Source(path), "residents")
    assert (report.rows, report.stored, report.bad, report.job) == (4, 3, 1, "")
    # Synthetic people have regions that were never assigned: accepted, and said.
    assert report.odd == {("id-number", "its region code is not assigned"): 3}
    assert bad_rows(report)[1][:2] == ["4", "born"]
    assert town.room.store.jobs.all() == []
    assert town.room.store.holdings() == []


def test_the_gate_decides_on_intake_too(town: World, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "residents.csv", residents(2))
    with pytest.raises(Refused) as refused:
        importer.import_file(town.room, Source(path), "residents", errand(town, "ana"), workers=1)
    assert refused.value.code == "role"
    filler = Errand(town.asker("rui"), "register", "register-1", "test test test")
    with pytest.raises(Refused) as refused:
        importer.import_file(town.room, Source(path), "residents", filler, workers=1)
    assert refused.value.code == "reason"
    assert versions_or_none(town) == (0, 0)
    assert not list(tmp_path.glob(".*.draft"))


def versions_or_none(town: World) -> tuple[int, int]:
    return versions(town) if town.room.store.holdings() else (0, 0)


def test_a_window_is_renewed_when_it_ends(town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 5)
    path = write_csv(tmp_path / "residents.csv", residents(15))
    report = take(town, path, progress=lambda _: town.hands.wait(3500))
    assert (report.stored, versions(town)) == (15, (15, 15))


def test_stored_rows_do_not_lie_in_the_files_order(town: World, tmp_path: Path) -> None:
    all_ = residents(30)
    take(town, write_csv(tmp_path / "residents.csv", all_))
    order = [found(town, one)[0] for one in all_[:8]]
    assert order != sorted(order)
    handles = [stored.handle for stored in town.room.store.records(town.room.holding("residents"))]
    assert handles == sorted(handles)


# --- an upsert empties and moves nobody's record unseen --------------------------------------------------------------
def chain(town: World, number: str) -> int:
    keys = town.room.keys.holding("residents")
    return len(tags_of(town, "residents", person.inners(keys, "resident-id", [number])[0][:16]))


@pytest.mark.parametrize("there", [True, False])
def test_what_tells_nobody_gives_nobody_another_version(town: World, tmp_path: Path, there: bool) -> None:
    """Refused alike whether or not the person is here, before anything is asked or written."""
    (one,) = residents(1)
    if there:
        take(town, write_csv(tmp_path / "first.csv", [one]))
    town.room.sync()
    before = town.keyholder.book.size
    blank = write_csv(tmp_path / "blank.csv", [dict.fromkeys(COLUMNS, "") | {"id-number": one["id-number"]}])
    with pytest.raises(InputError, match="register does not tell the persons concerned"):
        importer.import_file(town.room, Source(blank), "residents", errand(town), upsert="id-number", workers=1)
    assert town.keyholder.book.size == before
    take(town, blank, upsert="id-number")
    assert chain(town, one["id-number"]) == 1


def test_a_row_about_somebody_else_takes_nobodys_place(town: World, tmp_path: Path) -> None:
    wang, stranger = residents(2)
    take(town, write_csv(tmp_path / "first.csv", [wang]))
    (handle,) = found(town, wang)
    looked = chain(town, wang["id-number"])
    row = {**stranger, "phone": wang["phone"]}
    report = take(town, write_csv(tmp_path / "second.csv", [row, wang, row]), upsert="phone")
    assert (report.stored, report.bad) == (3, 0), "nothing says so"
    assert entries(town, report) == [6], "as many as any three rows"
    assert handle in found(town, wang)
    assert town.room.store.latest_versions(town.room.holding("residents"), [handle]) == {handle: 1}
    assert versions(town) == (4, 4), "from the first on several records have that number, which names none of them"
    assert chain(town, wang["id-number"]) == looked + 2  # told of its own row, and looked for
    assert town.room.store.problems() == []


def test_rows_of_one_key_and_several_persons_part(town: World, tmp_path: Path) -> None:
    """In one file as in several."""
    ana, ben = residents(2)
    shared = [{**ana, "name": "A"}, {**ana, "name": "B"}, {**ben, "phone": ana["phone"]}, {**ana, "name": "C"}]
    take(town, write_csv(tmp_path / "first.csv", shared), upsert="phone")
    assert versions(town) == (3, 4)
    assert len(found(town, ana)) == 2
    assert len(found(town, ben)) == 1
