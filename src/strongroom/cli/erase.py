"""``strongroom erase``: records that are opened no more, and for good from a day that is printed (SPEC.md section 3.7)."""

from __future__ import annotations

from strongroom.cli import arguments
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import count, moment
from strongroom.custody import asking
from strongroom.custody.erase import Erased
from strongroom.custody.keydays import KeyDays
from strongroom.custody.room import Room
from strongroom.errors import InputError, StrongroomError
from strongroom.seal.epoch import epoch_text


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        erase,
        description="""Erase records. From now on the keyholder gives nothing of them, whatever copy they are put back from; their rows go when
their batches are sealed anew. It is final on the day that is printed, when the last key is destroyed that could have opened them,
unless a legal hold stands. The persons concerned will see it. It cannot be undone.""",
        examples=[
            "strongroom erase --as wu --countersigner rui --purpose erase --holding residents --by resident-id --case R-2031 --reason 'asked for by the person concerned'",
            "strongroom erase --as wu --countersigner rui --purpose erase --holding residents --records-from handles.txt --yes --case R-2031 --reason 'moved away more than ten years ago'",
        ],
        exits=REMOTE,
    )
    arguments.add_ask(found)
    found.add_argument("--yes", action="store_true", help="do not ask on the terminal whether it is meant")
    arguments.add_records(found)
    arguments.add_identifier(found, required=False)


def erase(call: Call) -> int:
    args, out = call.args, call.out
    parts: list[Erased] = []
    with arguments.opened(call) as room:
        mandate = arguments.mandate(call, room)
        handles, searched = arguments.whom(call, room, mandate)
        if handles:
            records = count(len(handles), "record")
            if not args.yes and not arguments.confirmed(f"Erase {records} of {mandate.holding}, for good?"):
                raise InputError("nothing was erased")
            try:
                with out.progress("erasing") as progress:
                    for part in asking.erase(room, mandate, handles):
                        parts.append(part)
                        progress(sum(len(one.handles) for one in parts), len(handles))
            except StrongroomError:
                if parts:
                    _show(call, room, mandate.holding, parts)
                raise
            _show(call, room, mandate.holding, parts)
            if before := len(handles) - sum(len(part.handles) for part in parts):
                out.note(f"{count(before, 'record')} of those named had been erased before.")
    out.document(
        {
            "asks": [{"entry": part.index, "receipt": part.receipt, "records": len(part.handles)} for part in parts],
            "final": _final(parts),
            "find": searched,
            "holding": mandate.holding,
            "records": [{"entry": part.index, "handle": handle} for part in parts for handle in part.handles],
        }
    )
    return 0


_SHOWN = 20


def _final(parts: list[Erased]) -> str | None:
    return epoch_text(max(part.final for part in parts)) if parts else None


def _show(call: Call, room: Room, holding: str, parts: list[Erased]) -> None:
    done = sum(len(part.handles) for part in parts)
    call.out.good(
        f"{count(done, 'record')} erased: the keyholder gives nothing of {'it' if done == 1 else 'them'} again"
    )
    handles = [handle.hex() for part in parts for handle in part.handles]
    # Nothing finds an erased record, and its certificate wants this.
    rows: list[tuple[str, str | tuple[str, str]]] = [("", handle) for handle in handles[:_SHOWN]]
    rows[0] = ("record" if done == 1 else "records", handles[0])
    if done > _SHOWN:
        rows.append(("", f"and {done - _SHOWN:,} more: --json has all"))
    rows.append(("final", f"{_final(parts)}, when the last key is destroyed that could have opened it"))
    held = KeyDays(room).of(holding).held_until(room.now())
    if held is not None:
        rows.append(("held", (f"no key is destroyed before {moment(held)} UTC: a legal hold stands", "yellow")))
    call.out.pairs(rows)
    call.out.line((f"strongroom certificate --holding {holding} --record {handles[0]}", "dim"))
    arguments.seen(call, done, [part.index for part in parts])
