"""Tables and views of SQLite databases: what their values become, in which order, and what is refused."""

# ruff: noqa: S608 - the statements are the tests' own
from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.catalog import sample
from tests.custody.intake.taken import ID, IDS, replace_fields, take, with_text

from strongroom.custody.intake import rows, source, sqlite
from strongroom.custody.intake.source import Source
from strongroom.errors import CatalogError, InputError

PEOPLE = 'CREATE TABLE people ("ID_Number" TEXT, name TEXT, born TEXT, phone)'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "city.db"


@pytest.fixture
def run(path: Path) -> Iterator[Callable[..., object]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection.execute


def filled(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def texts(path: Path, table: str = "t") -> list[str | None]:
    return take(path, table=table, holding=with_text()).columns["text"]


def test_a_table_is_read_by_its_rowid(path: Path) -> None:
    filled(path, PEOPLE, *[f"INSERT INTO people VALUES ('{one}', '王小明', '1990-03-07', NULL)" for one in IDS])
    found = take(path, table="people")
    assert found.columns["id-number"] == list(IDS)
    assert found.columns["name"] == ["王小明"] * 3
    assert (found.order, found.title, found.rows) == ("by rowid", "city.db:people", 3)
    assert take(path, table="PEOPLE").digest == found.digest
    assert take(path, table="people", format="sqlite").digest == found.digest


def test_each_value_becomes_the_text_that_csv_would_have(path: Path) -> None:
    values = ["'x'", "''", "NULL", "7", "-9223372036854775808", "1.5", "3.0", "1e300", "x'00ff'", "x''", "'a' || char(13, 10) || 'b'",
              "'007'"]  # fmt: skip
    filled(
        path, "CREATE TABLE t (id, text)", *[f"INSERT INTO t VALUES ('{at}', {one})" for at, one in enumerate(values)]
    )
    assert texts(path) == [
        "x",
        None,
        None,
        "7",
        "-9223372036854775808",
        "1.5",
        "3.0",
        "1e+300",
        "AP8=",
        None,
        "a b",
        "007",
    ]


def test_bytes_that_are_no_text_cost_their_row_and_are_not_quoted(path: Path) -> None:
    filled(path, "CREATE TABLE t (id, text)", "INSERT INTO t VALUES ('a', 'b'), ('c', CAST(x'e78e8bff' AS TEXT)),"
           " ('d', 'e' || char(0) || 'f')")  # fmt: skip
    found = take(path, table="t", holding=with_text())
    assert found.columns["text"] == ["b"]
    assert found.bad == [
        (2, "text", "has a control, direction or undecodable character"),
        (3, "text", "has a control character"),
    ]


def test_an_identifier_is_never_a_floating_point_number(path: Path) -> None:
    filled(path, PEOPLE, f"INSERT INTO people VALUES ('{ID}', 'Anna', NULL, 13912345678)")
    assert take(path, table="people").columns["phone"] == ["+8613912345678"]
    filled(path, f"INSERT INTO people VALUES ('{ID}', 'Anna', NULL, 13912345678.0)")
    with pytest.raises(InputError, match=r"city.db:people: an identifier wants the column phone, .*\(REAL\)"):
        take(path, table="people")
    assert take(path, "id-number: ID_Number", table="people").rows == 2


def test_names_that_are_words_of_sql_or_no_names_at_all(path: Path) -> None:
    filled(path, 'CREATE TABLE "select" ("group" TEXT, "from ""a""\'b" TEXT, " order " TEXT)',
           """INSERT INTO "select" VALUES ('1', '2', '3')""")  # fmt: skip
    given = "id: group\ntext: ['from \"a\"''b', order]\n"
    found = take(path, given, table="select", holding=with_text())
    assert found.columns == {"id": ["1"], "text": ["2 3"]}
    filled(path, """CREATE TABLE "x'; DROP TABLE t; --" (id TEXT, text TEXT)""")
    assert take(path, table="x'; DROP TABLE t; --", holding=with_text()).rows == 0


@pytest.mark.parametrize(
    ("made", "order", "first"),
    [
        ("CREATE TABLE t (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID", "by id", "a"),
        ("CREATE TABLE t (id TEXT, text TEXT, PRIMARY KEY (text, id)) WITHOUT ROWID", "by text, id", "c"),
        ("CREATE TABLE t (id TEXT, text TEXT, rowid TEXT)", "by _rowid_", "c"),
        (
            "CREATE TABLE t (id TEXT, text TEXT, rowid TEXT, OID TEXT, _RowId_ TEXT)",
            "by all columns that are read",
            "a",
        ),
        ("CREATE TABLE u (id TEXT, text TEXT); CREATE VIEW t AS SELECT * FROM u", "by all columns that are read", "a"),
        ("CREATE VIRTUAL TABLE t USING fts5(id, text)", "by rowid", "c"),
    ],
)
def test_rows_come_by_their_key_or_by_all_columns(path: Path, made: str, order: str, first: str) -> None:
    into = "u" if "VIEW" in made else "t"
    rows_ = [f"INSERT INTO {into} (id, text) VALUES ('{a}', '{b}')" for a, b in ("cx", "az", "by", "by")]
    filled(path, *made.split("; "), *(rows_ if "PRIMARY" not in made else rows_[:-1]))
    found = take(path, table="t", holding=with_text())
    assert (found.order, found.columns["id"][0]) == (order, first)


def test_a_view_that_is_never_the_same_is_not_taken(path: Path) -> None:
    filled(path, "CREATE TABLE u (id TEXT)", "INSERT INTO u VALUES ('a'), ('b')",
           "CREATE VIEW t AS SELECT id, hex(randomblob(8)) AS text FROM u")  # fmt: skip
    with pytest.raises(
        InputError, match=r"city.db:t: what it holds has changed while it was read, or is never the same"
    ):
        take(path, table="t", holding=with_text())


def test_what_is_written_meanwhile_is_another_time(
    path: Path, run: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 2)
    run("PRAGMA journal_mode=WAL")
    run("CREATE TABLE t (id TEXT, text TEXT)")
    run("INSERT INTO t VALUES ('a', '1'), ('b', '2'), ('c', '3')")
    with source.records(Source(path, table="t"), with_text()) as records:
        run("UPDATE t SET text = 'changed'")
        run("INSERT INTO t VALUES ('d', '4')")
        chunks = list(records.chunks())
    assert b"".join(line for chunk in chunks for line in chunk.records) == b"a,1\r\nb,2\r\nc,3\r\n"
    assert texts(path) == ["changed"] * 3 + ["4"]


def test_a_file_written_over_meanwhile_is_noticed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by SQLite, which knows of no cp; but nothing of the other content is taken."""
    monkeypatch.setattr(rows, "MAX_ROWS", 2000)
    for name, text in (("city.db", "x"), ("other.db", "y")):
        filled(tmp_path / name, "CREATE TABLE t (id TEXT, text TEXT)",
               "WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n LIMIT 20000)"
               f" INSERT INTO t SELECT at, '{text * 200}' FROM n")  # fmt: skip
    seen: list[bytes] = []
    with source.records(Source(path, table="t"), with_text()) as records:
        chunks = records.chunks()
        seen += next(chunks).records
        path.write_bytes((tmp_path / "other.db").read_bytes())
        with pytest.raises(InputError, match="has changed while it was read"):
            seen += [line for chunk in chunks for line in chunk.records]
    assert 0 < len(seen) < 20_000
    assert not any(b"y" in line for line in seen)


def test_a_reader_waits_for_no_writer_for_ever(
    path: Path, run: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.1)
    run("CREATE TABLE t (id TEXT, text TEXT)")
    run("BEGIN EXCLUSIVE")
    with pytest.raises(InputError, match=r"city.db: another program is writing to it"):
        take(path, table="t", holding=with_text())
    run("ROLLBACK")
    assert take(path, table="t", holding=with_text()).rows == 0


def test_nothing_is_written_to_it(path: Path) -> None:
    filled(path, "CREATE TABLE t (id TEXT, text TEXT)", "INSERT INTO t VALUES ('a', 'b')")
    before = path.read_bytes()
    path.chmod(0o400)
    assert take(path, table="t", holding=with_text()).rows == 1
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["city.db"]


def test_no_table_and_a_wrong_one_are_said_with_those_that_there_are(path: Path) -> None:
    filled(path, PEOPLE, "CREATE VIEW adults AS SELECT * FROM people")
    with pytest.raises(InputError, match=r"Name one with --table; it has: adults, people"):
        take(path)
    with pytest.raises(InputError, match=r"no table of that name. Did you mean people\?"):
        take(path, table="peple")
    with pytest.raises(
        CatalogError, match=r"map.yaml:1: id-number wants the column ID, which city.db:people has 0 times"
    ):
        take(path, "id-number: ID", table="people")
    with pytest.raises(CatalogError, match=r"city.db:sqlite_master|no column is called like a field"):
        take(filled(path, "CREATE TABLE q (a)"), table="q")


def test_what_is_damaged_is_said_before_anything_is_taken(path: Path) -> None:
    filled(path, "CREATE TABLE t (id TEXT, text TEXT)",
           "WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n LIMIT 2000)"
           " INSERT INTO t SELECT at, 'secret-' || at FROM n")  # fmt: skip
    whole = path.read_bytes()
    damage = {
        "cut off": (whole[: len(whole) // 2], "SQLite finds it damaged"),
        "cut within its first page": (whole[:512], "SQLite finds it damaged|no SQLite database"),
        "a page overwritten": (whole[:8192] + b"\xff" * 4096 + whole[12288:], "SQLite finds it damaged"),
        "nothing but its magic": (b"SQLite format 3\0", "no SQLite database|SQLite finds it damaged"),
    }
    for name, (content, says) in damage.items():
        path.write_bytes(content)
        with pytest.raises(InputError, match=says) as refused:
            take(path, table="t", holding=with_text())
        assert "secret" not in str(refused.value), name
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="no SQLite database, or an encrypted one"):
        take(path, table="t", format="sqlite", holding=with_text())
    with pytest.raises(InputError, match="No such file"):
        take(path.with_name("none.db"), table="t")
    with pytest.raises(InputError, match="not a regular file"):
        take(path.parent, table="t")


def test_a_huge_value_ends_it_and_a_long_row_is_a_bad_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path, "CREATE TABLE t (id TEXT, text)", "INSERT INTO t VALUES ('a', 'b'), ('c', zeroblob(2000000))")
    assert take(path, table="t", holding=with_text()).bad == [(2, "", "is longer than 1 MiB")]
    monkeypatch.setattr(sqlite, "_LONGEST", 1_000_000)
    with pytest.raises(InputError, match="a value is longer than"):
        take(path, table="t", holding=with_text())


def test_one_column_alone_loses_no_row(path: Path) -> None:
    filled(path, "CREATE TABLE t (text TEXT)", "INSERT INTO t VALUES ('a'), (NULL), ('c')")
    holding = replace_fields(text=sample.field("text", identifier="primary"))
    found = take(path, table="t", holding=holding)
    assert (found.columns["text"], found.bad) == (["a", "c"], [(2, "", "is empty")])


def test_what_a_database_brings_along_is_not_run(path: Path) -> None:
    """A view may call what its maker likes; only what SQLite deems innocuous is called."""
    filled(path, "CREATE TABLE u (id TEXT)", "INSERT INTO u VALUES ('a')",
           "CREATE VIEW t AS SELECT id, in_base64(x'00') AS text FROM u")  # fmt: skip
    with pytest.raises(InputError, match=r"SQLite cannot read it"):
        take(path, table="t", holding=with_text())
