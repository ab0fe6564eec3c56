"""The table of every promise, the drills that try it and what they got, as Markdown: written by the run itself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from strongroom import __version__
from strongroom.drill.drills import DRILLS
from strongroom.drill.report import Report

PROMISES = {
    1: "Stolen at rest: nothing",
    2: "Taken over while running: bounded, and seen",
    3: "No read unseen",
    4: "No ledger rewritten, forked or cut",
    5: "No hidden read of me",
    6: "Purpose binds",
    7: "Erased means erased, expired means unreadable",
}
"""Those of THREATS.md that this version makes."""


def render(reports: Sequence[Report], now: int) -> str:
    """Markdown; ``now`` in POSIX seconds."""
    done = {report.name: report for report in reports}
    lines = [
        "# What was promised, and what the attacks got",
        "",
        (
            f"Written by `strongroom drill --all --table docs/promises.md` on {datetime.fromtimestamp(now, UTC):%Y-%m-%d}, "
            f"version {__version__}{_commit()}. Each drill replays real attacks on a room made for it, with real keys and records; "
            "each was seen to fail on rooms weakened in one point (`tests/drill`). What an attacker gets all the same stands below."
        ),
        "",
        "| promise | drill | attacks | tries | result |",
        "|---|---|---|---|---|",
    ]
    for number, promise in PROMISES.items():
        named = [drill for drill in DRILLS.values() if number in drill.promises]
        for drill in named:
            report = done.get(drill.name)
            lines.append(f"| {number}. {promise} | `{drill.name}` | {_result(report)} |")
        if not named:
            lines.append(f"| {number}. {promise} | none | | | not tried |")
    for report in reports:
        lines += [
            "",
            f"## {report.name}",
            "",
            report.attack,
            "",
            "| attack | tries | the attacker got | what was seen | |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {_cell(one.attack)} | {one.tried:,} | {_cell(one.got)} | {_cell(one.seen)} | {'ok' if one.passed else '**NO**'} |"
            for one in report.findings
        ]
        lines += ["", *(f"- All the same: {text}" for text in report.limits)] if report.limits else []
    return "\n".join(lines) + "\n"


def _result(report: Report | None) -> str:
    if report is None:
        return "| | not run"
    return (
        f"{len(report.findings)} | {report.tried:,} | {'**pass**' if report.passed else f'**{_cell(report.verdict)}**'}"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _commit() -> str:
    """The commit of the checkout that this runs from; nothing where it is none."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "-C", str(here), "status", "--porcelain", "--", "."], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f", commit {found}{' with changes' if changed else ''}"
