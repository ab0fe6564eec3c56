"""The sections of a report (GDPR article 30; PIPL articles 55 and 56). What a custodian must say and the charter does not, ``about`` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from strongroom.catalog.model import Charter, Holding, Purpose
from strongroom.ledger import entry
from strongroom.report.about import About
from strongroom.report.document import Block, Command, Document, Section, Table
from strongroom.report.facts import Facts

_ORIGIN = date(1970, 1, 1)


def report(facts: Facts, charter: Charter, about: About, where: str) -> Document:
    """The whole report. ``where``: the options that name the ledger and its keys, as the commands in it repeat them."""
    first, last = moment(facts.since), moment(min(facts.until, facts.last + 1))
    sections = [
        _how(where),
        _controller(about),
        *_processing(charter, facts, where),
        _holdings(charter),
        _recipients(about),
        _measures(charter),
        _impact(charter, about),
        _reads(facts, where),
        _refusals(facts, where),
        _retention(facts, where),
        _erasures(facts, where),
        _holds(facts, where),
        _rules(facts, where),
    ]
    lead = (
        (
            f"From {first} to {last} UTC. Made from the charter in force at the end (version {charter.version}) and from "
            f"{facts.entries:,} entries of the public ledger, each of which was verified. It holds no personal data."
        ),
    )
    return Document(f"Record of processing: {charter.name}", lead, tuple(sections))


def _how(where: str) -> Section:
    return Section(
        "How to verify this report",
        (
            (
                "Nothing here has to be believed. The ledger is public; the first command recomputes all of it, and every section ends with the "
                "commands that show the entries it counts. Take the verifier keys and the hash of the first charter from somewhere else than "
                "from whoever gave you this page."
            ),
            Command(f"strongroom ledger verify {where}"),
        ),
    )


def _controller(about: About) -> Section:
    rows = (
        ("Controller", about.said("controller")),
        ("Contact", about.said("contact")),
        ("Representative, joint controllers", about.said("representative")),
        ("Data protection officer", about.said("officer")),
    )
    return Section("Controller (GDPR 30(1)(a))", (Table(("", ""), rows),))


def _processing(charter: Charter, facts: Facts, where: str) -> Iterator[Section]:
    yield Section(
        "Purposes of processing (GDPR 30(1)(b))",
        (
            (
                "A purpose reads what stands here and nothing else: the keyholder gives no key for other compartments. Budgets bound it; what is "
                "refused is written down too."
            ),
        ),
    )
    at = next((each.index for each in reversed(facts.charters) if each.charter == charter), 0)
    for name, purpose in sorted(charter.purposes.items()):
        yield Section(name, (_plain(purpose.about) + ".", Table(("", ""), tuple(_purpose(purpose)))), 3)
    yield Section(
        "These purposes, as they were signed", (Command(f"strongroom ledger entries {where} --index {at}"),), 3
    )


def _purpose(purpose: Purpose) -> Iterator[tuple[str, str]]:
    yield "Lawful basis", _plain(purpose.lawful_basis)
    yield "May", ", ".join(purpose.actions)
    yield "Who", f"{', '.join(purpose.roles)} of {', '.join(purpose.units)}"
    for holding, reads in sorted(purpose.reads.items()):
        shown = ", ".join(field if mask == "clear" else f"{field} ({mask})" for field, mask in sorted(reads.items()))
        if shown:
            yield f"Reads of {holding}", shown
    for holding, kinds in sorted(purpose.finds.items()):
        yield f"Looks people up in {holding} by", ", ".join(kinds)
    for holding, tests in sorted(purpose.checks.items()):
        asked = "; ".join(f"{field}: {', '.join(found)}" for field, found in sorted(tests.items()))
        yield f"Asks of {holding}, without seeing the value", asked
    if purpose.history:
        yield "Old versions", "may be read"
    if purpose.held:
        yield "Under a legal hold", "reads what is past its date"
    if purpose.tells:
        yield "Persons concerned", "find each intake in their own chain"
    if purpose.most:
        yield "Export", f"at most {purpose.most:,} records each"
    if purpose.countersign.roles:
        other = purpose.countersign
        yield (
            "Second signature",
            f"{', '.join(other.roles)} of {', '.join(other.units)}, of another unit than the asker's",
        )
    budgets = purpose.budgets
    rates = (
        ("a reader", budgets.reader),
        ("a unit", budgets.unit),
        ("a record", budgets.record),
        ("all", budgets.purpose),
    )
    yield "Budgets", "; ".join(f"{who}: {', '.join(each)}" for who, each in rates if each) or "none"


def _holdings(charter: Charter) -> Section:
    rows = [
        (
            name,
            _plain(holding.about),
            ", ".join(_persons(holding)),
            ", ".join(f"{field} ({declared.type})" for field, declared in sorted(holding.fields.items())),
            _plain(holding.lawful_basis),
            _kept(holding),
        )
        for name, holding in sorted(charter.holdings.items())
    ]
    headers = ("Holding", "What", "Persons", "Categories of data", "Lawful basis", "Erased")
    return Section(
        "Categories of persons and of data, and when they are erased (GDPR 30(1)(c) and (f))",
        (
            Table(headers, tuple(rows)),
            "Retention destroys keys: what is past its date cannot be opened by anybody, whatever copies there are.",
        ),
    )


def _persons(holding: Holding) -> list[str]:
    return sorted({each.person for each in holding.compartments.values() if each.person}) or ["nobody"]


def _kept(holding: Holding) -> str:
    kept = f"{holding.retention:,} days after intake" if holding.retention else "open-ended"
    return f"{kept}; an erasure is final within {2 * holding.rotation} days"


def _recipients(about: About) -> Section:
    rows = (
        ("Recipients outside the units named above (GDPR 30(1)(d))", about.said("recipients")),
        ("Transfers to other countries (GDPR 30(1)(e); PIPL 55(4))", about.said("transfers")),
    )
    return Section("Recipients and transfers", (Table(("", ""), rows),))


def _measures(charter: Charter) -> Section:
    room = ", ".join(charter.budgets.room) or "none"
    return Section(
        "Technical and organisational measures (GDPR 30(1)(g) and 32; PIPL 51)",
        (
            (
                "Records are sealed compartment by compartment. The vault that holds them has no second key; the keyholder, an independent body, has it, and "
                "gives a share only in the transaction that writes the read into the public ledger. Identifiers are blinded. Every read names a reader's "
                "device, a purpose, a case and a reason, which are kept sealed for the auditor."
            ),
            Table(
                ("Measure", "As the charter has it"),
                (
                    ("A new charter stands in public before it holds", f"{charter.delay:,} s"),
                    ("The ledger says that it is alive", f"every {charter.heartbeat:,} s"),
                    ("Budget of the whole room", room),
                    ("Stewards who sign the charter", f"{len(charter.stewards)}"),
                    ("Rules that forbid beyond the purposes", f"{charter.rules.count('@id(')}"),
                ),
            ),
        ),
    )


def _impact(charter: Charter, about: About) -> Section:
    exports = sorted(name for name, purpose in charter.purposes.items() if "export" in purpose.actions)
    images = sorted(
        f"{name}.{field}"
        for name, holding in charter.holdings.items()
        for field, declared in holding.fields.items()
        if declared.type == "image"
    )
    rows = (
        (
            "55(1) sensitive personal information",
            about.said("sensitive") + (f" Images of persons may be in: {', '.join(images)}." if images else ""),
        ),
        ("55(2) automated decisions", about.said("automated")),
        (
            "55(3) entrusting, providing to others, publishing",
            about.said("entrusted") + f" Purposes that export: {', '.join(exports) or 'none'}.",
        ),
        ("55(4) providing abroad", about.said("transfers")),
        (
            "55(5) other processing with a major impact",
            "Every purpose above that disclosed, with its counts, is under Reads by purpose and unit.",
        ),
        ("56 the assessment, kept three years", about.said("impact")),
    )
    return Section("Impact assessment (PIPL 55 and 56)", (Table(("Item", ""), rows),))


def _reads(facts: Facts, where: str) -> Section:
    rows, commands = [], []
    for key, tally in facts.reads():
        rows.append(
            (
                key.purpose,
                key.unit,
                key.holding,
                key.type,
                f"{tally.entries:,}",
                f"{tally.records:,}",
                f"{tally.first} to {tally.last}",
            )
        )
        commands.append(
            _list(where, facts, f"--type {key.type} --purpose {key.purpose} --unit {key.unit} --holding {key.holding}")
        )
    headers = ("Purpose", "Unit", "Holding", "What", "Entries", "Records", "From entry")
    return Section("Reads by purpose and unit", _listed(headers, rows, commands, "Nobody read anything."))


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
        (each.holding, _plain(each.authority), moment(each.time), moment(each.until), f"{one.index}")
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


def _plain(text: str) -> str:
    """A charter's own words, which must not set type here."""
    return text.strip().rstrip(".").replace("`", "'").replace("*", "\u2217")
