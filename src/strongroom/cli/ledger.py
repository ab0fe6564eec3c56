"""``strongroom ledger``: show, prove and publish the book; verify and watch it from outside (SPEC.md section 5)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

from strongroom.cli import (
    ledger_entries,
    ledger_lives,
    ledger_source,
    ledger_watch,
    ledger_witnessed,
    rendering,
    writing,
)
from strongroom.cli.arguments import opened
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import count, moment
from strongroom.client import anchors
from strongroom.custody import book
from strongroom.errors import InputError
from strongroom.ledger import audit, entry, note
from strongroom.ledger.note import Verifier

TYPES = tuple(str(one.__struct_config__.tag) for one in get_args(entry.Entry))


def add(commands: Commands, name: str, about: str) -> None:
    group = commands.group(name, about)
    show = group.command(
        "show",
        "entries, as the vault's mirror holds them",
        shown,
        description="Entries of the ledger, as the vault's mirror holds them: the latest first, or one by its index.",
        examples=[
            "strongroom ledger show",
            "strongroom ledger show 17",
            "strongroom ledger show --last 50 --type disclosure",
        ],
    )
    show.add_argument("index", metavar="INDEX", type=int, nargs="?", help="show this entry whole")
    show.add_argument("--last", metavar="N", type=int, default=20, help="how many, from the end (default: %(default)s)")
    show.add_argument("--type", metavar="T", choices=TYPES, help=f"of this type alone: {', '.join(TYPES)}")
    prove = group.command(
        "prove",
        "the receipt of an entry, as a C2SP tlog-proof",
        proved,
        description="The receipt of an entry: a C2SP tlog-proof under the last checkpoint that the vault has cosigned.",
        examples=["strongroom ledger prove 17", "strongroom ledger prove 17 --out 17.tlog-proof"],
    )
    prove.add_argument("index", metavar="INDEX", type=int)
    prove.add_argument("--out", metavar="FILE", type=Path, help="write it there instead of to stdout")
    verify = group.command(
        "verify",
        "recompute a published ledger, trusting nothing but verifier keys",
        verified,
        description="""Recompute a published ledger: signatures, every tile from the entries below it, the root, each entry's form, order and
charter, what it says of keys destroyed, holds and erasures, the files of tags; and that it is the ledger which the vault has cosigned. It needs the files and a verifier key, no room. Take
the key from somewhere else than the files.""",
        examples=[
            "strongroom ledger verify",
            "strongroom ledger verify --from https://ledger.riverton.example --vkeys riverton.vkeys",
            "strongroom ledger verify --witnessed --policy mine.policy",
        ],
    )
    ledger_source.add(verify)
    verify.add_argument(
        "--genesis", metavar="HEX", help="the first charter's hash (default: the room's, with the room's keys)"
    )
    ledger_witnessed.add(verify)
    group.command(
        "publish",
        "have the keyholder publish the ledger now, and cosign it",
        publish,
        description="Have the keyholder publish the ledger as files now, rather than within seconds, and hand over the vault's cosignature.",
        examples=["strongroom ledger publish"],
        exits=REMOTE,
    )
    ledger_entries.add(group, TYPES)
    ledger_watch.add(group)


def shown(call: Call) -> int:
    args, out = call.args, call.out
    with opened(call) as room:
        if args.index is not None:
            item = book.entry_at(room, args.index)
            rendering.whole(out, args.index, item, rendering.known(room.mirror.charters()))
            out.document(rendering.document(args.index, item))
            return 0
        if args.last < 1:
            raise InputError("--last: want a number from 1")
        found = []
        for index, item in book.backwards(room):
            if args.type in (None, item.__struct_config__.tag):
                found.append((index, item))
            if len(found) == args.last:
                break
        charters = rendering.known(room.mirror.charters())
        out.table(rendering.HEADERS, [rendering.row(index, item, charters) for index, item in found], right="ENTRY")
        if not found:
            out.line(f"no {args.type or 'entry'} in the {count(room.mirror.size, 'entry', 'entries')} of the mirror")
        out.document({"entries": [rendering.document(*one) for one in found], "size": room.mirror.size})
    return 0


def proved(call: Call) -> int:
    args, out = call.args, call.out
    with opened(call) as room:
        text, size = book.receipt(room, args.index), room.mirror.size
    if args.out:
        writing.put(args.out, text)
        out.good(f"entry {args.index} is in the ledger at size {size}: {args.out}")
    else:
        out.raw(text)
    out.document({"index": args.index, "proof": text, "size": size, **({"file": str(args.out)} if args.out else {})})
    return 0


def verified(call: Call) -> int:
    out = call.out
    fetch, verifiers, where, genesis = ledger_source.of(call)
    if call.args.genesis is not None:
        genesis = anchors.genesis(call.args.genesis)
    with out.progress("verifying") as progress:
        found = audit.audit(fetch, verifiers, None, progress, policy=ledger_witnessed.own(call.args.policy))
    now = int(time.time())
    if call.args.witnessed:
        ledger_witnessed.verify(found, now)
    if genesis is not None and (not found.charters or found.charters[0].hash != genesis):
        raise InputError(f"{where}: it does not begin with the first charter of this room")
    out.good(f"{found.checkpoint.origin}: {count(found.size, 'entry', 'entries')}, everything recomputed")
    out.blank()
    rows: list[tuple[str, str | tuple[str, str]]] = [("from", where), ("root", found.root.hex())]
    rows += [("signed by", f"{one.name}  {kind(one)}") for one in found.signers]
    if found.times:
        rows.append(("time", f"{moment(found.times[0])} to {moment(found.times[1])} UTC"))
    rows.append(("entries", ", ".join(f"{number:,} {name}" for name, number in sorted(found.counts.items())) or "none"))
    rows.append(("tags", f"{found.tags:,}"))
    rows.append(("charters", f"{len(found.charters)}, each signed by a steward and public for its delay"))
    rows.append(("confirmed", _confirmed(found)))
    rows += ledger_witnessed.rows(found, now)
    out.pairs([*rows, *ledger_lives.rows(found)])
    ledger_lives.warn(out, found)
    overdue = found.silent_after is not None and now > found.silent_after
    if overdue:
        out.warn(
            "the last entry is over two heartbeats old: the keyholder is not running, or this is not its newest ledger"
        )
    out.document(
        {
            "charters": [
                {"effective": one.effective, "hash": one.hash, "version": one.version} for one in found.charters
            ],
            "confirmed": {"size": found.confirmed.size, "time": found.confirmed.time} if found.confirmed else None,
            "counts": found.counts,
            "last": found.times[1] if found.times else None,
            "lives": ledger_lives.document(found),
            "origin": found.checkpoint.origin,
            "overdue": overdue,
            "root": found.root,
            "signers": [one.vkey for one in found.signers],
            "size": found.size,
            "tags": found.tags,
            "verified": True,
            "witnessed": ledger_witnessed.document(found.policy, found.witnessed, found.fresh, now)
            if found.policy.witnesses
            else None,
        }
    )
    return 0


def _confirmed(found: audit.Audit) -> str | tuple[str, str]:
    if found.confirmed is None:
        return "by nobody: no cosignature of the vault says that it knows this ledger", "yellow"
    if found.confirmed.size == found.size:
        return "by the vault, all of it"
    return f"by the vault, the first {found.confirmed.size:,}, up to {moment(found.confirmed.time)} UTC"


def kind(verifier: Verifier) -> str:
    """How a signer signs, for people."""
    return {1: "Ed25519", 4: "Ed25519 cosignature", 6: "ML-DSA-44 cosignature"}.get(verifier.type, "")


def publish(call: Call) -> int:
    out = call.out
    with opened(call) as room:
        text = room.publish()
        found, signers = note.open_checkpoint(text, book.trusted(room))
    out.good(f"published {count(found.size, 'entry', 'entries')} in {call.room / 'public'}")
    out.pairs([("root", found.root.hex()), *[("signed by", f"{one.name}  {kind(one)}") for one in signers]])
    out.document({"checkpoint": text, "root": found.root, "signers": [one.vkey for one in signers], "size": found.size})
    return 0
