"""What every part of a source is read by: tables whose members are known, tables of names, and the line of each (SPEC.md section 6.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from strongroom.catalog.yamltree import Node, Reader, did_you_mean

T = TypeVar("T")
Path = tuple[str, ...]

U16, U24 = 2**16 - 1, 2**24 - 1

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")  # canonical.Name


class Members:
    """``read``: the document's reader. ``lines``: path of members -> line from 1, of all that was read. Raises ``CatalogError``."""

    def __init__(self, file: str) -> None:
        self.read = Reader(file)
        self.lines: dict[Path, int] = {}

    def members(
        self, at: Path, node: Node, what: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Node]:
        """A table of these members."""
        found = self.read.table(node, what, required, optional)
        self._note(at, node, what)
        return found

    def named(self, at: Path, node: Node, what: str, read: Callable[[Path, Node], T]) -> dict[str, T]:
        """A table whose keys are names of the custodian's choosing."""
        found: dict[str, T] = {}
        self._note(at, node, what)
        for name, (line, member) in self.read.free_table(node, at[-1]).items():
            self._check_name(name, line, what)
            self.lines[*at, name] = line
            found[name] = read((*at, name), member)
        return found

    def _note(self, at: Path, node: Node, what: str) -> None:
        for name, (line, _) in self.read.free_table(node, what).items():
            self.lines[*at, name] = line

    def name(self, node: Node, what: str) -> str:
        """One name of the custodian's choosing."""
        text = self.read.text(node, what)
        self._check_name(text, node.line, what)
        return text

    def _check_name(self, text: str, line: int, what: str) -> None:
        if not _NAME.fullmatch(text):
            mend = "Write a to z, digits and -, beginning with a letter, at most 40"
            raise self.read.error(line, f"{what} cannot be called that", mend)

    def choice(self, *known: Any) -> Callable[[Node, str], Any]:
        """Reads one of ``known``."""

        def chosen(node: Node, what: str) -> Any:
            text = self.read.text(node, what)
            if text not in known:
                raise self.read.error(node.line, f"{what} cannot be {text[:40]}", did_you_mean(text, known))
            return text

        return chosen
