"""Tables of a real PostgreSQL server: what their values become, in which order, and what is refused."""

# ruff: noqa: S608 - the statements are the tests' own
from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import postgres
from tests.catalog import sample
from tests.custody.intake.taken import ID, IDS, Taken, replace_fields, take, with_text
from tests.postgres import Server

from strongroom.custody.intake import place, rows, source
from strongroom.custody.intake.place import Address
from strongroom.custody.intake.source import Source
from strongroom.errors import CatalogError, InputError

psycopg = pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.server() as found:
        yield found


class Database:
    """A database of one test's own."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.run(f"CREATE DATABASE {name}", "postgres")

    def run(self, *statements: str) -> None:
        *wanted, database = statements if statements[-1] == "postgres" else (*statements, self.name)
        with psycopg.connect(self.server.url(database), autocommit=True) as connection:
            for statement in wanted:
                connection.execute(statement)

    def url(self, user: str = "", **parameters: str) -> str:
        return self.server.url(self.name, user, **parameters)

    def take(self, table: str, text: str = "", **more: Any) -> Taken:
        return take(more.pop("url", "") or self.url(), text, table=table, **more)

    def texts(self, table: str = "t") -> list[str | None]:
        return self.take(table, holding=with_text()).columns["text"]


@pytest.fixture
def base(server: Server, request: pytest.FixtureRequest) -> Database:
    return Database(server, f"d{abs(hash(request.node.name))}")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


def test_a_table_is_read_by_its_primary_key(base: Database) -> None:
    base.run("CREATE TABLE people (number int PRIMARY KEY, id_number text, name text, born date, phone bigint)",
             *[f"INSERT INTO people VALUES ({9 - at}, '{one}', '王小明', '1990-03-07', 13912345678)"
               for at, one in enumerate(IDS)])  # fmt: skip
    found = base.take("people")
    assert found.columns["id-number"] == list(reversed(IDS))
    assert found.columns["name"] == ["王小明"] * 3
    assert found.columns["born"] == ["1990-03-07"] * 3
    assert found.columns["phone"] == ["+8613912345678"] * 3
    assert (found.order, found.title, found.rows, found.bad) == ("by number", "public.people", 3, [])


@pytest.mark.parametrize(
    ("type", "values", "texts"),
    [
        ("text", ["'x'", "''", "NULL", "E'a\\r\\n\"b\",c'", "'\\.'", "'007'"], ["x", None, None, 'a "b",c', "\\.", "007"]),
        ("varchar(5)", ["' a '"], ["a"]),
        ("char(5)", ["'ab'"], ["ab"]),
        ("int2", ["-7"], ["-7"]),
        ("int8", ["9223372036854775807"], ["9223372036854775807"]),
        ("numeric", ["12345678901234567890.50", "1e-9"], ["12345678901234567890.50", "0.000000001"]),
        ("float8", ["0.1", "3", "1e300"], ["0.1", "3", "1e+300"]),
        ("float4", ["0.1"], ["0.1"]),
        ("bool", ["true", "false", "NULL"], ["true", "false", None]),
        ("date", ["'1990-03-07'", "'infinity'"], ["1990-03-07", "infinity"]),
        ("timestamp", ["'1990-03-07'", "'1990-03-07 01:02:03.5'"], ["1990-03-07 00:00:00", "1990-03-07 01:02:03.5"]),
        ("timestamptz", ["'1990-03-07 00:00:00+08'"], ["1990-03-06 16:00:00+00"]),
        ("time", ["'01:02'"], ["01:02:00"]),
        ("bytea", ["'\\x00ff'", "''", f"decode('{'00' * 100}', 'hex')"], ["AP8=", None, "A" * 134 + "=="]),
        ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
        ("inet", ["'10.0.0.1'"], ["10.0.0.1/32"]),
        ("mood", ["'glad'", "NULL"], ["glad", None]),
        ("zip", ["'00501'"], ["00501"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_values_become_the_text_that_csv_would_have(
    base: Database, type: str, values: list[str], texts: list[str | None]
) -> None:
    # Settings of a database that would give other texts.
    base.run(f"ALTER DATABASE {base.name} SET DateStyle = 'German'", f"ALTER DATABASE {base.name} SET TimeZone = 'Asia/Shanghai'",
             f"ALTER DATABASE {base.name} SET extra_float_digits = -5", f"ALTER DATABASE {base.name} SET bytea_output = 'escape'",
             "CREATE TYPE mood AS ENUM ('glad')", "CREATE DOMAIN zip AS text CHECK (length(value) = 5)",
             f"CREATE TABLE t (id int PRIMARY KEY, text {type})",
             *[f"INSERT INTO t VALUES ({at}, {one})" for at, one in enumerate(values)])  # fmt: skip
    assert base.texts() == texts


@pytest.mark.parametrize(
    "type", ["text[]", "jsonb", "json", "xml", "interval", "money", "int4range", "point", "pair", "tags"]
)
def test_what_is_no_single_value_is_refused_by_its_name(base: Database, type: str) -> None:
    base.run(
        "CREATE TYPE pair AS (a int, b int)", "CREATE DOMAIN tags AS text[]", f"CREATE TABLE t (id int, text {type})"
    )
    with pytest.raises(InputError, match=r"public.t: text wants the column text, which is .*A field takes one value"):
        base.texts()
    assert base.take("t", "id: id", holding=with_text()).rows == 0


def test_an_identifier_is_never_a_floating_point_number(base: Database) -> None:
    base.run("CREATE DOMAIN metres AS float8", "CREATE TABLE t (id_number text, phone metres)",
             f"INSERT INTO t VALUES ('{ID}', 13912345678)")  # fmt: skip
    with pytest.raises(InputError, match=r"phone wants the column phone, .*\(double precision\)"):
        base.take("t")


def test_a_timestamp_at_midnight_is_a_day_and_any_other_is_none(base: Database) -> None:
    base.run("CREATE TABLE t (id_number text PRIMARY KEY, born timestamp, seen timestamptz)",
             f"INSERT INTO t VALUES ('{IDS[0]}', '1990-03-07', now()), ('{IDS[1]}', '1990-03-07 01:00', now())")  # fmt: skip
    found = base.take("t")
    assert found.columns["born"] == ["1990-03-07"]
    assert found.bad == [(2, "born", "want a date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD")]
    with pytest.raises(InputError, match="which day it is depends on the zone"):
        base.take("t", "id-number: id_number\nborn: seen")


def test_names_that_are_words_of_sql_or_no_names_at_all(base: Database) -> None:
    base.run('CREATE SCHEMA "Sta dt"', 'CREATE TABLE "Sta dt"."select" ("group" text, "from ""a""\'b" text, " order " text, "%s" int)',
             """INSERT INTO "Sta dt"."select" VALUES ('1', '2', '3', 4)""")  # fmt: skip
    given = "id: group\ntext: ['from \"a\"''b', order, '%s']\n"
    found = base.take('"Sta dt"."select"', given, holding=with_text())
    assert found.columns == {"id": ["1"], "text": ["2 3 4"]}
    assert found.title == "Sta dt.select"
    base.run("""CREATE TABLE "x'; DROP TABLE t; --" (id text, text text)""")
    assert base.take('''"x'; DROP TABLE t; --"''', holding=with_text()).rows == 0
    for name in ("a..b", "people; DROP TABLE people", '"open', "a.b.c.d", "x\0y"):
        with pytest.raises(InputError, match=r"no name of a table|there is no table|PostgreSQL says"):
            base.take(name)


ALL = "by all columns that are read"
PARTITIONED = """CREATE TABLE t (id text PRIMARY KEY, text text) PARTITION BY HASH (id);
CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)"""
INHERITED = """CREATE TABLE t (id text PRIMARY KEY, text text); CREATE TABLE child () INHERITS (t);
INSERT INTO child VALUES ('a', '9')"""


@pytest.mark.parametrize(
    ("made", "order"),
    [
        ("CREATE TABLE t (id text, text text)", ALL),
        ("CREATE TABLE u (id text PRIMARY KEY, text text); CREATE VIEW t AS SELECT * FROM u", ALL),
        ("CREATE TABLE u (id text, text text); CREATE MATERIALIZED VIEW t AS SELECT * FROM u", ALL),
        ("CREATE TABLE t (id text, text text, more int, PRIMARY KEY (id, text))", "by id, text"),
        (PARTITIONED, "by id"),
        (INHERITED, ALL),
    ],
)
def test_rows_come_by_their_key_or_by_all_columns(base: Database, made: str, order: str) -> None:
    into = "u" if "VIEW" in made else "t"
    base.run(*made.split(";"), *[f"INSERT INTO {into} (id, text) VALUES ('{a}', '{b}')" for a, b in ("cx", "az", "by")])
    if "MATERIALIZED" in made:
        base.run("REFRESH MATERIALIZED VIEW t")
    found = base.take("t", holding=with_text())
    assert found.order == order
    assert found.columns["id"] == sorted(filter(None, found.columns["id"]))
    assert base.take("t", holding=with_text()).digest == found.digest


def test_content_alone_decides_on_the_order_where_there_is_no_key(base: Database) -> None:
    base.run("CREATE TABLE t (id text, text text)", "INSERT INTO t SELECT at, chr(65 + at % 40) FROM generate_series(1, 300) at")  # fmt: skip
    first = base.take("t", holding=with_text())
    base.run("CREATE TABLE u AS SELECT * FROM t ORDER BY random()", "DROP TABLE t", "ALTER TABLE u RENAME TO t")
    assert base.take("t", holding=with_text()).digest == first.digest


def test_a_view_that_is_never_the_same_is_not_taken(base: Database) -> None:
    base.run("CREATE VIEW t AS SELECT at AS id, random()::text AS text FROM generate_series(1, 9) at")
    with pytest.raises(
        InputError, match=r"public.t: what it holds has changed while it was read, or is never the same"
    ):
        base.texts()


def test_what_is_written_meanwhile_is_another_time(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 100)
    base.run(
        "CREATE TABLE t (id int PRIMARY KEY, text text)",
        "INSERT INTO t SELECT at, 'x' FROM generate_series(1, 5000) at",
    )
    with source.records(Source(Address(base.url()), table="t"), with_text()) as records:
        chunks = records.chunks()
        next(chunks)
        base.run("UPDATE t SET text = 'changed'", "INSERT INTO t VALUES (-1, 'y')")
        assert all(line.endswith(b",x\n") for chunk in chunks for line in chunk.records)
    assert base.texts() == ["y", *["changed"] * 5000]


def test_nothing_can_be_written_through_it(base: Database) -> None:
    base.run("CREATE TABLE u (id int)", "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'INSERT INTO u VALUES (1) RETURNING id'",
             "CREATE VIEW t AS SELECT 1 AS id, f() AS text")  # fmt: skip
    with pytest.raises(InputError, match=r"public.t: PostgreSQL says 25006 \(ReadOnlySqlTransaction\)"):
        base.texts()


def test_one_column_alone_loses_no_row(base: Database) -> None:
    base.run(
        "CREATE TABLE t (n int PRIMARY KEY, text text)",
        "INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, '\\.')",
    )
    holding = replace_fields(text=sample.field("text", identifier="primary"))
    found = base.take("t", holding=holding)
    assert (found.columns["text"], found.bad) == (["a", "c", "\\."], [(2, "", "is empty")])


def test_a_huge_value_costs_its_row_and_is_not_sent(base: Database) -> None:
    base.run("CREATE TABLE t (id int PRIMARY KEY, text text, b bytea)",
             "INSERT INTO t VALUES (1, 'a', ''), (2, repeat('x', 100000000), ''), (3, 'c', decode(repeat('00', 30000000), 'hex'))")  # fmt: skip
    with source.records(Source(Address(base.url()), table="t"), with_text()) as records:
        assert records.size < 3 << 20
    assert base.take("t", "id: id\ntext: [text, b]", holding=with_text()).bad == [
        (at, "", "is longer than 1 MiB") for at in (2, 3)
    ]


def test_no_table_and_a_wrong_one_are_said_with_those_that_there_are(base: Database) -> None:
    base.run("CREATE SCHEMA city", 'CREATE TABLE city."People" (a int)', "CREATE TABLE other (a int)")
    with pytest.raises(InputError, match=r'Name one with --table, such as city."People", other'):
        base.take("")
    with pytest.raises(InputError, match=r'there is no table or view of that name.*--table takes city."People"'):
        base.take("people")
    with pytest.raises(InputError, match=r'there is no table or view of that name.*there are city."People", other'):
        base.take("nobody.nothing")
    with pytest.raises(CatalogError, match=r"map.yaml:1: id-number wants the column b, which public.other has 0 times"):
        base.take("other", "id-number: b")


def test_a_role_needs_the_columns_that_are_read_and_no_others(base: Database) -> None:
    base.run("CREATE TABLE t (id int PRIMARY KEY, text text, secret text)", "INSERT INTO t VALUES (1, 'a', 'b')",
             f"CREATE ROLE reader_{base.name} LOGIN", f"GRANT SELECT (id) ON t TO reader_{base.name}")  # fmt: skip
    url = base.url(f"reader_{base.name}")
    with pytest.raises(
        InputError, match=r"public.t: PostgreSQL says 42501 \(InsufficientPrivilege\); may this role SELECT"
    ):
        base.take("t", url=url, holding=with_text())
    base.run(f"GRANT SELECT (text) ON t TO reader_{base.name}")
    assert base.take("t", url=url, holding=with_text()).columns["text"] == ["a"]
    # Rows that are hidden from a role would be missing without a word.
    base.run("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON t USING (id > 1)")
    with pytest.raises(InputError, match=r"42501 .*row security hides rows"):
        base.take("t", url=url, holding=with_text())


def test_what_the_server_says_of_a_value_is_not_repeated(base: Database) -> None:
    base.run("CREATE TABLE u (id int, name text)", "INSERT INTO u VALUES (1, 'Lovelace')",
             "CREATE VIEW t AS SELECT id, name::int AS text FROM u")  # fmt: skip
    with pytest.raises(InputError, match=r"public.t: PostgreSQL says 22P02") as refused:
        base.texts()
    assert "Lovelace" not in str(refused.value)


def test_a_server_that_goes_away_is_said_and_how_to_go_on(server: Server, base: Database) -> None:
    base.run("CREATE TABLE t (id int PRIMARY KEY, text text)",
             "INSERT INTO t SELECT at, repeat('x', 1000) FROM generate_series(1, 60000) at")  # fmt: skip
    with source.records(Source(Address(base.url()), table="t"), with_text()) as records:
        chunks = records.chunks()
        next(chunks)
        server.restart()
        with pytest.raises(InputError, match=r"public.t: .*the connection was lost. Start the same import again"):
            list(chunks)
    with source.records(Source(Address(base.url()), table="t"), with_text()) as records:
        next(records.chunks())
        with psycopg.connect(base.url(), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'strongroom'"
            )
        with pytest.raises(InputError, match=r"the connection was lost"):
            list(records.chunks())
    base.run(f"ALTER DATABASE {base.name} SET statement_timeout = 1")
    with pytest.raises(InputError, match=r"57014 \(QueryCanceled\); the statement timed out or was cancelled"):
        base.texts()


def test_a_server_that_does_not_answer_or_refuses_is_said(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"PostgreSQL cannot be reached: .*No such file"):
        take(f"postgresql:///x?host={tmp_path}", table="t")
    with pytest.raises(InputError, match=r'cannot be reached: .*database "nowhere" does not exist'):
        take(server.url("nowhere"), table="t")
    with pytest.raises(InputError, match="not an address that is read here"):
        take("postgresql://h/d?hots=x", table="t")
    with pytest.raises(InputError, match="the format is that of a file"):
        take(server.url("postgres"), table="t", format="csv")


def test_records_do_not_cross_a_network_in_the_clear(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stood in for a host elsewhere: a name for the loopback that the check does not know as such."""
    base.run("CREATE TABLE t (id int, text text)")
    from strongroom.custody.intake import postgresql

    with bridged(base.server.folder) as port:
        url = f"postgresql://{base.server.user}@127.0.0.1:{port}/{base.name}"
        assert take(url, table="t", holding=with_text()).rows == 0
        monkeypatch.setattr(postgresql, "_is_loopback", lambda address: False)
        with pytest.raises(InputError, match=r"not encrypted, .*sslmode=verify-full"):
            take(url, table="t", holding=with_text())
        assert take(f"{url}?sslmode=disable", table="t", holding=with_text()).rows == 0
        monkeypatch.setenv("PGSSLMODE", "disable")
        assert take(url, table="t", holding=with_text()).rows == 0


def test_a_password_is_taken_from_libpqs_places_and_never_shown(
    base: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="password") as refused:
        place.parse(f"postgresql://u:hunter2@/{base.name}")
    assert "hunter2" not in str(refused.value)
    service = tmp_path / "services"
    service.write_text(
        f"[city]\nhost={base.server.folder}\ndbname={base.name}\nuser={base.server.user}\npassword=hunter2\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    base.run("CREATE TABLE t (id int, text text)")
    assert take("postgresql:///?service=city", table="t", holding=with_text()).rows == 0
    monkeypatch.setenv("PGSERVICE", "city")
    assert take("postgresql://", table="t", holding=with_text()).rows == 0


class bridged:  # noqa: N801 - reads as a verb
    """A port of the loopback that leads to the server's socket file."""

    def __init__(self, folder: Path) -> None:
        self._to = str(folder / ".s.PGSQL.5432")

    def __enter__(self) -> int:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            there.connect(self._to)
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        with one, other:
            try:
                while data := one.recv(1 << 16):
                    other.sendall(data)
            except OSError:
                return
