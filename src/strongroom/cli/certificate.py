"""``strongroom certificate``: proof of an erasure, for the person it concerns, and its check by anybody (SPEC.md section 8.9)."""

from __future__ import annotations

from pathlib import Path

from strongroom.cli import arguments, writing
from strongroom.cli.command import LOCAL, REMOTE, Call, Commands
from strongroom.cli.output import count, moment
from strongroom.client import anchors, certificate, published
from strongroom.client.certificate import Verdict
from strongroom.client.certificate_page import page
from strongroom.custody import certificate as certificates
from strongroom.errors import CheckpointError, InputError
from strongroom.ledger.directory import Directory, verify_growth
from strongroom.ledger.note import open_checkpoint, verifier
from strongroom.seal.epoch import epoch_text


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        issue,
        description="""Have the keyholder certify that records are erased, verify it against the ledger, and write it twice: a file that anybody
can check with one number, and a page in plain words for the person. Before the erasure is final both say so, and from which day it is.""",
        examples=[
            "strongroom certificate --holding residents --record 5f1c...e2",
            "strongroom certificate verify erased-5f1cab77d0e2.json --genesis 68ab...",
        ],
        exits=REMOTE,
    )
    found.add_argument("--holding", metavar="H", help="the holding that the records were in")
    found.add_argument(
        "--record",
        metavar="HANDLE",
        action="append",
        default=[],
        help="32 hexadecimal digits; may be given more than once",
    )
    found.add_argument("--records-from", metavar="FILE", help="handles, one a line; - reads stdin")
    found.add_argument(
        "--out", metavar="FILE", type=Path, help="the file; the page stands beside it (default: ./erased-HANDLE.json)"
    )
    check = commands.under(found).command(
        "verify",
        "check a certificate of erasure; needs no room",
        verify,
        description="""Check a certificate of erasure, with one number had from elsewhere: the hash of the room's first charter, or the verifier key
of its log. With the published ledger at hand, also that this is the ledger everybody sees.""",
        examples=[
            "strongroom certificate verify erased-5f1cab77d0e2.json --genesis 68ab...",
            "strongroom certificate verify erased-5f1cab77d0e2.json --vkey riverton.example/ledger+0f3e...+AT... --ledger https://ledger.riverton.example",
        ],
        exits=LOCAL,
        development=False,
    )
    check.add_argument("file", metavar="FILE", type=Path)
    check.add_argument("--genesis", metavar="HEX", help="the first charter's hash")
    check.add_argument("--vkey", metavar="VKEY", help="the log's verifier key")
    check.add_argument(
        "--ledger", metavar="DIR|URL", help="the published ledger, which must begin with what the file proves"
    )


def issue(call: Call) -> int:
    args, out = call.args, call.out
    handles = arguments.handles(args.record, args.records_from)
    if not args.holding or not handles:
        call.usage("name the holding and the records: --holding H --record HANDLE")
    path: Path = args.out or Path(f"erased-{handles[0].hex()[:12]}.json")
    beside = path.with_suffix(".md")
    if beside == path:
        raise InputError(
            f"{path}: the page in plain words would take its place. Choose a name that does not end in .md"
        )
    with arguments.opened(call) as room:
        data, verdict = certificates.issue(room, args.holding, handles)
    # Whole or not at all: a person must not be handed half a certificate.
    writing.put(path, data)
    writing.put(beside, page(verdict, path.name))
    _show(call, verdict)
    out.pairs([("file", str(path)), ("page", str(beside))])
    out.document(_document(verdict) | {"file": str(path), "page": str(beside)})
    return 0


def verify(call: Call) -> int:
    args = call.args
    genesis = None if args.genesis is None else anchors.genesis(args.genesis)
    verdict = certificate.verify(args.file.read_bytes(), genesis=genesis, log=args.vkey)
    if args.ledger is not None:
        fetch = published.fetch_from(args.ledger)
        now, _ = open_checkpoint(Directory(fetch).note(), [verifier(verdict.charter.keyholder.log)])
        if now.size < verdict.checkpoint.size:
            raise CheckpointError(
                f"{args.ledger}: ends at {now.size} entries, and the certificate is of {verdict.checkpoint.size}. Was it published since?"
            )
        verify_growth(fetch, verdict.checkpoint, now)
    _show(call, verdict)
    if args.ledger is None:
        call.out.note("not compared with the published ledger: --ledger does that")
    call.out.document(_document(verdict) | {"published": args.ledger is not None})
    return 0


def _show(call: Call, verdict: Verdict) -> None:
    out, records = call.out, count(len(verdict.records), "record")
    if verdict.final:
        out.good(f"{records} of {verdict.holding} erased for good: no key is left that could open {_them(verdict)}")
    else:
        out.warn(
            f"{records} of {verdict.holding} erased, and not final yet: final on {epoch_text(verdict.final_on)}, if no hold stands"
        )
    rows = [
        ("room", f"{verdict.charter.name}, first charter {verdict.genesis.hex()}"),
        ("said", f"{moment(verdict.time)} UTC by the keyholder, at {verdict.checkpoint.size:,} entries"),
    ]
    for one in verdict.records:
        rows.append((one.handle.hex(), f"erased {moment(one.time)} UTC, entry {one.entry}"))
        rows += [
            ("", f"key of {epoch_text(epoch)} destroyed {moment(time)} UTC, entry {index}")
            for epoch, (index, time) in sorted(one.destroyed.items())
        ]
        rows += [("", f"key of {epoch_text(epoch)} still to be destroyed") for epoch in one.pending]
    out.pairs(rows)


def _them(verdict: Verdict) -> str:
    return "it" if len(verdict.records) == 1 else "them"


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "final": verdict.final,
        "final_on": epoch_text(verdict.final_on) if verdict.final_on else None,
        "genesis": verdict.genesis,
        "holding": verdict.holding,
        "name": verdict.charter.name,
        "records": [
            {
                "destroyed": [
                    {"entry": index, "epoch": epoch_text(epoch), "time": time}
                    for epoch, (index, time) in sorted(one.destroyed.items())
                ],
                "entry": one.entry,
                "handle": one.handle,
                "pending": [epoch_text(epoch) for epoch in one.pending],
                "time": one.time,
            }
            for one in verdict.records
        ],
        "size": verdict.checkpoint.size,
        "time": verdict.time,
    }
