"""``strongroom check``: a question about a field, answered without its value (SPEC.md section 7.5)."""

from __future__ import annotations

from typing import Any, get_args

from strongroom.catalog.model import Test
from strongroom.cli import arguments
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.custody import asking
from strongroom.custody.check import Checked
from strongroom.errors import StrongroomError

_WORDS: dict[bool | None, tuple[str, str]] = {True: ("yes", "green"), False: ("no", "yellow"), None: ("-", "dim")}


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        check,
        description="""Ask whether a field's value is of an adult, lies in a district, or is the one that somebody gave, and be told yes, no or
nothing, never the value. What to compare with is asked for, or read from stdin (after the identifier, where --by asks for one). Each
question is an entry in the ledger, and the persons concerned will see it.""",
        examples=[
            "strongroom check --as chen --purpose confirm-age --field born --test adult --by resident-id --case D-9 --reason 'applies for a permit at the desk'",
            "strongroom check --as he --purpose assign-school --field district --test matches --case A-114 --reason '核对入学片区' --records-from handles.txt < district.txt",
        ],
        exits=REMOTE,
    )
    arguments.add_ask(found)
    found.add_argument("--field", metavar="F", required=True, help="the field that is asked about")
    found.add_argument("--test", metavar="T", required=True, choices=get_args(Test), help=", ".join(get_args(Test)))
    arguments.add_records(found)
    arguments.add_identifier(found, required=False)


def check(call: Call) -> int:
    args, out = call.args, call.out
    parts: list[Checked] = []
    with arguments.opened(call) as room:
        mandate = arguments.mandate(call, room)
        handles, searched = arguments.whom(call, room, mandate)
        if handles:
            value = None if args.test == "adult" else arguments.secret(f"{args.field} to compare with")
            try:
                with arguments.naming(args.field), out.progress("asking") as progress:
                    for part in asking.check(room, mandate, handles, args.field, args.test, value):
                        parts.append(part)
                        progress(sum(len(one.handles) for one in parts), len(handles))
            except StrongroomError:
                if parts:
                    _show(call, parts)
                raise
            _show(call, parts)
    out.document(
        {
            "asks": [{"entry": part.index, "receipt": part.receipt, "records": len(part.handles)} for part in parts],
            "field": args.field,
            "find": searched,
            "holding": mandate.holding,
            "records": [
                {"answer": answer, "entry": part.index, "handle": handle}
                for part in parts
                for handle, answer in zip(part.handles, part.answers, strict=True)
            ],
            "test": args.test,
        }
    )
    return 0


def _show(call: Call, parts: list[Checked]) -> None:
    rows: list[list[Any]] = [
        [(handle.hex(), "dim"), _WORDS[answer]]
        for part in parts
        for handle, answer in zip(part.handles, part.answers, strict=True)
    ]
    call.out.table(["RECORD", f"{call.args.field} {call.args.test}"], rows)
    if any(answer is None for part in parts for answer in part.answers):
        call.out.note("-: the record has no value that could tell")
    arguments.seen(call, len(rows), [part.index for part in parts])
