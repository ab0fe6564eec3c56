"""``strongroom keyholder expire`` and ``recover``: what is done to the keyholder's own book and keys, on its own machine (SPEC.md
sections 8.9 and 8.10)."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from strongroom.cli import arguments
from strongroom.cli.command import Call, Commands
from strongroom.cli.output import count, moment
from strongroom.errors import InputError, StoreError
from strongroom.keyholder import expiry, files, recovery
from strongroom.keyholder.core import Keyholder
from strongroom.seal.epoch import epoch_text
from strongroom.store.vault import VaultStore

_PAGE = 1000
# A keyholder that runs looks every 5 s, and has each key's overwriting to wait for.
_WAIT_SECONDS = 30.0


def add(actions: Commands) -> None:
    found = actions.command(
        "expire",
        "destroy the keys whose day has come",
        expire,
        description="""Destroy the keys whose day has come, but for those that a legal hold keeps, and write so into the ledger. A keyholder
that runs does this by itself within seconds of a request of the vault, of at most a day ago, that is dated as its own clock is; then
this waits until it has. Where none runs, and the last entry is over two heartbeats old, you are asked whether the clock is right:
what is destroyed under a wrong one is gone. A file system or a disk may keep copies of what was
overwritten: put the keyholder's directory where it does not, or on an encrypted disk.""",
        examples=["strongroom keyholder expire --dry-run", "strongroom keyholder expire"],
        development=False,
    )
    found.add_argument("--dry-run", action="store_true", help="show every key, and the day on which it goes")
    found.add_argument(
        "--yes", action="store_true", help="the clock is right: do not ask, however old the last entry is"
    )
    recover_ = actions.command(
        "recover",
        "bring a book that was restored from an old copy up to a mirror",
        recover,
        description="""Bring a book that was restored from an old copy up to date: take the entries that it lacks from the vault's mirror, or
from the folder of a published ledger, and from its own published ledger in any case. Everything is verified first; all is taken or
nothing. No keyholder may run meanwhile. Prefer the vault: a published ledger has no rosters, and may lack the last seconds.""",
        examples=[
            "strongroom keyholder recover --from vault",
            "strongroom keyholder recover --from /mnt/custodian/vault",
            "strongroom keyholder recover --from /mnt/mirror/riverton.example",
        ],
        development=False,
    )
    recover_.add_argument(
        "--from",
        dest="mirror",
        metavar="DIR",
        required=True,
        help="the folder of a vault or of a published ledger; vault: this room's",
    )


@contextmanager
def _opened(call: Call) -> Iterator[Keyholder]:
    keyholder = files.open_keyholder(call.room / "keyholder", call.room / "public")
    with closing(keyholder.store):
        try:
            yield keyholder
        except sqlite3.Error as error:
            raise keyholder.store.failed(error) from None


def expire(call: Call) -> int:
    if call.args.dry_run:
        return _plan(call)
    try:
        with files.lock(call.room / "keyholder"), _opened(call) as keyholder:
            keyholder.book.check_published(keyholder.public)
            if keyholder.quiet is not None:
                raise StoreError(
                    "the keyholder was recovered, and waits for the vault. Start it, then: strongroom status"
                )
            now = keyholder.now()
            _verify_today(call, keyholder, now)
            rows = [(row.holding, row.epoch) for row in expiry.expire(keyholder, now)]
            keyholder.publish(keyholder.now())
    except StoreError:
        if not files.runs(call.room / "keyholder"):
            raise
        rows = _watch(call)
    for holding, epoch in rows:
        call.out.good(f"destroyed: the key of {holding} for {epoch_text(epoch)}. The ledger has the entry.")
    if not rows:
        call.out.good("no key is past its day.")
    call.out.document({"destroyed": [{"epoch": epoch_text(epoch), "holding": name} for name, epoch in rows]})
    return 0


def _verify_today(call: Call, keyholder: Keyholder, now: int) -> None:
    """Nobody else has said what time it is. Raises ``InputError`` unless the operator has."""
    keyholder.set_time(now)
    due, last = expiry.due(keyholder, now), keyholder.book.time
    if not due or call.args.yes or now <= last + 2 * keyholder.charter.heartbeat:
        return
    said = (
        f"this computer says that today is {epoch_text(now // 86400)}, and the last entry is of {moment(last)} UTC."
        f" {count(len(due), 'key')} would be destroyed for good"
    )
    if not sys.stdin.isatty():
        raise InputError(f"{said}. If that is the day, give --yes; otherwise mend the clock first")
    call.out.warn(said)
    if not arguments.confirmed("Is that the day?"):
        raise InputError("nothing was destroyed; mend the clock first")


def _due(call: Call) -> list[tuple[str, int]]:
    with _opened(call) as keyholder:
        now = keyholder.now()
        return [
            (one.holding, one.epoch)
            for one in expiry.plan(keyholder, now)
            if one.epoch <= now // 86400 and not one.held_until
        ]


def _watch(call: Call) -> list[tuple[str, int]]:
    """Wait for the keyholder that runs. Raises ``StoreError`` when it does not do it."""
    first, until = _due(call), time.monotonic() + _WAIT_SECONDS
    left = first
    while left:
        if time.monotonic() > until:
            raise StoreError(
                f"the keyholder that runs has not destroyed {count(len(left), 'key')} whose day has come. It says why in its"
                " log; it waits for a request of the vault: strongroom status"
            )
        time.sleep(0.5)
        left = _due(call)
    return first


def _plan(call: Call) -> int:
    with _opened(call) as keyholder:
        now = keyholder.now()
        found = expiry.plan(keyholder, now)
    today, out = now // 86400, call.out
    rows = []
    for one in found:
        when = "now" if one.epoch <= today else f"in {count(one.epoch - today, 'day')}"
        kept = f"held until {moment(one.held_until)}" if one.held_until > one.epoch * 86400 else ""
        rows.append((one.holding, epoch_text(one.epoch), when, kept))
    if rows:
        out.table(("holding", "day", "goes", ""), rows)
    else:
        out.line("there is no key")
    out.document(
        {
            "keys": [
                {"epoch": epoch_text(one.epoch), "held_until": one.held_until, "holding": one.holding} for one in found
            ]
        }
    )
    return 0


def recover(call: Call) -> int:
    given, public = call.args.mirror, call.room / "public"
    with files.lock(call.room / "keyholder"), _opened(call) as keyholder, _mirror(call, given) as mirror:
        sources = [mirror]
        if (public / "checkpoint").exists() and not _same(public, given):
            sources.append(recovery.published(public))
        found = recovery.recover(keyholder, sources)
        size = keyholder.book.size
        if found.generation:
            keyholder.publish(keyholder.now())
    out = call.out
    if not found.entries:
        out.good(f"nothing is missing: the book has the {count(size, 'entry', 'entries')} of the mirror.")
    else:
        taken = ", ".join(
            count(number, *words)
            for number, words in (
                (found.charters, ("charter",)),
                (found.asks, ("ask that is used", "asks that are used")),
                (found.erasures, ("record erased", "records erased")),
                (found.expiries, ("key destroyed", "keys destroyed")),
            )
            if number
        )
        out.good(f"taken: {count(found.entries, 'entry', 'entries')}{f': {taken}' if taken else ''}.")
        out.line("Budgets begin empty. Codes and enrolments of that time are gone: have people enrol again.", indent=2)
        if found.generation:
            out.line(f"Reads are counted in generation {found.generation} of the tags; the ledger says so.", indent=2)
        else:
            out.line("Start the keyholder. It writes nothing until the vault has shown that it has no more.", indent=2)
        if found.readers_frozen:
            out.warn(
                "a reader was frozen in that time, and the book does not say which: the room is frozen. Freeze that reader"
                " again, then: strongroom keyholder thaw room"
            )
    out.document(
        {
            "asks": found.asks,
            "charters": found.charters,
            "entries": found.entries,
            "erasures": found.erasures,
            "expiries": found.expiries,
            "generation": found.generation,
            "room_frozen": found.readers_frozen,
            "size": size,
        }
    )
    return 0


def _same(public: Path, given: str) -> bool:
    return given != "vault" and Path(given).exists() and public.samefile(given)


@contextmanager
def _mirror(call: Call, given: str) -> Iterator[recovery.Source]:
    path = (call.room / "vault" if given == "vault" else Path(given)) / "vault.db"
    if not path.is_file():
        if given == "vault":
            raise InputError(f"{path}: there is no vault here. Name the folder of a published ledger")
        yield recovery.published(Path(given))
        return
    with closing(VaultStore(path)) as store:
        mirror = store.mirror

        def entries(start: int, stop: int) -> Iterator[bytes]:
            for first in range(start, stop, _PAGE):
                yield from mirror.entries(first, min(first + _PAGE, stop))

        yield recovery.Source("the vault's mirror", mirror.checkpoint().decode(), entries, store.roster, vault=True)
