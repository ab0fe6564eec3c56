"""``strongroom status``: how the room is."""

from __future__ import annotations

from strongroom.cli import arguments, ledger_witnessed
from strongroom.cli.command import LOCAL, Call, Commands
from strongroom.cli.output import BAD, GOOD, WARN, count, moment
from strongroom.cli.reader import effect
from strongroom.cli.upkeep import outlook_document, outlook_rows
from strongroom.custody.overview import Overview, overview
from strongroom.custody.schedule import Outlook


def add(commands: Commands, name: str, about: str) -> None:
    commands.command(
        name,
        about,
        status,
        description="How the room is: the charter in force and those to come, what is held, how far the ledger, the mirror and the\n"
        "published files are, and whether the keyholder answers. That it does not is no error here.",
        examples=["strongroom status", "strongroom status --json"],
        exits=LOCAL,
    )


def status(call: Call) -> int:
    with arguments.opened(call) as room:
        found = overview(room, call.room / "public")
        now = max(room.now(), found.time)
    _show(call, found, now)
    call.out.document(_document(call, found))
    return 0


def _show(call: Call, found: Overview, now: int) -> None:
    out = call.out
    out.line((found.name, "bold"), (f"   {call.room}", "dim"))
    out.blank()
    rows: list[tuple[str, str | tuple[str, str]]] = [
        (
            "charter",
            f"version {found.charter.charter.version}, since {moment(found.charter.effective)} UTC, {count(found.readers, 'reader')}",
        )
    ]
    rows += [("", (f"version {one.charter.version} from {effect(one.effective, now)}", WARN)) for one in found.pending]
    for row in found.holdings:
        versions = f", {count(row.versions, 'version')}" if row.versions != row.records else ""
        rows.append(("holding", f"{row.name}: {count(row.records, 'record')}{versions}"))
        rows += [
            ("", value)
            for one in found.standing
            if one.holding == row.name
            for value in _due(one.outlook, one.held_until)
        ]
    rows.append(("ledger", f"{count(found.mirror, 'entry', 'entries')} mirrored, the last of {moment(found.time)} UTC"))
    if found.published is None:
        rows.append(("published", ("not yet: strongroom ledger publish", WARN)))
    else:
        behind = found.mirror - found.published
        rows.append(
            ("published", f"{count(found.published, 'entry', 'entries')}{f', {behind} to come' if behind > 0 else ''}")
        )
    if found.keyholder is None:
        rows.append(("keyholder", ("does not answer: nothing can be read until it does", BAD)))
    else:
        rows.append(("keyholder", ("answers", GOOD)))
        rows += [("frozen", (scope, BAD)) for scope in found.keyholder.frozen]
        rows += ledger_witnessed.status(found.charter.charter, found.keyholder.witnessed, found.keyholder.time)
    rows += [("erased", (sentence, BAD)) for sentence in found.unasked]
    out.pairs(rows)
    if found.silence:
        out.note(found.silence)


def _due(outlook: Outlook, held_until: int | None) -> list[str | tuple[str, str]]:
    return [
        (f"{label}: {value[0]}", value[1]) if isinstance(value, tuple) else f"{label}: {value}"
        for label, value in outlook_rows(outlook, held_until)
    ]


def _document(call: Call, found: Overview) -> dict[str, object]:
    due = {one.holding: outlook_document(one.outlook, one.held_until) for one in found.standing}
    return {
        "charter": {
            "effective": found.charter.effective,
            "hash": found.charter.hash,
            "version": found.charter.charter.version,
        },
        "holdings": {
            row.name: {"records": row.records, "versions": row.versions, **due.get(row.name, {})}
            for row in found.holdings
        },
        "keyholder": None
        if found.keyholder is None
        else {
            "frozen": found.keyholder.frozen,
            "time": found.keyholder.time,
            "witnessed": ledger_witnessed.seen_document(
                found.charter.charter, found.keyholder.witnessed, found.keyholder.time
            ),
        },
        "ledger": {"known": found.ledger, "mirror": found.mirror, "published": found.published, "time": found.time},
        "name": found.name,
        "pending": [{"effective": one.effective, "version": one.charter.version} for one in found.pending],
        "readers": found.readers,
        "room": str(call.room),
        "unasked": list(found.unasked),
    }
