"""How fields of records that are there already go into other fields: ``catalog migrate --map`` (SPEC.md section 6.9).

A field keeps its compartment and type for ever (6.5), so what is renamed, split or moved is a new field, filled from old ones. A
map is a YAML table, the new field on the left::

    full-name: name                              # renamed, or moved to another compartment
    address: [town, street]                      # several, joined by a space, the empty ones left out
    whole: {fields: [street, town], between: ", "}
    family: {field: name, split: " ", part: 1}   # the first of its parts
    given: {field: name, split: " ", from: 2}    # the second and all after it
    country: {constant: Utopia}
    clear: [name]                                # empty these, once the others are filled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.catalog import fields as types
from strongroom.catalog.model import Holding, Mask
from strongroom.catalog.yamltree import Listing, Node, Reader, Scalar, did_you_mean
from strongroom.errors import CatalogError, ValueRejected

CLEAR = "clear"
_MOST_PARTS = 100

Fields = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Origin:
    """What fills one field: ``fields`` joined by ``between``; of one field with ``split`` the parts from ``first`` to ``last``
    (from 1; 0: to the end); without fields ``constant``."""

    fields: tuple[str, ...]
    between: str = " "
    constant: str = ""
    split: str = ""
    first: int = 1
    last: int = 0

    def text(self, record: Mapping[str, str | None]) -> str:
        """Empty where nothing fills it."""
        if not self.fields:
            return self.constant
        texts = [text for name in self.fields if (text := record[name])]
        if not self.split:
            return self.between.join(texts)
        parts = [part for part in texts[0].split(self.split) if part] if texts else []
        return self.split.join(parts[self.first - 1 : self.last or len(parts)])


class Rejected(ValueRejected):
    """A record that the map does not fit. ``field`` and ``reason``; never the value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Migration:
    """Field -> what fills it, and the fields that are empty afterwards. ``text``: the map as it was written."""

    holding: Holding
    origins: Mapping[str, Origin]
    clear: tuple[str, ...]
    text: str

    @property
    def fields(self) -> tuple[str, ...]:
        """All that a record's new version may have other values in, sorted."""
        return tuple(sorted({*self.origins, *self.clear}))

    def unread(self, reads: Mapping[str, Mask]) -> list[str]:
        """The fields that others are filled from, and that are not among ``reads`` as ``clear``: whoever may read the new
        field would read the old one in it."""
        return sorted({name for one in self.origins.values() for name in one.fields if reads.get(name) != "clear"})

    def apply(self, record: Mapping[str, str | None]) -> Fields | None:
        """The record as it is to be; None where it is so already. A field that has a value keeps it: whoever wrote it there knew
        more than the map. Raises ``Rejected`` when a value does not fit its new field, or the record would lack what it must have;
        why so is not said more exactly, since it would tell of what stands there."""
        found: Fields = dict(record)
        for name, origin in self.origins.items():
            if found[name] is None:
                try:
                    found[name] = types.parse(self.holding.fields[name], origin.text(record))
                except ValueRejected:
                    raise Rejected(name, "what would fill it does not fit") from None
        for name in self.clear:
            found[name] = None
        if types.lacking(self.holding, found):
            raise Rejected("", "would lack what it must have")
        return None if found == record else found

    def document(self) -> dict[str, object]:
        """What it does, by which a migration is known again."""
        return {
            "clear": list(self.clear),
            "origins": {
                name: [list(one.fields), one.between, one.constant, one.split, one.first, one.last]
                for name, one in self.origins.items()
            },
        }


def load(text: str | bytes, name: str, holding: Holding) -> Migration:
    """The map in ``text``, read from the file called ``name``, for ``holding``. Raises ``CatalogError``."""
    read = Reader(name)
    origins: dict[str, Origin] = {}
    clear: tuple[str, ...] = ()
    for field, (line, node) in read.free_table(read.document(text), "the map").items():
        if field == CLEAR:
            clear = _clear(read, node, holding)
            continue
        _known(read, line, field, holding)
        origins[field] = origin = _origin(read, node, holding)
        if field in origin.fields:
            raise read.error(line, f"{field} is filled from itself", "Name the fields it is filled from")
    if not origins and not clear:
        raise CatalogError(f"{name}:1", "the map moves nothing", "Name a field and what fills it")
    for field in clear:
        if field in origins:
            raise CatalogError(f"{name}:1", f"{field} is filled and emptied", "Do one of the two")
    return Migration(holding, origins, clear, text.decode("utf-8-sig") if isinstance(text, bytes) else text)


def _known(read: Reader, line: int, field: str, holding: Holding) -> None:
    if field not in holding.fields:
        raise read.error(line, f"the holding has no field {field}", did_you_mean(field, holding.fields))


def _clear(read: Reader, node: Node, holding: Holding) -> tuple[str, ...]:
    fields = read.texts(node, CLEAR)
    for field in fields:
        _known(read, node.line, field, holding)
        if holding.fields[field].required:
            raise read.error(node.line, f"{field} is required", "Have a charter that does not require it first")
        if holding.fields[field].identifier == "primary":
            problem = f"{field} says whom the record is about, and is never emptied"
            raise read.error(node.line, problem, "Leave it out of the list")
    return tuple(sorted(set(fields)))


def _origin(read: Reader, node: Node, holding: Holding) -> Origin:
    if isinstance(node, Scalar):
        return Origin(_fields(read, [read.text(node, "a field")], node, holding))
    if isinstance(node, Listing):
        return Origin(_fields(read, read.texts(node, "fields"), node, holding))
    members = read.table(node, "the field", (), ("fields", "between", "constant", "field", "split", "part", "from"))
    names = frozenset(members)
    if names == {"constant"}:
        constant = read.text(members["constant"], "constant")
        if not constant:
            raise read.error(node.line, "the constant is empty", "Leave the field out; it is empty as it is")
        return Origin((), constant=constant)
    if names in ({"field", "split", "part"}, {"field", "split", "from"}):
        one = _fields(read, [read.text(members["field"], "field")], node, holding)
        split = _verbatim(read, members["split"], "split")
        if not split:
            raise read.error(node.line, "split is empty", 'Write what parts the text, such as " "')
        which = read.number(members.get("part", members.get("from", node)), "part", _MOST_PARTS)
        if not which:
            raise read.error(node.line, "parts are counted from 1", "Write 1 for the first")
        return Origin(one, split=split, first=which, last=which if "part" in names else 0)
    if names in ({"fields"}, {"fields", "between"}):
        between = _verbatim(read, members["between"], "between") if "between" in names else " "
        return Origin(_fields(read, read.texts(members["fields"], "fields"), node, holding), between)
    mend = "Write fields and between, or field, split and part (or from), or constant"
    raise read.error(node.line, "the field's members do not fit each other", mend)


def _fields(read: Reader, names: list[str], node: Node, holding: Holding) -> tuple[str, ...]:
    if not names or len(set(names)) != len(names):
        raise read.error(node.line, "no field is named, or one twice", "Name each once")
    for name in names:
        _known(read, node.line, name, holding)
    return tuple(names)


def _verbatim(read: Reader, node: Node, what: str) -> str:
    # Its outer spaces count.
    if not isinstance(node, Scalar):
        raise read.error(node.line, f"{what} is not a text", 'Write it in quotes, such as ", "')
    return node.text
