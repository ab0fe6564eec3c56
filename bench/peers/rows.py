"""What the peers that work in process are given: of each row its two compartments and its two identifiers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from multiprocessing import get_context

Row = tuple[str, str, str, str]
_IDENTITY, _CONTACT = ("id-number", "name", "born", "sex"), ("phone", "email", "address")


def halves(path: str, processes: int) -> list[list[Row]]:
    """A part of the rows for each process."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = [
            (_part(row, _IDENTITY), _part(row, _CONTACT), row["id-number"], row["phone"])
            for row in csv.DictReader(file)
        ]
    return [lines[one::processes] for one in range(processes)]


def _part(row: dict[str, str], names: tuple[str, ...]) -> str:
    return json.dumps({name: row[name] for name in names})


def spread(work: Callable[[list[Row]], float], parts: list[list[Row]]) -> float:
    """Records a second of all processes together; ``work`` gives the seconds of its part."""
    with get_context("fork").Pool(len(parts)) as pool:
        return sum(map(len, parts)) / max(pool.map(work, parts, chunksize=1))
