"""Every read of me, on a screen: what was read, by which unit, for what; and whether a number is missing."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.cli import rendering
from strongroom.cli.output import Output, count, moment
from strongroom.client.subject import ChainView, Read, View
from strongroom.ledger import entry


def show(out: Output, view: View) -> None:
    """All chains of a person, then the verdict, then what it rests on."""
    for chain in view.chains:
        last = max(one.generation for one in view.chains)
        generation = f", generation {chain.generation} of {last}" if last > 1 else ""
        out.line((chain.holding, "bold"), (f"   found by {chain.kind}{generation}", "dim"))
        if chain.reads or chain.missing:
            rows = [(read.n, _row(chain, read, view)) for read in chain.reads]
            rows += [(n, _gap(n)) for n in set(chain.missing) - {read.n for read in chain.reads}]
            out.table(
                ["NO", "TIME (UTC)", "WHAT", "PURPOSE", "UNIT", "ROLE", "ENTRY"],
                [row for _, row in sorted(rows, key=lambda one: one[0])],
                right="NO ENTRY",
            )
        else:
            out.line("no read", indent=2)
        _verdict(out, chain)
        out.blank()
    _ground(out, view)


def _ground(out: Output, view: View) -> None:
    at, confirmed = view.checkpoint, view.confirmed
    out.line(
        (
            f"held against all {count(at.size, 'entry', 'entries')} of {at.origin}, signed by {', '.join(view.signers)}",
            "dim",
        )
    )
    whole = (
        "all of them"
        if confirmed.size == at.size
        else f"the first {confirmed.size:,}, up to {moment(confirmed.time)} UTC"
    )
    out.line((f"the vault has confirmed {whole}", "dim"))
    if view.behind:
        out.warn(
            f"the vault has confirmed nothing since {moment(confirmed.time)} UTC: a read since then could still be kept from you."
            " Look again after the custodian has run: strongroom ledger publish"
        )
    if view.unwitnessed:
        out.warn(
            f"no quorum of witnesses vouches for this ledger ({view.unwitnessed}): vault and keyholder together could have made it for"
            " you alone. Look again later, and ask a witness"
        )
    if view.overdue:
        out.bad(
            f"SILENT: the last entry is of {moment(view.time)} UTC, over two heartbeats ago. The keyholder is not running, or this is"
            " not its newest ledger: it shows no read since"
        )


def _gap(number: int) -> list[rendering.Cell]:
    return [(str(number), "bold red"), "", ("MISSING", "bold red"), "", "", "", ""]


def _row(chain: ChainView, read: Read, view: View) -> list[rendering.Cell]:
    item = read.entry
    purpose, unit, role = (getattr(item, member, "") for member in ("purpose", "unit", "role"))
    style = "bold red" if read.n in chain.beyond or read.n in chain.repeated else ""
    return [
        (str(read.n), style),
        (moment(item.time), "dim"),
        (_what(read, view), style),
        purpose,
        unit,
        role,
        str(read.index),
    ]


def _what(read: Read, view: View) -> str:
    return _done(read, view) + rendering.countersigned(read.entry)


def _done(read: Read, view: View) -> str:
    match read.entry:
        case entry.DisclosureEntry() | entry.CheckEntry() | entry.CorrectionEntry() | entry.ExportEntry() as opened:
            return rendering.done(opened, view.charters)
        case entry.ErasureEntry():
            final = view.waiting.get(read.index)
            return "erased, final" if final is None else f"erased, final on {rendering.day(final)}"
        case entry.IntakeEntry():
            return "taken in"
        case _:
            return "asked whether I am here"


def _verdict(out: Output, chain: ChainView) -> None:
    found = len({read.n for read in chain.reads if read.n <= chain.count})
    late = [read.n for read in chain.reads if not read.confirmed]
    if chain.complete:
        out.good(f"complete: {found} of {chain.count}")
        if late:
            out.line((f"not yet confirmed by the vault: number {_listed(late)}", "dim"))
        return
    if chain.missing:
        out.bad(f"GAP: {found} of {chain.count}. Missing from the published ledger: number {_listed(chain.missing)}")
    if chain.beyond:
        out.bad(
            f"HIDDEN: the ledger has {count(len(chain.beyond), 'read')} of you beyond the {chain.count} that the keyholder counted:"
            f" number {_listed(chain.beyond)}"
        )
    if chain.repeated:
        out.bad(
            f"HIDDEN: several reads of you have one number, so that they count as one: number {_listed(chain.repeated)}"
        )
    out.line(
        "Somebody keeps a read from you. Save this screen and the ledger's checkpoint, and take both to the supervisory",
        indent=2,
    )
    out.line("authority: the keyholder has signed the count, and the ledger cannot be changed any more.", indent=2)


def _listed(numbers: Sequence[int]) -> str:
    distinct = sorted(set(numbers))
    return ", ".join(str(number) for number in distinct[:12]) + (", ..." if len(distinct) > 12 else "")


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
                    {
                        "confirmed": read.confirmed,
                        "number": read.n,
                        "what": _what(read, view),
                        **rendering.document(read.index, read.entry),
                    }
                    for read in chain.reads
                ],
                "repeated": list(chain.repeated),
            }
            for chain in view.chains
        ],
        "checkpoint": {"origin": view.checkpoint.origin, "root": view.checkpoint.root, "size": view.checkpoint.size},
        "complete": view.complete,
        "confirmed": {
            "behind": view.behind,
            "root": view.confirmed.checkpoint.root,
            "size": view.confirmed.size,
            "time": view.confirmed.time,
        },
        "overdue": view.overdue,
        "unwitnessed": view.unwitnessed or None,
        "signers": list(view.signers),
    }
