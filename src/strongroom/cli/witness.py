"""``strongroom witness``: cosign other people's ledgers, and run on nobody's room (SPEC.md section 5.9)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from strongroom.cli import serving
from strongroom.cli.command import NOTHING, Call, Commands
from strongroom.cli.output import BAD, count, moment
from strongroom.errors import InputError, of_system
from strongroom.ledger import policy
from strongroom.serving import run, safety
from strongroom.witness import house, server

_HERE = Path("witness")
_IN_DEVELOPMENT = "changes nothing here: a witness asks no keyholder, and wants TLS beyond loopback all the same"


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        serve,
        description="""Run a witness in the foreground until SIGTERM or Ctrl-C. A log sends it each new checkpoint; it cosigns one after it has
seen that the log only grew since the last, and never two that contradict each other. It knows no room, keeps no entries and serves any
log that speaks C2SP tlog-witness. Whoever names it in a policy trusts its key and nothing else.""",
        examples=[
            "strongroom witness create /var/lib/witness --name witness.example/w1",
            "strongroom witness --directory /var/lib/witness --port 7500",
        ],
        development=False,
        in_development=_IN_DEVELOPMENT,
    )
    found.add_argument("--directory", metavar="DIR", type=Path, default=_HERE, help="its own (default: ./witness)")
    found.add_argument(
        "--log", metavar="VKEY", action="append", default=[], help="a log to cosign from now on; again for another"
    )
    serving.add_settings(found)
    actions = commands.under(found)
    create_ = actions.command(
        "create",
        "draw a witness's keys, for good",
        create,
        description="""Draw the keys of a new witness, Ed25519 and ML-DSA-44, and print their verifier keys, by which others name it in a policy.
They are never drawn anew under one name: what these keys have cosigned, the next ones would not know.""",
        examples=["strongroom witness create /var/lib/witness --name witness.example/w1"],
        development=False,
    )
    create_.add_argument("directory", metavar="DIR", type=Path)
    create_.add_argument("--name", required=True, help="a host and path of yours, such as witness.example/w1")
    logs = actions.group("logs", "the logs that a witness cosigns", in_development=NOTHING)
    add_ = logs.command(
        "add",
        "cosign a log from now on",
        added,
        description="Cosign a log from now on, a running witness too. Each of its keys may sign for it.",
        examples=[
            "strongroom witness logs add /var/lib/witness riverton.example/ledger+0123abcd+AX...",
            "strongroom witness logs add /var/lib/witness --policy public/policy",
        ],
        development=False,
    )
    _directory(add_)
    add_.add_argument("vkey", metavar="VKEY", nargs="*", help="the log's own verifier key, Ed25519 or ML-DSA-44")
    add_.add_argument("--origin", help="what its checkpoints begin with, where that is not the key's name")
    add_.add_argument("--policy", metavar="FILE", type=Path, help="the logs of a C2SP tlog-policy")
    list_ = logs.command(
        "list",
        "each log, and what was cosigned of it last",
        listed,
        description="Each log, and what was cosigned of it last; and where one has forked, which both of its notes prove.",
        examples=["strongroom witness logs list /var/lib/witness --json"],
        development=False,
    )
    _directory(list_)


def _directory(found: argparse.ArgumentParser) -> None:
    found.add_argument("directory", metavar="DIR", type=Path)


def serve(call: Call) -> int:
    loaded, directory = serving.settings(call, "witness"), call.args.directory
    given = loaded.settings
    safety.verify(server.findings(directory, given.witness))
    _learn(directory, house.logs(call.args.log))
    run.run(server.Server(directory).service(), given.witness, given.telemetry)
    call.out.document({"stopped": True})
    return 0


def create(call: Call) -> int:
    keys, directory = house.create(call.args.directory, call.args.name, os.urandom), call.args.directory
    call.out.good(f"{keys.name}: a witness in {directory}. Whoever trusts it names one of these:")
    for vkey in keys.vkeys:
        call.out.raw(f"{vkey}\n")
    call.out.document({"directory": str(directory), "name": keys.name, "vkeys": keys.vkeys})
    return 0


def added(call: Call) -> int:
    args = call.args
    vkeys = list(args.vkey)
    if args.policy:
        try:
            vkeys += [one.verifier.vkey for one in policy.parse(args.policy.read_bytes()).logs]
        except OSError as error:
            raise InputError(of_system(error, args.policy)) from None
    if not vkeys:
        call.usage("name a log by its verifier key, or a --policy that names some")
    new = _learn(args.directory, house.logs(vkeys, args.origin))
    call.out.good(f"{count(len(vkeys), 'key')} of logs, {new} of them new")
    call.out.document({"given": len(vkeys), "new": new})
    return 0


def _learn(directory: Path, logs: list[tuple[str, str]]) -> int:
    store = house.open_store(directory)
    try:
        with store.transaction():
            return store.add(logs)
    finally:
        store.close()


def listed(call: Call) -> int:
    out = call.out
    store = house.open_store(call.args.directory)
    try:
        found = [(one, store.head(one), store.fork(one), store.vkeys(one)) for one in store.origins()]
    finally:
        store.close()
    rows = [
        [origin, f"{head.size:,}" if head.note else "-", f"{moment(head.time)} UTC" if head.note else "-"]
        for origin, head, _, _ in found
    ]
    out.table(["LOG", "SIZE", "COSIGNED"], rows, right="SIZE")
    for origin, _, fork, _ in found:
        if fork:
            out.line(("FORKED", BAD), f"  {origin} has signed two roots for one size, seen {moment(fork.time)} UTC:")
            for text in (fork.one, fork.other):
                out.blank()
                out.raw(text)
    out.document(
        {
            "logs": [
                {
                    "checkpoint": head.note or None,
                    "fork": [fork.one, fork.other] if fork else None,
                    "origin": origin,
                    "size": head.size,
                    "time": head.time,
                    "vkeys": vkeys,
                }
                for origin, head, fork, vkeys in found
            ]
        }
    )
    return 0
