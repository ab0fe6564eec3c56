"""``strongroom serve``: the vault on the network (SPEC.md section 10)."""

from __future__ import annotations

import os
import time

from strongroom.cli import serving
from strongroom.cli.command import LOCAL, Call, Commands
from strongroom.service import readiness
from strongroom.service.app import build
from strongroom.service.identity.door import Door
from strongroom.service.vault import Vault
from strongroom.serving import run, safety
from strongroom.serving.run import Service


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        serve,
        description="""Run the vault of this room in the foreground until SIGTERM or Ctrl-C: its HTTP API, the page that documents it at /docs,
and the published ledger at /ledger/. On loopback it speaks without TLS, and with --development nobody is asked for a token; the signature
of a reader's device is wanted under every ask all the same. It logs to stderr, never anything personal.""",
        examples=[
            "strongroom serve --config /etc/strongroom/strongroom.toml",
            "strongroom serve --development --port 7300",
        ],
        exits=LOCAL,
        development=True,
        in_development="on one machine: ask nobody for a token, and start a keyholder where none runs",
    )
    serving.add_settings(found)


def serve(call: Call) -> int:
    loaded = serving.settings(call, "vault")
    given = loaded.settings
    safety.verify(serving.vault_findings(call, loaded))
    directory = call.room / "vault"
    vault = Vault(directory)
    origin = given.identity.origin or f"http://{given.vault.host}:{given.vault.port}"
    door = Door(origin, vault.run, lambda: int(time.time()), os.urandom, development=given.development)
    known = "" if given.development else "tokens"
    scheme = "https" if given.vault.tls_certificate else "http"
    app = build(vault, directory, call.room / "public", door)
    run.run(
        Service(
            "vault",
            app,
            known,
            readiness.checks(vault, directory),
            started=lambda at: call.out.note(f"{scheme}://{at}"),
        ),
        given.vault,
        given.telemetry,
    )
    call.out.document({"stopped": True})
    return 0
