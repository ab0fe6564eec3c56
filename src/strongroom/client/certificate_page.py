"""A certificate of erasure in plain words, for the person whose record it was. It says what is proved, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

from strongroom.client.certificate import Erased, Verdict
from strongroom.seal.epoch import epoch_text


def page(verdict: Verdict, file: str) -> str:
    """Markdown. ``file`` is the name of the certificate that lies beside it."""
    charter, many = verdict.charter, len(verdict.records) > 1
    records = f"{len(verdict.records)} records" if many else "a record"
    them, were = ("them", "were") if many else ("it", "was")
    # The first charter may not have the holding yet; it has it from the day it was declared.
    about = charter.holdings[verdict.holding].about if verdict.holding in charter.holdings else ""
    lines = [
        f"# Erased, {'for good' if verdict.final else 'and final on ' + epoch_text(verdict.final_on)}",
        "",
        (
            f"{charter.name} kept {records} in its collection *{verdict.holding}*{f' ({about})' if about else ''}. This page says what "
            f"became of {them}, and how anybody can check it without having to believe {charter.name}."
        ),
        "",
        *_what(verdict, them),
        "",
        "## When",
        "",
    ]
    for one in verdict.records:
        lines += _record(one, many=many)
    lines += [
        *([] if many else [""]),
        "## How to check this",
        "",
        (
            f"The file `{file}` holds the signed statement of the keyholder and the entries of the public ledger that bear it out. On "
            "any computer, without any account:"
        ),
        "",
        "```",
        f"strongroom certificate verify {file} --genesis {verdict.genesis.hex()}",
        "```",
        "",
        (
            f"The long number names the room of {charter.name} for good. It is worth checking against another place: the custodian's "
            "published notice, the keyholder's site, a newspaper. Whoever would forge this page would have to forge it there too."
        ),
        "",
        "## What this does not say",
        "",
        (
            f"- What was read before the {'records' if many else 'record'} {were} erased is not taken back. Who read it, and when, "
            "stands in your list of reads (`strongroom subject reads`)."
        ),
        "- That the keyholder kept no second copy of a key it destroyed is its word. It has signed for it.",
        "",
        f"Said on {_moment(verdict.time)}, at entry {verdict.checkpoint.size} of the ledger `{verdict.checkpoint.origin}`.",
        "",
    ]
    return "\n".join(lines)


def _what(verdict: Verdict, them: str) -> list[str]:
    they = "they" if them == "them" else them
    if verdict.final:
        return [
            (
                f"Nobody can read {them} any more: not {verdict.charter.name}, not the keyholder, nobody who has an old copy. Every key by "
                f"which {they} could have been opened is destroyed, and the public ledger says so, key by key."
            )
        ]
    return [
        (
            f"The keyholder, a separate body, gives nobody what it takes to read {them}, whatever copy they have. **It is not final "
            f"yet.** Keys by which {they} could be opened still exist; the last one is destroyed on "
            f"**{epoch_text(verdict.final_on)}**, unless an authority orders that nothing be destroyed, which the ledger then shows. "
            "Ask for this certificate again after that day."
        )
    ]


def _record(one: Erased, *, many: bool) -> list[str]:
    lines = [f"Record `{one.handle.hex()}`:", ""] if many else []
    lines.append(f"- {_moment(one.time)}: erased (entry {one.entry} of the ledger)")
    for epoch, (index, time) in sorted(one.destroyed.items()):
        lines.append(f"- {_moment(time)}: the key of {epoch_text(epoch)} was destroyed (entry {index})")
    lines += [f"- {epoch_text(epoch)}: the key of this day is to be destroyed" for epoch in one.pending]
    if not many:
        lines += ["", f"The record's own random name was `{one.handle.hex()}`."]
    return [*lines, ""] if many else lines


def _moment(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC"
