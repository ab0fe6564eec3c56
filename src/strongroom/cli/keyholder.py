"""``strongroom keyholder``: the second house as a process, and what its operator does (SPEC.md sections 8, 8.8 to 8.10)."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import closing

from strongroom.cli import keyholder_book, keyholder_founding, serving
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import moment
from strongroom.client.operator import Operator
from strongroom.errors import FormatError, InputError
from strongroom.keyholder import server
from strongroom.seal.epoch import parse_epoch
from strongroom.serving import run, safety


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        serve,
        description="""Run the keyholder of this room in the foreground until SIGTERM or Ctrl-C. On loopback it speaks without TLS; in
production it is another machine under another body, and listens there with a certificate (docs/operations.md). It does not start with
the vault beside it unless told --development. It logs to stderr, never anything personal; SIGHUP has it read its certificate anew.""",
        examples=[
            "strongroom keyholder --config /etc/strongroom/strongroom.toml",
            "strongroom keyholder --development --port 7400",
            "strongroom keyholder freeze holding:residents",
            "strongroom keyholder expire --dry-run",
        ],
        development=False,
        in_development="on one machine: start though the vault lies beside it",
    )
    serving.add_settings(found)
    found.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    actions = commands.under(found)
    _freeze(actions, "freeze", "give no key within a scope until it is thawed")
    _freeze(actions, "thaw", "undo a freeze")
    _hold(actions)
    keyholder_book.add(actions)
    keyholder_founding.add(actions)


def _freeze(actions: Commands, name: str, about: str) -> None:
    found = actions.command(
        name,
        about,
        scoped,
        description=f"{about}. The operator's key signs it and the ledger shows it to everybody",
        examples=[
            f"strongroom keyholder {name} room",
            f"strongroom keyholder {name} reader:0123456789abcdef0123456789abcdef",
        ],
        exits=REMOTE,
    )
    found.add_argument("scope", metavar="SCOPE", help="room, holding:NAME or reader:HEX (see strongroom reader list)")
    found.set_defaults(action=name)


def _hold(actions: Commands) -> None:
    hold = actions.command(
        "hold",
        "destroy no key of a holding until a day: a legal hold",
        held,
        description="""Destroy no key of a holding until a day, by order of an authority that the ledger names to everybody. What expires
meanwhile is kept, and given to no purpose but those that the charter has for held records. A later hold of the same authority takes
its place.""",
        examples=[
            'strongroom keyholder hold incidents --authority "Riverton District Court, 41 C 7" --until 2027-06-30'
        ],
        exits=REMOTE,
    )
    lift = actions.command(
        "lift",
        "end a legal hold now",
        held,
        description="End a legal hold now. Keys whose day has come meanwhile are destroyed within seconds, for good.",
        examples=['strongroom keyholder lift incidents --authority "Riverton District Court, 41 C 7"'],
        exits=REMOTE,
    )
    for found in (hold, lift):
        found.add_argument("holding", metavar="HOLDING")
        found.add_argument(
            "--authority", metavar="TEXT", required=True, help="who orders it: public, at most 200 characters"
        )
    hold.add_argument("--until", metavar="DAY", required=True, help="YYYY-MM-DD, UTC, within 366 days")
    lift.set_defaults(until=None)


def serve(call: Call) -> int:
    loaded = serving.settings(call, "keyholder")
    safety.verify(serving.keyholder_findings(call, loaded))
    if call.args.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    given = loaded.settings
    run.begin(server.serve(call.room / "keyholder", call.room / "public", given.keyholder, given.telemetry))
    call.out.document({"stopped": True})
    return 0


def _end_with_parent() -> None:
    # The other end of stdin is closed when the parent ends, however it ends.
    # Read below Python's own buffer, whose lock a thread must not hold while the interpreter ends.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def scoped(call: Call) -> int:
    action, scope = call.args.action, call.args.scope
    with closing(Operator(call.room / "keyholder")) as operator:
        operator.freeze(action, scope)
    call.out.good(f"{'frozen' if action == 'freeze' else 'thawed'}: {scope}. The ledger has the notice.")
    call.out.document({"action": action, "scope": scope})
    return 0


def held(call: Call) -> int:
    holding, authority, until = call.args.holding, call.args.authority, 0
    if call.args.until is not None:
        try:
            until = parse_epoch(call.args.until) * 86400
        except FormatError:
            raise InputError("--until: want a day, such as 2027-06-30") from None
        if until <= time.time():
            raise InputError("--until: want a day to come; strongroom keyholder lift ends a hold")
    with closing(Operator(call.room / "keyholder")) as operator:
        operator.hold(holding, authority, until)
    if until:
        call.out.good(f"held: no key of {holding} is destroyed before {moment(until)} UTC. The ledger has the order.")
    else:
        call.out.good(f"lifted: the hold on {holding}. Keys whose day has come are destroyed now.")
    call.out.document({"authority": authority, "holding": holding, "until": until})
    return 0
