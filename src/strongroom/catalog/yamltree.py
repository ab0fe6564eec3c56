"""YAML with positions and without surprises: tables, lists and scalars, each knowing its line (SPEC.md section 6.7).

Built from PyYAML's events, so that what its loaders let pass is seen and refused: a key written twice, aliases, tags,
several documents, and plain scalars that YAML takes for something other than text (``no``, ``1e3``, ``2020-01-01``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from strongroom.errors import CatalogError

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 12

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_DURATION = re.compile(r"(0|[1-9][0-9]{0,8})([smhdy])")
_HALF = re.compile("[\ud800-\udfff]")  # which no UTF-8 can hold
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


@dataclass(frozen=True, slots=True)
class Scalar:
    text: str
    plain: bool
    line: int


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """``members``: key -> (line of the key, node)."""

    members: dict[str, tuple[int, Node]]
    line: int


Node: TypeAlias = Scalar | Listing | Table


class Reader:
    """Reads nodes of one file as what is expected there; every complaint names file, line and mend.

    All its methods raise ``CatalogError``.
    """

    def __init__(self, file: str) -> None:
        self.file = file

    def error(self, line: int, problem: str, mend: str) -> CatalogError:
        return CatalogError(f"{self.file}:{line}", problem, mend)

    def document(self, text: str | bytes) -> Table:
        """The one table that ``text`` is; bytes are UTF-8."""
        if isinstance(text, bytes):
            try:
                text = text.decode("utf-8-sig")
            except UnicodeDecodeError as found:
                line = found.object.count(b"\n", 0, found.start) + 1
                raise self.error(line, "the file is not UTF-8", "Save it as UTF-8") from None
        if len(text) > MAX_CHARACTERS:
            raise self.error(1, f"the file has over {MAX_CHARACTERS:,} characters", "Is it the right file?")
        try:
            events = yaml.parse(text, Loader=yaml.SafeLoader)
            node = self._document(events)
        except yaml.MarkedYAMLError as found:
            mark = found.problem_mark or found.context_mark
            raise self.error(
                mark.line + 1 if mark else 1, f"not YAML: {found.problem}", "Check indentation and quotes"
            ) from None
        except yaml.reader.ReaderError as found:
            line = text.count("\n", 0, found.position) + 1
            raise self.error(
                line, f"character U+{ord(text[found.position]):04X} has no place in YAML", "Remove it"
            ) from None
        if not isinstance(node, Table):
            raise self.error(node.line, "the file is not a table of members", "Begin with a line such as name: ...")
        return node

    def table(self, node: Node, what: str, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Node]:
        """Members of a table with these and no other keys."""
        required, known = list(required), [*required, *optional]
        members = self.free_table(node, what)
        for key, (line, _) in members.items():
            if key not in known:
                raise self.error(line, f"{what} has no member {key}", did_you_mean(key, known))
        for key in required:
            if key not in members:
                raise self.error(node.line, f"{what} lacks {key}", f"Add a line {key}: ...")
        return {key: value for key, (_, value) in members.items()}

    def free_table(self, node: Node, what: str) -> dict[str, tuple[int, Node]]:
        """Members, with the lines of their keys, of a table whose keys are the custodian's own."""
        if not isinstance(node, Table):
            raise self.error(node.line, f"{what} is not a table of members", "Write key: value lines below it, or {}")
        return node.members

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        if not isinstance(node, Listing):
            raise self.error(node.line, f"{what} is not a list", "Write it as [one, two]")
        return node.items

    def texts(self, node: Node, what: str) -> list[str]:
        return [self.text(item, f"an item of {what}") for item in self.items(node, what)]

    def text(self, node: Node, what: str) -> str:
        if not isinstance(node, Scalar):
            raise self.error(node.line, f"{what} is not a text", "Write it on one line, in quotes")
        if node.plain:
            self._unambiguous(node, what)
        return node.text.strip()

    def number(self, node: Node, what: str, most: int) -> int:
        found = node.text if isinstance(node, Scalar) and node.plain and _NUMBER.fullmatch(node.text) else ""
        if not found or int(found) > most:
            raise self.error(node.line, f"{what} is not a whole number from 0 to {most}", "Write digits alone")
        return int(found)

    def flag(self, node: Node, what: str) -> bool:
        if not isinstance(node, Scalar) or not node.plain or node.text not in ("true", "false"):
            raise self.error(node.line, f"{what} is neither true nor false", "Write true or false, without quotes")
        return node.text == "true"

    def duration(self, node: Node, what: str, unit: str = "s") -> int:
        """Whole seconds, or days with ``unit`` ``d``: ``90s``, ``30m``, ``72h``, ``3d``, ``10y`` (365 days each)."""
        found = _DURATION.fullmatch(node.text) if isinstance(node, Scalar) else None
        seconds = int(found[1]) * _SECONDS[found[2]] if found else -1
        if seconds < 0 or seconds % _SECONDS[unit]:
            example = "30d or 10y" if unit == "d" else "0s, 30m, 72h, 3d or 1y"
            raise self.error(node.line, f"{what} is not a duration", f"Write one such as {example}")
        return seconds // _SECONDS[unit]

    def _unambiguous(self, node: Scalar, what: str) -> None:
        resolvers = yaml.SafeLoader.yaml_implicit_resolvers
        for tag, form in [*resolvers.get(node.text[:1], []), *resolvers.get(None, [])]:
            if form.match(node.text):
                kind = tag.rpartition(":")[2]
                kind = {"bool": "yes or no", "null": "nothing", "timestamp": "a date"}.get(kind, f"a YAML {kind}")
                shown = node.text or "nothing"
                raise self.error(node.line, f"{what} is text, but YAML reads {shown} as {kind}", 'Put it in "quotes"')

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        next(events)  # the stream's start
        if isinstance(next(events), yaml.StreamEndEvent):
            raise self.error(1, "the file is empty", "See examples/city/charter.yaml")
        node = self._node(next(events), events, 0)
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.error(_line(after), "a second document begins", "Keep one; remove the ---")
        return node

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise self.error(line, f"nested over {MAX_DEPTH} deep", "Nothing here nests so deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self.error(
                line, "aliases (& and *) are not read", "Write it out: what is signed must be plain to see"
            )
        if getattr(event, "tag", None):
            raise self.error(line, "tags (!) are not read", "Remove it")
        if isinstance(event, yaml.ScalarEvent):
            if _HALF.search(event.value):
                raise self.error(line, "an escape (\\u) writes half a character", "Write the character itself")
            return Scalar(event.value, event.style is None, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events, depth + 1))
            return Listing(tuple(items), line)
        members: dict[str, tuple[int, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            name = self.text(key, "a key")
            if name in members:
                raise self.error(key.line, f"{name} stands here twice, first in line {members[name][0]}", "Keep one")
            members[name] = key.line, self._node(next(events), events, depth + 1)
        return Table(members, line)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A mend that names the nearest of ``known``, or all."""
    known = sorted(known)
    near = difflib.get_close_matches(wrong, known, 1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Use one of {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}" if known else "Remove it"
