"""What is taken in: where records come from, and what each kind of source gives the importer (``Records``).

The kinds have a module each, which is imported where it is needed: who takes in CSV waits for no Arrow.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, cast

from strongroom.catalog.mapping import FieldMap
from strongroom.catalog.model import Holding
from strongroom.custody.intake.filemark import FileMark, opened_file
from strongroom.custody.intake.place import Address, Place
from strongroom.custody.intake.rows import Chunk
from strongroom.errors import InputError

Format: TypeAlias = Literal["csv", "jsonl", "parquet", "sqlite", "postgresql"]

_MODULES: dict[Format | None, str] = {
    None: "textfile",  # which finds out which of the two it is
    "csv": "textfile",
    "jsonl": "textfile",
    "parquet": "parquet",
    "sqlite": "sqlite",
    "postgresql": "postgresql",
}
# What a module wants that an installation may be without (docs/decisions/0020-sources.md).
_EXTRAS: dict[Format | None, str] = {"parquet": "pyarrow", "postgresql": "psycopg"}
_MAGIC: dict[bytes, Format] = {b"PAR1": "parquet", b"PARE": "parquet", b"SQLite format 3\0": "sqlite"}


@dataclass(frozen=True, slots=True)
class Source:
    """What a user names. What is left empty is found out: ``format`` and ``delimiter`` by looking, ``encoding`` is
    UTF-8, ``map`` goes by the names of columns. ``table``: of a database. ``op``: a column that no field takes, of a
    change feed's operations."""

    place: Place
    map: FieldMap | None = None
    format: Format | None = None
    encoding: str = ""
    delimiter: str = ""
    table: str = ""
    op: str = ""


class Records(Protocol):
    """Records that were gone through once, from end to end, and can be taken in now: the same ones, in the same chunks.

    ``columns``, ``delimiter`` (empty for JSON lines) and ``encoding`` say how a chunk's rows are read, ``map`` which
    column goes where. ``digest``: SHA-256 of the content, by which an import is found again. ``size``: bytes, as a
    chunk's ``end`` counts them. ``rows``: there are at most so many. ``order``: of a table's rows, for people. ``mark``:
    of the file they are in, None where they are in no file of their own.
    """

    title: str
    format: Format
    columns: tuple[str, ...]
    delimiter: str
    encoding: str
    map: FieldMap
    digest: bytes
    size: int
    rows: int
    order: str
    mark: FileMark | None

    def unused(self) -> dict[str, str]:
        """The columns that go nowhere, each with what a message calls it."""
        ...

    def chunks(self) -> Generator[Chunk, None, None]:
        """All of them. Raises ``InputError`` when they are not what was gone through before."""
        ...


class _Module(Protocol):
    def records(self, source: Source, format: Format | None, holding: Holding) -> AbstractContextManager[Records]: ...


def records(source: Source, holding: Holding) -> AbstractContextManager[Records]:
    """The records of ``source``, for ``holding``; what is open for them is closed at the end.

    Raises ``InputError``, ``CatalogError``: the source cannot be taken in, and why; never a value of it.
    """
    format = _format(source)
    if source.table and format not in {"sqlite", "postgresql"}:
        raise InputError(f"{source.place}: a file of one table, and --table is for databases. Leave it out")
    if (source.encoding or source.delimiter) and format not in {None, "csv", "jsonl"}:
        raise InputError("an encoding and a delimiter are for CSV and JSON lines; tables say themselves. Leave it out")
    if source.op and format in {"sqlite", "postgresql"}:
        raise InputError("a change feed is a file, whose rows are in order; a table's are not. Export it, ordered")
    try:
        module = importlib.import_module(f"strongroom.custody.intake.{_MODULES[format]}")
    except ImportError as error:
        if format not in _EXTRAS or (error.name or "").startswith("strongroom"):
            raise
        wanted = f"{_EXTRAS[format]}, which is not here or not whole"
        raise InputError(f"{format} is read with {wanted}: pip install 'strongroom[{format}]'") from None
    return cast("_Module", module).records(source, format, holding)


def _format(source: Source) -> Format | None:
    if isinstance(source.place, Address):
        if source.format:
            raise InputError("the format is that of a file, and this is a database. Leave it out")
        return "postgresql"
    if source.format:
        return source.format
    with opened_file(source.place) as file:
        head = file.read(max(map(len, _MAGIC)))
    return next((format for magic, format in _MAGIC.items() if head.startswith(magic)), None)
