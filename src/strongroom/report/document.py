"""A report as a structure, before it is set as Markdown or HTML. Texts are plain, with `code` and *emphasis* alone."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` as wide as ``headers``."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A command by which a reader verifies what stands above it."""

    text: str


Block = str | Table | Command


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...] = field(default=())
