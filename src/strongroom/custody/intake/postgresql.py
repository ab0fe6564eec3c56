"""A table or a view of a PostgreSQL database: read in one transaction (REPEATABLE READ, READ ONLY), so that both passes see
one state, and streamed by COPY, so that the server writes the lines and memory stays flat.

libpq's own environment says how to log in (PGPASSFILE, PGSERVICE, PGSSLMODE, ...). What the server says is not repeated,
since it may quote a value; its codes are.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import IsolationLevel, conninfo, errors, sql

from strongroom.catalog.model import Holding
from strongroom.custody.intake import table
from strongroom.custody.intake.place import REFUSAL, UNKNOWN, Address
from strongroom.custody.intake.rows import MAX_ROW
from strongroom.custody.intake.source import Format, Source
from strongroom.custody.intake.table import BLOCK, LINES, Column, Kind, TableRecords, Wanted
from strongroom.errors import InputError

# It would log, to stderr where nobody set logging up, what the server says.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_SHOWN = 20
_LOST = "the connection was lost. Start the same import again: it goes on where it stopped"
_MENDS = {
    "42501": "may this role SELECT the columns that are read? Where row security hides rows from it, give it a view",
    "57014": "the statement timed out or was cancelled. Allow the role a longer statement_timeout",
    "40001": "the standby could not wait for the import. Start it again, or read from the primary",
    "53": "the server is short of memory, disk or connections",
    "57P": _LOST,
    "08": _LOST,
}


@contextmanager
def records(source: Source, format: Format | None, holding: Holding) -> Iterator[TableRecords]:
    """Raises ``InputError``, ``CatalogError``."""
    assert isinstance(source.place, Address)
    with closing(_connect(source.place)) as connection:
        with _explained(source.table or "the database"):
            _begin(connection)
            found = table.records(Postgresql(connection, source.table), source.map, holding)
        yield found


@dataclass(frozen=True, slots=True)
class _Relation:
    oid: int
    schema: str
    name: str
    has_children: bool

    @property
    def quoted(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


class Postgresql:
    """A table in an open database (table.py)."""

    format: Format = "postgresql"

    def __init__(self, connection: psycopg.Connection, name: str) -> None:
        self._connection = connection
        self._relation = _relation(connection, name)
        self.title = f"{self._relation.schema}.{self._relation.name}"
        self.columns = _columns(connection, self._relation)
        self._keys = _keys(connection, self._relation)

    def order(self, wanted: Sequence[Wanted]) -> str:
        return f"by {', '.join(self._keys)}" if self._keys else "by all columns that are read"

    def lines(self, wanted: Sequence[Wanted]) -> Generator[list[bytes], None, None]:
        found: list[bytes] = []
        size = 0
        with _explained(self.title), self._connection.cursor() as cursor, cursor.copy(self._query(wanted)) as copy:
            for line in copy:
                # The protocol has one row in each message.
                found.append(bytes(line))
                size += len(line)
                if size > BLOCK or len(found) == LINES:
                    yield found
                    found, size = [], 0
        yield found

    def _query(self, wanted: Sequence[Wanted]) -> sql.Composed:
        texts = [sql.SQL("{} AS {}").format(_text(one), sql.Identifier(f"c{at}")) for at, one in enumerate(wanted)]
        keys: list[sql.Composable] = [sql.Identifier(f"k{at}") for at in range(len(self._keys))]
        by = [sql.SQL("{} AS {}").format(sql.Identifier(key), as_) for key, as_ in zip(self._keys, keys, strict=True)]
        columns: list[sql.Composable] = [sql.Identifier(f"c{at}") for at in range(len(wanted))]
        order = keys or [sql.SQL('{} COLLATE "C"').format(column) for column in columns]
        if len(columns) == 1:
            columns.append(sql.NULL)
        comma = sql.SQL(", ")
        return sql.SQL(
            "COPY (SELECT {} FROM (SELECT {} FROM {}) AS read ORDER BY {}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
        ).format(comma.join(columns), comma.join([*texts, *by]), self._relation.quoted, comma.join(order))


def _text(wanted: Wanted) -> sql.Composed:
    """The text of a value, one byte longer than a row may be at most: so a huge one is found too long, and not sent."""
    column, type = sql.Identifier(wanted.column.name), wanted.column.type
    if wanted.day and wanted.column.kind == "timestamp":
        whole = sql.SQL("CASE WHEN {0} = date_trunc('day', {0}) THEN {0}::date::text ELSE {0}::text END")
        return whole.format(column)
    if type == "bytea":
        # PostgreSQL breaks the lines of base64.
        cut = sql.SQL("translate(encode(substring({} FROM 1 FOR {}), 'base64'), E'\\n', '')")
        return cut.format(column, sql.Literal(MAX_ROW + 1))
    if type in _LONG:
        return sql.SQL("left({}::text, {})").format(column, sql.Literal(MAX_ROW + 1))
    return sql.SQL("{}::text").format(column)


_LONG = {"text", "character varying", "character", "citext"}

_PLAIN = {
    *("text", "varchar", "bpchar", "name", "char", "citext", "enum", "uuid", "inet", "cidr", "macaddr", "macaddr8"),
    *("int2", "int4", "int8", "numeric", "bool", "date", "time", "timetz", "bytea"),
}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_PLAIN, "plain"),
    **dict.fromkeys(("float4", "float8"), "float"),
    "timestamp": "timestamp",
    "timestamptz": "zoned",
}


# --- the connection --------------------------------------------------------------------------------------------------
def _connect(address: Address) -> psycopg.Connection:
    try:
        given = conninfo.conninfo_to_dict(address.url)
    except psycopg.Error:
        raise InputError(UNKNOWN) from None
    if given.get("password"):
        raise InputError(REFUSAL)
    more: dict[str, int | str] = {"connect_timeout": 15} if "PGCONNECT_TIMEOUT" not in os.environ else {}
    more |= {"fallback_application_name": "strongroom", "keepalives_idle": 60, "keepalives_interval": 10}
    try:
        found = psycopg.connect(conninfo.make_conninfo(address.url, **{**more, **given}), prepare_threshold=None)
    except psycopg.Error as error:
        # libpq's words, before anything was read: it names host, user and database.
        raise InputError(f"PostgreSQL cannot be reached: {' '.join(str(error).split())}") from None
    if _is_readable_on_the_way(found):
        found.close()
        raise InputError(
            "the connection is not encrypted, and records would cross the network readable. Add ?sslmode=verify-full to the "
            "address, or where the network itself is encrypted ?sslmode=disable"
        )
    found.isolation_level, found.read_only = IsolationLevel.REPEATABLE_READ, True
    return found


def _is_readable_on_the_way(connection: psycopg.Connection) -> bool:
    told = {option.keyword: option.val for option in connection.pgconn.info}
    if connection.pgconn.ssl_in_use or told.get(b"sslmode") == b"disable":
        return False
    address = connection.pgconn.hostaddr.decode()  # of a socket file there is none
    return bool(address) and not _is_loopback(address)


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _begin(connection: psycopg.Connection) -> None:
    """Begin the transaction, in which dates and times have one form and no rule hides rows without a word."""
    for setting in ("DateStyle = 'ISO, YMD'", "TimeZone = 'UTC'", "extra_float_digits = 1", "row_security = off"):
        connection.execute(sql.SQL("SET LOCAL {}").format(sql.SQL(setting)))


# --- the catalog -----------------------------------------------------------------------------------------------------
def _relation(connection: psycopg.Connection, name: str) -> _Relation:
    if not name:
        raise InputError(f"a database of several tables. Name one with --table, such as {_some(connection)}")
    try:
        found = connection.execute(
            "SELECT c.oid, n.nspname, c.relname, c.relkind = 'r' AND c.relhassubclass "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            (name,),
        ).fetchone()
    except (errors.InvalidName, errors.SyntaxError):
        raise InputError('no name of a table. Write it as in SQL: people, city.people, or city."People"') from None
    if found is None:
        raise InputError(
            f"there is no table or view of that name, or this role may not see it; {_like(connection, name)}"
        )
    return _Relation(*found)


def _some(connection: psycopg.Connection) -> str:
    found = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname <> 'information_schema' "
        "AND n.nspname !~ '^pg_' ORDER BY 1 LIMIT %s",
        (_SHOWN,),
    )
    return ", ".join(str(name) for (name,) in found) or "schema.table"


def _like(connection: psycopg.Connection, name: str) -> str:
    bare = name.rpartition(".")[2].replace('"', "").lower()
    found = connection.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE lower(relname) = %s AND relkind IN ('r', 'p', 'v', 'm', 'f') "
        "ORDER BY 1 LIMIT %s",
        (bare, _SHOWN),
    ).fetchall()
    return f"--table takes {', '.join(str(name) for (name,) in found)}" if found else f"there are {_some(connection)}"


def _columns(connection: psycopg.Connection, relation: _Relation) -> list[Column]:
    """The table's columns; a domain is what it is made of."""
    found = connection.execute(
        "WITH RECURSIVE part (number, name, type) AS ("
        "SELECT attnum, attname, atttypid FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped "
        "UNION ALL SELECT number, name, typbasetype FROM part JOIN pg_type ON oid = type WHERE typtype = 'd') "
        "SELECT name, format_type(type, NULL), CASE WHEN typtype = 'e' THEN 'enum' "
        "WHEN typnamespace = 'pg_catalog'::regnamespace OR typname = 'citext' THEN typname::text END "
        "FROM part JOIN pg_type ON oid = type WHERE typtype <> 'd' ORDER BY number",
        (relation.oid,),
    )
    return [Column(name, _KINDS.get(base or "", "other"), shown) for name, shown, base in found]


def _keys(connection: psycopg.Connection, relation: _Relation) -> list[str]:
    """The columns of the primary key; none where it does not hold for all rows, as those of inheriting tables."""
    if relation.has_children:
        return []
    found = connection.execute(
        "SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS key (number, place) "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.number "
        "WHERE i.indrelid = %s AND i.indisprimary AND i.indisvalid ORDER BY key.place",
        (relation.oid,),
    )
    return [str(name) for (name,) in found]


@contextmanager
def _explained(title: str) -> Iterator[None]:
    """The server's refusals by their codes."""
    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or ""
        if not state and isinstance(error, psycopg.OperationalError):
            raise InputError(f"{title}: {_LOST}") from None
        mend = next((text for start, text in _MENDS.items() if state.startswith(start)), "")
        raise InputError(
            f"{title}: PostgreSQL says {state} ({type(error).__name__}){f'; {mend}' if mend else ''}"
        ) from None
