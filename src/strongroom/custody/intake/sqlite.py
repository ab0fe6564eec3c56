"""A table or a view of an SQLite database, opened read-only and read in one transaction, so that both passes see one state.

SQLite keeps a type for each value, not for each column; so what cannot be taken is found by the value. Writers wait
meanwhile, unless the database is in WAL mode.
"""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from strongroom.catalog.model import Holding
from strongroom.catalog.yamltree import did_you_mean
from strongroom.custody.intake import table
from strongroom.custody.intake.filemark import opened_file
from strongroom.custody.intake.source import Format, Source
from strongroom.custody.intake.table import Column, Lines, TableRecords, Wanted, inexact
from strongroom.errors import InputError

_LONGEST = 64 << 20  # bytes of one value: more ends the import, so that memory stays flat
_PATIENCE = 10.0  # seconds, while another program writes
_SHOWN = 20
_ROWIDS = ("rowid", "_rowid_", "oid")


@contextmanager
def records(source: Source, format: Format | None, holding: Holding) -> Iterator[TableRecords]:
    """Raises ``InputError``, ``CatalogError``."""
    assert isinstance(source.place, Path)
    with opened_file(source.place):
        pass  # its own words for what is missing or no file are better than SQLite's
    name = source.place.name
    with closing(_connect(source.place)) as connection:
        with _explained(name):
            _begin(connection)
            found = table.records(Sqlite(connection, name, source.table), source.map, holding)
        yield found


class Sqlite:
    """A table in an open database (table.py)."""

    format: Format = "sqlite"

    def __init__(self, connection: sqlite3.Connection, file: str, name: str) -> None:
        self._connection, self._file = connection, file
        self._name, self._is_view = self._found(name)
        self.title = f"{file}:{self._name}"
        self._inexact = ""
        connection.create_function("in_base64", 1, lambda value: b64encode(value).decode(), deterministic=True)
        connection.create_function("is_inexact", 1, self._note_inexact)
        described = connection.execute(f"SELECT * FROM {_quoted(self._name)} LIMIT 0").description  # noqa: S608
        self.columns = [Column(one[0], "plain", "") for one in described]

    def order(self, wanted: Sequence[Wanted]) -> str:
        keys = self._keys()
        return f"by {', '.join(keys)}" if keys else "by all columns that are read"

    def lines(self, wanted: Sequence[Wanted]) -> Generator[list[bytes], None, None]:
        writer = Lines()
        selected = [*map(_expression, wanted), *(["NULL"] if len(wanted) == 1 else [])]
        keys = [_quoted(key) if key not in _ROWIDS else key for key in self._keys()]
        order = keys or [f"{at} COLLATE BINARY" for at in range(1, len(wanted) + 1)]
        # Names are quoted, so that none of them is SQL.
        query = f"SELECT {', '.join(selected)} FROM {_quoted(self._name)} ORDER BY {', '.join(order)}"  # noqa: S608
        with _explained(self.title), closing(self._connection.cursor()) as cursor:
            try:
                yield from writer.of(cursor.execute(query))
            except sqlite3.OperationalError:
                if self._inexact:
                    raise inexact(self.title, self._inexact, "REAL") from None
                raise

    def _found(self, name: str) -> tuple[str, bool]:
        query = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        known = {str(one): kind == "view" for one, kind in self._connection.execute(query)}
        some = ", ".join(sorted(known)[:_SHOWN]) or "none"
        if not name:
            raise InputError(f"{self._file}: a database of several tables. Name one with --table; it has: {some}")
        for one in (name, *(one for one in known if one.casefold() == name.casefold())):
            if one in known:
                return one, known[one]
        raise InputError(f"{self._file}: it has no table of that name. {did_you_mean(name, known)}")

    def _keys(self) -> list[str]:
        """What each row is known by: the rowid, or the primary key of a table that has none; nothing of a view."""
        if self._is_view:
            return []
        taken = {column.name.lower() for column in self.columns}
        for rowid in _ROWIDS:
            if rowid not in taken:
                try:
                    self._connection.execute(f"SELECT {rowid} FROM {_quoted(self._name)} LIMIT 0")  # noqa: S608
                except sqlite3.OperationalError:
                    break
                return [rowid]
        query = "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk"
        return [str(name) for (name,) in self._connection.execute(query, (self._name,))]

    def _note_inexact(self, column: str) -> None:
        self._inexact = column
        raise ValueError("ends the query")


def _expression(wanted: Wanted) -> str:
    name = wanted.column.name
    text = "'" + name.replace("'", "''") + "'"
    # A number of floating point where it will not do: the reader is told, and stops.
    real = f"WHEN 'real' THEN is_inexact({text}) " if wanted.exact else ""
    return f"CASE typeof({_quoted(name)}) WHEN 'blob' THEN in_base64({_quoted(name)}) {real}ELSE {_quoted(name)} END"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connect(path: Path) -> sqlite3.Connection:
    with _explained(path.name):
        name = f"file:{quote(str(path.absolute()))}?mode=ro"
        return sqlite3.connect(name, uri=True, isolation_level=None, timeout=_PATIENCE)


def _begin(connection: sqlite3.Connection) -> None:
    # Bytes that are no UTF-8 become U+FFFD, which no field takes; Python's own error would quote the value.
    connection.text_factory = lambda value: value.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    # What a database brings along (views, triggers, its schema) is its maker's, and may be meant ill.
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")


@contextmanager
def _explained(title: str) -> Iterator[None]:
    """SQLite's refusals in our words: its own may quote a value."""
    try:
        yield
    except sqlite3.Error as error:
        code = str(getattr(error, "sqlite_errorname", "") or type(error).__name__)
        said = next((text for start, text in _SAID.items() if code.startswith(start)), "")
        raise InputError(f"{title}: {said or f'SQLite cannot read it ({code})'}") from None
    except UnicodeDecodeError:
        # Values have a text_factory of ours, the names of columns have Python's.
        raise InputError(f"{title}: a column's name is not UTF-8. Rename it, or take a view without it") from None


_SAID = {
    "SQLITE_NOTADB": "no SQLite database, or an encrypted one",
    "SQLITE_CORRUPT": "SQLite finds it damaged. Take it from a backup, or see sqlite3's .recover",
    "SQLITE_BUSY": "another program is writing to it. Start again once that is done",
    "SQLITE_LOCKED": "another program is writing to it. Start again once that is done",
    "SQLITE_CANTOPEN": "it was left in the middle of a write, or its folder may not be read. Open it once with its own program",
    "SQLITE_READONLY": "it was left in the middle of a write. Open it once with its own program",
    "SQLITE_TOOBIG": f"a value is longer than {_LONGEST >> 20} MiB. Leave its column out of the map",
}
