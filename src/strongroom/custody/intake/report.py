"""What an import tells about itself: on the way, and at its end. Numbers of rows, never of people who were known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from strongroom.custody.intake.filemark import FileMark
from strongroom.custody.intake.source import Format


@dataclass(frozen=True, slots=True)
class Progress:
    """``rows`` gone through in this run; ``read`` of ``size`` bytes; seconds since its start."""

    rows: int
    bad: int
    read: int
    size: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds if self.seconds else 0.0


Watch: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Report:
    """``rows`` = ``stored`` + ``bad``, over all runs of this import; blank lines do not count.

    ``bad_rows``: the side file, None where no row was bad. ``job``: the import's name in hex, empty where rows were only
    checked. ``entries``: the ledger's indexes of this run. ``resumed``: an earlier run had stopped. ``already``: it was
    complete before, and nothing was done; of its bad rows the vault has kept the number alone, so no side file was written.
    ``verified``: everything that was stored was read back and opened, in each run. ``order``: in which a table's rows are
    numbered. ``mark``: the file that was read, None where it was a database.
    """

    rows: int
    stored: int
    bad: int
    bad_rows: Path | None
    job: str
    entries: tuple[int, ...]
    resumed: bool
    already: bool
    seconds: float
    encoding: str
    format: Format
    order: str = ""
    mark: FileMark | None = None
    odd: dict[tuple[str, str], int] = field(default_factory=dict)
    verified: bool = False
