"""The sections of a report (GDPR article 30; PIPL articles 55 and 56). What a custodian must say and the charter does not, ``about`` says."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.catalog import rules
from strongroom.catalog.model import Charter, Holding, Purpose
from strongroom.report.about import About
from strongroom.report.document import Command, Document, Section, Table
from strongroom.report.evidence import evidence, moment
from strongroom.report.facts import Facts
from strongroom.report.words import plain


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
        *evidence(facts, where),
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
        yield Section(name, (plain(purpose.about) + ".", Table(("", ""), tuple(_purpose(purpose)))), 3)
    yield Section(
        "These purposes, as they were signed", (Command(f"strongroom ledger entries {where} --index {at}"),), 3
    )


def _purpose(purpose: Purpose) -> Iterator[tuple[str, str]]:
    yield "Lawful basis", plain(purpose.lawful_basis)
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
            plain(holding.about),
            ", ".join(_persons(holding)),
            ", ".join(f"{field} ({declared.type})" for field, declared in sorted(holding.fields.items())),
            plain(holding.lawful_basis),
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
    days = "day" if holding.retention == 1 else "days"
    kept = f"{holding.retention:,} {days} after intake" if holding.retention else "open-ended"
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
                    ("Rules that forbid beyond the purposes", ", ".join(rules.names(charter.rules)) or "none"),
                ),
            ),
        ),
    )


def _said(about: About, member: str, more: str) -> str:
    """The custodian's words, and a sentence after them."""
    told = about.said(member)
    return f"{told}{'' if told[-1] in '.!?*' else '.'} {more}" if more else told


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
            _said(about, "sensitive", f"Images of persons may be in: {', '.join(images)}." if images else ""),
        ),
        ("55(2) automated decisions", about.said("automated")),
        (
            "55(3) entrusting, providing to others, publishing",
            _said(about, "entrusted", f"Purposes that export: {', '.join(exports) or 'none'}."),
        ),
        ("55(4) providing abroad", about.said("transfers")),
        (
            "55(5) other processing with a major impact",
            "Every purpose above that disclosed, with its counts, is under Reads by purpose and unit.",
        ),
        ("56 the assessment, kept three years", about.said("impact")),
    )
    return Section("Impact assessment (PIPL 55 and 56)", (Table(("Item", ""), rows),))
