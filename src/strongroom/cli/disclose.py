"""``strongroom disclose``: fields of records, for a purpose, with a receipt (SPEC.md sections 7.2 and 8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from strongroom.canonical import encode
from strongroom.cli import arguments, images, writing
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.client import messages
from strongroom.custody import asking
from strongroom.custody.read import Disclosed
from strongroom.custody.room import Room
from strongroom.errors import StrongroomError


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        disclose,
        description="""Read fields of records for a purpose of the charter, clear or masked as it says. Up to 1,000 records go into one ask; each
ask has one entry and one receipt. The persons concerned will see it.""",
        examples=[
            "strongroom disclose --as chen --purpose confirm-identity --fields name,born --by resident-id --case R-2031 --reason 'moves to another district'",
            "strongroom disclose --as chen --purpose confirm-identity --fields name --records-from handles.txt --receipt receipts --case R-2031 --reason 'yearly check of the register'",
            "strongroom disclose --as chen --purpose confirm-identity --fields name --case R-2031 --reason 'moves to another district' --sign-only HANDLE > ask.json",
            "strongroom disclose --as rui --countersigner wu --purpose review-changes --fields address --version 1 --case R-2031 --reason 'the change of March is disputed' --records-from handles.txt",
        ],
        exits=REMOTE,
    )
    arguments.add_ask(found)
    found.add_argument("--fields", metavar="A,B", required=True, help="the fields, parted by commas")
    found.add_argument(
        "--version",
        metavar="N",
        type=arguments.version,
        default=0,
        help="that old version of each record, where the purpose may see old ones (default: the newest)",
    )
    found.add_argument("--images", metavar="DIR", type=Path, help="write images there, a file each; new or empty")
    found.add_argument("--receipt", metavar="DIR", type=Path, help="write each entry and its C2SP tlog-proof there")
    found.add_argument(
        "--sign-only",
        action="store_true",
        help="ask nothing: print the signed ask, for POST /v1/disclosures within two minutes (docs/api.md)",
    )
    arguments.add_records(found)
    arguments.add_identifier(found, required=False)


def disclose(call: Call) -> int:
    args, out = call.args, call.out
    fields = arguments.names(args.fields)
    if args.sign_only:
        return _sign(call, fields)
    pictures = images.prepared(args.images) if args.images else None
    parts: list[Disclosed] = []
    with arguments.opened(call) as room:
        mandate = arguments.mandate(call, room)
        holding = mandate.holding
        handles, searched = arguments.whom(call, room, mandate)
        if not handles:
            out.document({"asks": [], "find": searched, "holding": holding, "records": []})
            return 0
        masks, drawn = asking.masks(room, args.purpose, holding), asking.images(room, holding)
        try:
            with out.progress("reading") as progress:
                for part in asking.disclose(room, mandate, handles, fields, args.version):
                    parts.append(_with_files(part, pictures, drawn) if pictures else part)
                    progress(sum(len(one.handles) for one in parts), len(handles))
                    _keep(room, args.receipt, part)
        except StrongroomError:
            # What was read before the refusal was read, and stands in the ledger: it is shown.
            if parts:
                _show(call, parts, fields, masks, frozenset() if pictures else drawn)
            raise
        _show(call, parts, fields, masks, frozenset() if pictures else drawn)
    out.document(
        {
            "asks": [{"entry": part.index, "receipt": part.receipt, "records": len(part.handles)} for part in parts],
            "find": searched,
            "holding": holding,
            "masks": {field: masks.get(field, "") for field in sorted(set(fields))},
            "records": [
                {"entry": part.index, "fields": values, "handle": handle}
                for part in parts
                for handle, values in zip(part.handles, part.values, strict=True)
            ],
            "version": args.version or None,
        }
    )
    return 0


def _sign(call: Call, fields: Sequence[str]) -> int:
    args, out = call.args, call.out
    if args.by or args.images or args.receipt:
        call.usage("--sign-only asks nothing: name records by their handles, without --by, --images and --receipt")
    handles = arguments.handles(args.handles, args.records_from)
    with arguments.opened(call) as room:
        signed = asking.asks_to_disclose(room, arguments.mandate(call, room), handles, fields, args.version)
        found = [encode(messages.evidence(one)).decode() for one in signed]
    for text in found:
        out.raw(f"{text}\n")
    out.document({"asks": [json.loads(text) for text in found]})
    return 0


def _with_files(part: Disclosed, directory: Path, drawn: frozenset[str]) -> Disclosed:
    rows = zip(part.handles, part.values, strict=True)
    return replace(part, values=tuple(images.written(directory, drawn, *row) for row in rows))


def _show(
    call: Call, parts: Sequence[Disclosed], fields: Sequence[str], masks: dict[str, str], drawn: frozenset[str]
) -> None:
    shown = list(dict.fromkeys(fields))
    headers = [name if masks.get(name, "clear") == "clear" else f"{name} ({masks[name]})" for name in shown]
    rows: list[list[Any]] = [
        [(handle.hex(), "dim"), *[_cell(values[name], name in drawn) for name in shown]]
        for part in parts
        for handle, values in zip(part.handles, part.values, strict=True)
    ]
    call.out.table(["RECORD", *headers], rows)
    arguments.seen(call, len(rows), [part.index for part in parts])


def _cell(value: str | None, drawn: bool) -> str | tuple[str, str]:
    if value is None:
        return "-", "dim"
    return (images.word(value), "dim") if drawn else value


def _keep(room: Room, directory: Path | None, part: Disclosed) -> None:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        writing.put(directory / f"{part.index}.tlog-proof", part.receipt)
        writing.put(directory / f"{part.index}.entry.json", room.mirror.entry(part.index))
