"""A source read through as an import reads it, without a room."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.catalog import sample

from strongroom.catalog import mapping
from strongroom.catalog.model import Holding
from strongroom.custody.intake import place, source
from strongroom.custody.intake.rows import Chunk
from strongroom.custody.intake.source import Source
from strongroom.custody.intake.values import Layout, Parser, Values

HOLDING = sample.holding()
ID = "190101199003074412"  # a region that is none
IDS = ("190101199003074412", "190101199003074420", "190101199003074447")


@dataclass(frozen=True)
class Taken:
    """What came of it. ``values`` has every row, in one."""

    columns: dict[str, list[str | None]]
    bad: list[tuple[int, str, str]]
    chunks: list[Chunk]
    digest: bytes
    size: int
    rows: int
    order: str
    title: str


def take(named: Path | str, text: str = "", *, holding: Holding = HOLDING, **more: Any) -> Taken:
    """``text``: a map."""
    given = mapping.load(text, "map.yaml", holding) if text else None
    chosen = Source(place.parse(str(named)), given, **more)
    with source.records(chosen, holding) as records:
        layout = Layout(holding, records.map, records.columns, records.delimiter, records.encoding, "")
        parser = Parser(layout)
        chunks = list(records.chunks())
        parsed = [parser.parse(chunk) for chunk in chunks]
        columns = {name: [value for one in parsed for value in one.columns[name]] for name in holding.fields}
        bad = [(error.row, error.field, error.reason) for one in parsed for error in one.errors]
        assert chunks[-1].end == records.size if chunks else not records.rows
        return Taken(columns, bad, chunks, records.digest, records.size, records.rows, records.order, records.title)


def with_text() -> Holding:
    """A holding of fields that take nearly anything, to see a column's own text."""
    return replace_fields(id=sample.field("text", identifier="primary", max=256), text=sample.field("text", max=256))


def replace_fields(**fields: Any) -> Holding:
    return sample.holding(fields=fields)


__all__ = ["HOLDING", "ID", "IDS", "Taken", "Values", "replace", "replace_fields", "take", "with_text"]
