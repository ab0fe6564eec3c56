"""What a run came to: work, figure, target, and what stands beside it in the same run; printed, and kept in the docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- written by make bench -->", "<!-- end of what make bench wrote -->"


@dataclass(frozen=True)
class Row:
    """``reached``: whether the figure is what was to be reached; None where nothing was."""

    work: str
    figure: str
    target: str = ""
    reached: bool | None = None
    beside: str = ""


@dataclass(frozen=True)
class Cost:
    """Of each request, microseconds of processor in each house and in the generator; asks in one commit."""

    work: str
    vault: float
    keyholder: float
    generator: float
    group: float


def markdown(title: str, rows: Sequence[Row], costs: Sequence[Cost]) -> str:
    lines = [title, "", "| work | figure | to reach | | beside it in this run |", "|---|---|---|---|---|"]
    mark = {True: "reached", False: "**missed**", None: ""}
    lines += [f"| {row.work} | {row.figure} | {row.target} | {mark[row.reached]} | {row.beside} |" for row in rows]
    if costs:
        lines += ["", "Processor time a request, in microseconds, and asks in one commit of the keyholder:", ""]
        lines += ["| work | vault | keyholder | load generator | asks a commit |", "|---|---|---|---|---|"]
        lines += [
            f"| {cost.work} | {cost.vault:,.0f} | {cost.keyholder:,.0f} | {cost.generator:,.0f} | {cost.group:.1f} |"
            for cost in costs
        ]
    return "\n".join(lines) + "\n"


def keep(page: Path, text: str) -> None:
    """Put ``text`` between the markers of the page. Raises ``ValueError`` where they are not there."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page}: no place for the table")
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}")
