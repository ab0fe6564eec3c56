"""What the ledger says happened: reads, refusals, keys destroyed, erasures, holds, changes of the rules; each with the commands that show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from strongroom.ledger import entry
from strongroom.report.document import Block, Command, Section, Table
from strongroom.report.facts import Facts, Key, Tally
from strongroom.report.words import plain

_ORIGIN = date(1970, 1, 1)


def evidence(facts: Facts, where: str) -> list[Section]:
    """All sections; ``where``: the options that name the ledger and its keys."""
    parts = (_reads, _taken_in, _refusals, _retention, _erasures, _holds, _rules)
    return [part(facts, where) for part in parts]


def _reads(facts: Facts, where: str) -> Section:
    """Whatever opened records, and finds: by purpose, unit, holding."""
    opened = ("find", "check", "disclosure", "correction", "export")
    found = sorted(
        ((key, tally) for key, tally in facts.tallies.items() if key.type in opened),
        key=lambda one: (one[0].purpose, one[0].unit, one[0].holding, opened.index(one[0].type)),
    )
    return Section("Reads by purpose and unit", _counted(facts, where, found, "Records", "Nobody read anything."))


def _taken_in(facts: Facts, where: str) -> Section:
    found = sorted((key, tally) for key, tally in facts.tallies.items() if key.type == "intake")
    return Section("Taken in", _counted(facts, where, found, "Identifiers", "Nothing was taken in."))


def _counted(
    facts: Facts, where: str, found: Sequence[tuple[Key, Tally]], counted: str, nothing: str
) -> tuple[Block, ...]:
    rows, commands = [], []
    for key, tally in found:
        places = f"{tally.first}" if tally.first == tally.last else f"{tally.first} to {tally.last}"
        counts = (f"{tally.entries:,}", f"{tally.records:,}", places)
        rows.append((key.purpose, key.unit, key.holding, key.type, *counts))
        options = f"--type {key.type} --purpose {key.purpose} --unit {key.unit} --holding {key.holding}"
        commands.append(_list(where, facts, options))
    headers = ("Purpose", "Unit", "Holding", "What", "Entries", counted, "From entry")
    return _listed(headers, rows, commands, nothing)


def _refusals(facts: Facts, where: str) -> Section:
    rows = [(by, code, f"{number:,}") for (by, code), number in sorted(facts.refused.items())]
    commands = [_list(where, facts, "--type refusal")] if rows else []
    return Section("Refusals", _listed(("By", "Code", "Asks"), rows, commands, "Nothing was refused."))


def _retention(facts: Facts, where: str) -> Section:
    found = [(one.index, each) for one in facts.expired.values() if isinstance(each := one.entry, entry.ExpiryEntry)]
    rows = [
        (each.holding, day(each.epoch), moment(each.time), each.key.hex()[:16], f"{index}")
        for index, each in sorted(found, key=lambda one: one[0])
        if each.time >= facts.since
    ]
    commands = [_list(where, facts, "--type expiry")] if rows else []
    headers = ("Holding", "Destroy by", "Destroyed (UTC)", "Key", "Entry")
    nothing = "No key's day came in this period."
    return Section("Retention: keys destroyed", _listed(headers, rows, commands, nothing))


def _erasures(facts: Facts, where: str) -> Section:
    rows = []
    for each in facts.erased:
        pending = facts.pending(each)
        if each.time < facts.since and not pending:
            continue
        final = "final" if not pending else f"final on {day(max(pending))}"
        rows.append(
            (moment(each.time), each.holding, each.purpose, each.unit, f"{each.records:,}", final, f"{each.index}")
        )
    headers = ("Erased (UTC)", "Holding", "Purpose", "Unit", "Records", "State", "Entry")
    commands = [_list(where, facts, "--type erasure")] if rows else []
    blocks = _listed(headers, rows, commands, "Nobody's record was erased.")
    said = "An erased record is refused at once. It is final when every key that the holding had then is destroyed: each has an expiry entry by then."
    return Section("Erasures", (said, *blocks))


def _holds(facts: Facts, where: str) -> Section:
    rows = [
        (each.holding, plain(each.authority), moment(each.time), moment(each.until), f"{one.index}")
        for one in facts.holds
        if isinstance(each := one.entry, entry.HoldEntry) and max(each.until, each.time) >= facts.since
    ]
    commands = [_list(where, facts, "--type hold")] if rows else []
    headers = ("Holding", "By order of", "From (UTC)", "Until (UTC)", "Entry")
    return Section("Legal holds", _listed(headers, rows, commands, "None stands."))


def _rules(facts: Facts, where: str) -> Section:
    rows = [
        (
            f"version {each.charter.version}" if each.charter else "of a later schema",
            moment(each.time),
            moment(each.effective),
            f"{each.index}",
        )
        for each in facts.charters
        if each.time >= facts.since
    ]
    noted = [
        (f"notice: {each.code} {each.scope}".strip(), moment(each.time), "", f"{one.index}")
        for one in facts.notices
        if isinstance(each := one.entry, entry.NoticeEntry)
    ]
    rows = sorted(rows + noted, key=lambda row: int(row[-1]))
    headers = ("What", "Written (UTC)", "In force (UTC)", "Entry")
    commands = [_list(where, facts, "--type charter"), _list(where, facts, "--type notice")] if rows else []
    return Section(
        "Changes of the rules, and notices", _listed(headers, rows, commands, "The rules stayed as they were.")
    )


def _listed(
    headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], commands: Sequence[str], nothing: str
) -> tuple[Block, ...]:
    if not rows:
        return (nothing,)
    return (Table(headers, tuple(rows)), Command("\n".join(commands)))


def _list(where: str, facts: Facts, options: str) -> str:
    return f"strongroom ledger entries {where} {options} --since {_option(facts.since)} --until {_option(facts.until)}"


def _option(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(epoch: int) -> str:
    """YYYY-MM-DD of days since 1970."""
    return (_ORIGIN + timedelta(days=epoch)).isoformat()


def moment(time: int) -> str:
    """A POSIX second, in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
