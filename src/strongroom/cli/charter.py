"""``strongroom charter``: the rules in force, and the next ones (SPEC.md section 6)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from strongroom.canonical import encode
from strongroom.catalog import source as sources
from strongroom.catalog.model import Charter, Purpose
from strongroom.cli import arguments
from strongroom.cli.command import LOCAL, REMOTE, Call, Commands
from strongroom.cli.output import Output, count, moment
from strongroom.cli.reader import effect
from strongroom.custody import amendment, ceremony
from strongroom.errors import InputError


def add(commands: Commands, name: str, about: str) -> None:
    group = commands.group(name, about)
    show = group.command(
        "show",
        "the charter in force: holdings, purposes, who may read what",
        shown,
        description="Show the charter in force, or another of the ledger: what is held, for which purposes it is read, by whom, how much.",
        examples=["strongroom charter show", "strongroom charter show --version 2", "strongroom charter show --json"],
    )
    show.add_argument("--version", metavar="N", type=int, help="that of this version (default: the one in force)")
    apply = group.command(
        "apply",
        "make a changed YAML the next charter",
        applied,
        description="""Sign a changed YAML as the next charter and have it written into the ledger. It takes effect after the public delay of the
charter in force. Keys, roster and commitments stay; what would make sealed data unreadable is refused.""",
        examples=["strongroom charter apply room/steward/charter.yaml"],
        exits=REMOTE,
    )
    apply.add_argument("file", metavar="FILE", type=Path)
    provider = group.command(
        "provider",
        "the keys that an OpenID provider signs with, to be pinned",
        pinnable,
        description="""Fetch the keys that a provider publishes and print their thumbprints (RFC 7638), as a charter's providers name them. Compare
them with what the provider's people tell you by another way: whoever answers here could give keys of his own.""",
        examples=["strongroom charter provider https://login.example"],
        exits=LOCAL,
        development=False,
    )
    provider.add_argument("issuer", metavar="ISSUER", help="the provider's address, as its tokens have it under iss")


def pinnable(call: Call) -> int:
    from strongroom.service.identity import keyring  # noqa: PLC0415 - a server's library, which other commands need not wait for

    issuer: str = call.args.issuer
    found = asyncio.run(keyring.published(issuer))
    call.out.table(
        ["KEY", "ALGORITHMS", "THUMBPRINT"],
        [[kid or "-", ", ".join(key.algorithms), key.thumbprint] for kid, key in found],
    )
    if not found:
        call.out.line("it publishes no key of a kind that tokens may be signed with")
    keys = [{"algorithms": list(key.algorithms), "kid": kid, "thumbprint": key.thumbprint} for kid, key in found]
    call.out.document({"issuer": issuer, "keys": keys})
    return 0


def shown(call: Call) -> int:
    args, out = call.args, call.out
    with arguments.opened(call) as room:
        known = room.mirror.charters()
        wanted = room.rules().enacted
        if args.version is not None:
            at = next((one for one in known if one.charter.version == args.version), None)
            if at is None:
                raise InputError(
                    f"there is no charter version {args.version}; the ledger has 1 to {known[-1].charter.version}"
                )
            wanted = at
        now = max(room.now(), room.mirror.time)
    charter = wanted.charter
    out.line((f"{charter.name}, charter version {charter.version}", "bold"), (f"   entry {wanted.index}", "dim"))
    out.blank()
    out.pairs(
        [
            ("hash", wanted.hash.hex()),
            (
                "in force",
                effect(wanted.effective, now) if wanted.effective > now else f"since {moment(wanted.effective)} UTC",
            ),
            ("delay", f"{charter.delay / 3600:g} h before the next one takes effect"),
            ("room", f"at most {', '.join(charter.budgets.room) or 'no bound'}"),
        ]
    )
    for name, holding in charter.holdings.items():
        out.blank()
        out.line(("holding ", "dim"), (name, "bold"), (f"   {holding.about}", "dim"))
        kept = f"kept {count(holding.retention, 'day')}" if holding.retention else "kept until erased"
        out.line((f"{kept}, under keys that change every {count(holding.rotation, 'day')}", "dim"))
        out.table(
            ["COMPARTMENT", "ABOUT", "FIELD", "TYPE", "IDENTIFIER"],
            [
                [
                    compartment,
                    holding.compartments[compartment].person or "nobody",
                    field,
                    found.type,
                    "" if found.identifier == "none" else found.identifier,
                ]
                for compartment in sorted(holding.compartments, key=lambda one: holding.compartments[one].number)
                for field, found in holding.fields.items()
                if found.compartment == compartment
            ],
        )
    for name, purpose in charter.purposes.items():
        _purpose(out, name, purpose)
    if charter.rules.strip():
        out.blank()
        out.line(("rules of the custodian, in Cedar", "dim"))
        for line in charter.rules.rstrip().splitlines():
            out.line(line, indent=2)
    out.document(
        {
            "charter": json.loads(encode(charter)),
            "effective": wanted.effective,
            "entry": wanted.index,
            "hash": wanted.hash,
        }
    )
    return 0


def _purpose(out: Output, name: str, purpose: Purpose) -> None:
    out.blank()
    out.line(("purpose ", "dim"), (name, "bold"), (f"   {purpose.about}", "dim"))
    rows = [
        ("may", f"{', '.join(purpose.actions)}: {', '.join(purpose.roles)} of {', '.join(purpose.units)}"),
        ("lawful by", purpose.lawful_basis),
    ]
    for holding, fields in purpose.reads.items():
        masked = [field if mask == "clear" else f"{field} ({mask})" for field, mask in fields.items()]
        rows.append(("reads", f"{holding}: {', '.join(masked) or 'nothing'}"))
    rows += [("finds by", f"{holding}: {', '.join(kinds)}") for holding, kinds in purpose.finds.items()]
    for holding, asked in purpose.checks.items():
        tests = [f"{field} ({', '.join(names)})" for field, names in asked.items()]
        rows.append(("asks", f"{holding}: {', '.join(tests)}"))
    if purpose.countersign.roles:
        second = f"{', '.join(purpose.countersign.roles)} of {', '.join(purpose.countersign.units)}"
        rows.append(("only with", f"a second signature by {second}, of another unit"))
    also = [
        text
        for said, text in (
            (purpose.history, "sees old versions"),
            (purpose.held, "sees what a legal hold alone keeps"),
            (purpose.tells, "tells those whom it takes in"),
            ("intake" in purpose.actions and not purpose.tells, "takes in new records alone"),
        )
        if said
    ]
    if also:
        rows.append(("also", ", ".join(also)))
    if purpose.most:
        rows.append(("an export, at most", count(purpose.most, "record")))
    budgets = purpose.budgets
    for who, rates in (
        ("a reader", budgets.reader),
        ("a unit", budgets.unit),
        ("of one record", budgets.record),
        ("all", budgets.purpose),
    ):
        if rates:
            rows.append((f"{who}, at most", ", ".join(rates)))
    out.pairs(rows)


def applied(call: Call) -> int:
    args, out = call.args, call.out
    source = sources.load(args.file.read_bytes(), str(args.file))
    steward = ceremony.load_steward(call.room / "steward" / "steward.key")
    with arguments.opened(call) as room:
        room.sync()
        before: Charter = room.mirror.charters()[-1].charter
        changed = amendment.changes(before, source)
        with out.steps() as progress:
            enacted = amendment.apply(room, steward, source, progress)
        now = max(room.now(), room.mirror.time)
    out.good(f"charter version {enacted.charter.version} is in the ledger, entry {enacted.index}")
    out.pairs(
        [
            ("takes effect", effect(enacted.effective, now)),
            ("changes", f"{count(len(changed), 'place')}: {', '.join(changed)}"),
        ]
    )
    out.document(
        {
            "changes": changed,
            "effective": enacted.effective,
            "entry": enacted.index,
            "hash": enacted.hash,
            "version": enacted.charter.version,
        }
    )
    return 0
