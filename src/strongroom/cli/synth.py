"""``strongroom synth``: test data for any holding, so that nobody copies the real table into a test system."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from strongroom.catalog import check as checks
from strongroom.catalog import source as sources
from strongroom.catalog.model import Holding
from strongroom.cli import writing
from strongroom.cli.arguments import opened
from strongroom.cli.command import Call, Commands
from strongroom.cli.output import count
from strongroom.errors import CatalogError, InputError
from strongroom.synth.people import MOST
from strongroom.synth.records import records


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        synth,
        description="""Records of people who are nobody, for any holding of a charter: every value is one that its field takes, what is about
one person fits together, and the same seed gives the same file. Use it wherever a test system wants data.""",
        examples=[
            "strongroom synth --holding residents --count 1000 --out residents.csv",
            "strongroom synth --catalog charter.yaml --holding calls --count 50000 --format jsonl --out calls.jsonl",
            "strongroom synth --holding posts | head",
        ],
        development=False,
    )
    found.add_argument(
        "--catalog", metavar="FILE", type=Path, help="a charter in YAML (default: the room's charter in force)"
    )
    found.add_argument("--holding", metavar="H", help="which holding (default: the only one)")
    found.add_argument("--count", metavar="N", type=int, default=100, help="how many records (default: %(default)s)")
    found.add_argument(
        "--seed", metavar="S", type=int, default=1, help="the same seed gives the same records (default: %(default)s)"
    )
    found.add_argument("--format", choices=("csv", "jsonl"), help="default: by the name of --out, otherwise csv")
    found.add_argument("--out", metavar="FILE", type=Path, help="a new file (default: stdout)")


def synth(call: Call) -> None:
    args, out = call.args, call.out
    if not 1 <= args.count <= MOST:
        call.usage(f"argument --count: want 1 to {MOST:,}")
    declared = _declared(call)
    name = args.holding or (next(iter(declared)) if len(declared) == 1 else "")
    if name not in declared:
        raise InputError(f"name a holding with --holding: {', '.join(sorted(declared))}")
    form = args.format or ("jsonl" if args.out and args.out.suffix in (".jsonl", ".ndjson") else "csv")
    found = records(declared[name], args.count, args.seed)
    with _target(args.out) as file:
        (_jsonl if form == "jsonl" else _csv)(file, list(declared[name].fields), found)
    if args.out:
        out.good(f"{count(args.count, 'synthetic record')} of {name}: {args.out}")
        out.document({"count": args.count, "file": str(args.out), "format": form, "holding": name, "seed": args.seed})


def _declared(call: Call) -> dict[str, Holding]:
    if call.args.catalog is None:
        with opened(call) as room:
            return room.rules().charter.holdings
    source = sources.load(call.args.catalog.read_bytes(), str(call.args.catalog))
    for finding in checks.check(source):
        if finding.level == "error":
            raise CatalogError(finding.place, finding.problem, finding.mend)
    return source.holdings


@contextmanager
def _target(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with writing.new(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()


def _csv(file: IO[str], names: list[str], found: Iterable[dict[str, str]]) -> None:
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)


def _jsonl(file: IO[str], names: list[str], found: Iterable[dict[str, str]]) -> None:
    for one in found:
        file.write(json.dumps({name: one[name] or None for name in names}, ensure_ascii=False) + "\n")
