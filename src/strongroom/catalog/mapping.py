"""Which column of a file goes into which field: ``import --map`` (SPEC.md section 6.8; examples/febrl/map.yaml).

A map is a YAML table, field on the left::

    surname: surname                       # one column
    name: [given_name, surname]            # several, joined by a space, the empty ones left out
    address: {columns: [street, town], between: ", "}
    country: {constant: Utopia}            # the same text in every record
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from strongroom.catalog.model import Holding
from strongroom.catalog.yamltree import Listing, Node, Reader, Scalar, did_you_mean
from strongroom.errors import CatalogError, ValueRejected


@dataclass(frozen=True, slots=True)
class Part:
    """What fills one field: ``columns`` joined by ``between``, or, without columns, ``constant``."""

    columns: tuple[str, ...]
    between: str
    constant: str
    place: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A map compiled to one file's header. ``unused`` are the columns that go nowhere."""

    fields: tuple[str, ...]
    unused: tuple[str, ...]
    _width: int
    _takes: tuple[tuple[tuple[int, ...], str, str], ...]

    def apply(self, row: Sequence[str]) -> list[str]:
        """One text a field, in the order of ``fields``. Raises ``ValueRejected`` when the row is not as wide as the header."""
        if len(row) != self._width:
            raise ValueRejected(f"has {len(row)} columns where the header has {self._width}")
        found = []
        for columns, between, constant in self._takes:
            if len(columns) == 1:
                found.append(row[columns[0]])
            elif columns:
                found.append(between.join([part for at in columns if (part := row[at].strip())]))
            else:
                found.append(constant)
        return found

    def columns(self, rows: Sequence[Sequence[str]]) -> list[Sequence[str]] | None:
        """What ``apply`` gives for many rows, by field; None where one is not as wide as the header."""
        if any(len(row) != self._width for row in rows):
            return None
        turned = list(zip(*rows, strict=True))
        found: list[Sequence[str]] = []
        for columns, between, constant in self._takes:
            if len(columns) == 1:
                found.append(turned[columns[0]])
            elif columns:
                parts = zip(*(turned[at] for at in columns), strict=True)
                found.append([between.join(part for one in row if (part := one.strip())) for row in parts])
            else:
                found.append([constant] * len(rows))
        return found


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Field -> what fills it."""

    parts: Mapping[str, Part]
    file: str

    def compile(self, header: Iterable[str]) -> Plan:
        """The plan for a file with this header. Outer spaces and a byte order mark of column names do not count.

        Raises ``CatalogError`` when a column is missing or stands twice.
        """
        names = [name.lstrip("\ufeff").strip() for name in header]
        takes = []
        for field, part in self.parts.items():
            for column in part.columns:
                if names.count(column) != 1:
                    problem = f"{field} wants the column {column}, which the file has {names.count(column)} times"
                    raise CatalogError(part.place, problem, did_you_mean(column, [n for n in names if n != column]))
            takes.append((tuple(map(names.index, part.columns)), part.between, part.constant))
        used = {column for part in self.parts.values() for column in part.columns}
        unused = tuple(name for name in names if name not in used)
        return Plan(tuple(self.parts), unused, len(names), tuple(takes))

    def apply(self, row: Mapping[str, str]) -> dict[str, str]:
        """Field -> text, of a row given by column names (a line of JSONL); a missing column is empty."""
        return {
            field: part.between.join([text for name in part.columns if (text := row.get(name, "").strip())])
            if part.columns
            else part.constant
            for field, part in self.parts.items()
        }


def load(text: str | bytes, name: str, holding: Holding) -> FieldMap:
    """The map in ``text``, read from the file called ``name``, for ``holding``. Raises ``CatalogError``."""
    read = Reader(name)
    parts = {}
    for field, (line, node) in read.free_table(read.document(text), "the map").items():
        if field not in holding.fields:
            raise read.error(line, f"the holding has no field {field}", did_you_mean(field, holding.fields))
        parts[field] = _part(read, node, f"{name}:{line}")
    _complete(parts, holding, f"{name}:1")
    return FieldMap(parts, name)


def by_name(header: Iterable[str], place: str, holding: Holding) -> FieldMap:
    """The map when none is given: columns called like fields (``_`` for ``-`` and capitals allowed) fill them.

    ``place`` says where the columns are. Raises ``CatalogError`` when none fits or a required field has no column.
    """
    parts: dict[str, Part] = {}
    for column in header:
        bare = column.lstrip("\ufeff").strip()
        field = bare.lower().replace("_", "-")
        if field in holding.fields:
            if field in parts:
                raise CatalogError(place, f"two columns are called {field}", "Write a map, and give it with --map")
            parts[field] = Part((bare,), " ", "", place)
    if not parts:
        mend = f"Write a map, and give it with --map; the fields are {', '.join(holding.fields)}"
        raise CatalogError(place, "no column is called like a field", mend)
    _complete(parts, holding, place)
    return FieldMap(parts, place)


def _part(read: Reader, node: Node, place: str) -> Part:
    if isinstance(node, Scalar):
        return Part((read.text(node, "a column"),), " ", "", place)
    if isinstance(node, Listing):
        return Part(_columns(read, node), " ", "", place)
    members = read.table(node, "the field", (), ("columns", "between", "constant"))
    if "constant" in members and len(members) == 1:
        return Part((), "", read.text(members["constant"], "constant"), place)
    if "columns" not in members or "constant" in members:
        raise read.error(node.line, "the field has neither columns nor a constant, or both", "Keep one of them")
    between = members.get("between")
    if between is not None and not isinstance(between, Scalar):
        raise read.error(between.line, "between is not a text", 'Write it in quotes, such as ", "')
    return Part(_columns(read, members["columns"]), " " if between is None else between.text, "", place)


def _columns(read: Reader, node: Node) -> tuple[str, ...]:
    columns = read.texts(node, "columns")
    if not columns:
        raise read.error(node.line, "no column is named", "Name at least one")
    return tuple(columns)


def _complete(parts: Mapping[str, Part], holding: Holding, place: str) -> None:
    missing = [name for name, field in holding.fields.items() if field.required and name not in parts]
    if missing:
        problem = f"nothing fills {', '.join(missing)}, which the charter requires"
        raise CatalogError(place, problem, "Name a column for each")
