"""``strongroom keyholder``: the second house as a process, and what its operator does (SPEC.md sections 8 and 8.8)."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import closing

from strongroom.cli import arguments
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import count
from strongroom.client.operator import Operator
from strongroom.keyholder import server


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        serve,
        description="""Run the keyholder of this room in the foreground until SIGTERM or Ctrl-C. It listens on loopback only: it speaks
without TLS, and in production is another machine under another body. It logs to stderr, never anything personal.""",
        examples=[
            "strongroom keyholder",
            "strongroom keyholder --port 7400",
            "strongroom keyholder freeze holding:residents",
        ],
        development=False,
    )
    found.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    found.add_argument(
        "--port", type=int, default=0, help="0 takes a free one and writes it to DIR/keyholder/address (default)"
    )
    found.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    actions = commands.under(found)
    _freeze(actions, "freeze", "give no key within a scope until it is thawed")
    _freeze(actions, "thaw", "undo a freeze")
    erase = actions.command(
        "erase",
        "never again give a key to these records, backups included",
        erased,
        description="""Never again give a key to these records, backups included. It cannot be undone. The entry in the ledger says how
many records of which holding, not which.""",
        examples=[
            "strongroom keyholder erase residents 5f1c...e2",
            "strongroom keyholder erase residents --records-from handles.txt",
        ],
        exits=REMOTE,
    )
    erase.add_argument("holding", metavar="HOLDING")
    erase.add_argument("handles", metavar="HANDLE", nargs="*", help="32 hexadecimal digits, as find prints them")
    erase.add_argument("--records-from", metavar="FILE", help="handles, one a line; - reads stdin")


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


def serve(call: Call) -> int:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    if call.args.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(server.serve(call.room / "keyholder", call.room / "public", call.args.host, call.args.port))
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


def erased(call: Call) -> int:
    records = arguments.handles(call.args.handles, call.args.records_from)
    with closing(Operator(call.room / "keyholder")) as operator:
        operator.erase(call.args.holding, records)
    call.out.good(f"erased {count(len(records), 'record')} of {call.args.holding}: no key is given to them any more.")
    call.out.document({"action": "erase", "holding": call.args.holding, "records": len(records)})
    return 0
