"""Every read of me, on a screen: what was read, by which unit, for what; and whether a number is missing."""

from __future__ import annotations

from strongroom.cli import rendering
from strongroom.cli.output import Output, count, moment
from strongroom.client.subject import ChainView, Read, View
from strongroom.ledger import entry


def show(out: Output, view: View) -> None:
    """All chains of a person, then the verdict."""
    for chain in view.chains:
        generation = f", generation {chain.generation}" if chain.generation > 1 else ""
        out.line((chain.holding, "bold"), (f"   found by {chain.kind}{generation}", "dim"))
        if chain.reads or chain.missing:
            out.table(
                ["NO", "TIME (UTC)", "WHAT", "PURPOSE", "UNIT", "ROLE", "ENTRY"],
                [_row(chain, number, view) for number in sorted({*chain.missing, *(read.n for read in chain.reads)})],
                right="NO ENTRY",
            )
        else:
            out.line("no read", indent=2)
        _verdict(out, chain)
        out.blank()
    at = view.checkpoint
    out.line(
        (
            f"held against all {count(at.size, 'entry', 'entries')} of {at.origin}, signed by {', '.join(view.signers)}",
            "dim",
        )
    )


def _row(chain: ChainView, number: int, view: View) -> list[rendering.Cell]:
    read = next((one for one in chain.reads if one.n == number), None)
    if read is None:
        return [(str(number), "bold red"), "", ("MISSING", "bold red"), "", "", "", ""]
    item = read.entry
    purpose, unit, role = (getattr(item, member, "") for member in ("purpose", "unit", "role"))
    style = "bold red" if number in chain.beyond else ""
    return [
        (str(number), style),
        (moment(item.time), "dim"),
        (_what(read, view), style),
        purpose,
        unit,
        role,
        str(read.index),
    ]


def _what(read: Read, view: View) -> str:
    if isinstance(read.entry, entry.DisclosureEntry):
        return f"read {rendering.compartments(read.entry, view.charters)}"
    return "asked whether I am here"


def _verdict(out: Output, chain: ChainView) -> None:
    found = sum(read.n <= chain.count for read in chain.reads)
    if chain.complete:
        out.good(f"complete: {found} of {chain.count}")
        return
    if chain.missing:
        listed = ", ".join(str(number) for number in chain.missing[:12]) + (", ..." if len(chain.missing) > 12 else "")
        out.bad(f"GAP: {found} of {chain.count}. Missing from the published ledger: number {listed}")
    if chain.beyond:
        out.bad(
            f"HIDDEN: the ledger has {count(len(chain.beyond), 'read')} of you beyond the {chain.count} that the keyholder counted"
        )
    out.line(
        "Somebody keeps a read from you. Save this screen and the ledger's checkpoint, and take both to the supervisory",
        indent=2,
    )
    out.line("authority: the keyholder has signed the count, and the ledger cannot be changed any more.", indent=2)


def document(view: View) -> dict[str, object]:
    return {
        "chains": [
            {
                "beyond": list(chain.beyond),
                "complete": chain.complete,
                "count": chain.count,
                "generation": chain.generation,
                "holding": chain.holding,
                "kind": chain.kind,
                "missing": list(chain.missing),
                "reads": [
                    {"number": read.n, "what": _what(read, view), **rendering.document(read.index, read.entry)}
                    for read in chain.reads
                ],
            }
            for chain in view.chains
        ],
        "checkpoint": {"origin": view.checkpoint.origin, "root": view.checkpoint.root, "size": view.checkpoint.size},
        "complete": view.complete,
        "signers": list(view.signers),
    }
