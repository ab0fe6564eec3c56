"""What commands that run a server share: where its settings come from, and what is looked at before it starts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from strongroom.cli.command import Call
from strongroom.custody import keys as vault_keys
from strongroom.keyholder import server as keyholder_server
from strongroom.serving import config, safety
from strongroom.serving.config import Loaded


def add_settings(found: argparse.ArgumentParser) -> None:
    """``--config``, and the settings of a listener that are worth an argument."""
    group = found.add_argument_group("settings", "strongroom config shows all of them, and where each came from")
    group.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="default: $STRONGROOM_CONFIG, or DIR/strongroom.toml if there is one",
    )
    group.add_argument("--host", help="where to listen: others than 127.0.0.1 and ::1 want TLS (default: 127.0.0.1)")
    group.add_argument("--port", type=int, help="0 takes a free one (default)")
    group.add_argument("--admin-port", type=int, help="health and metrics, on loopback (default: none)")


def settings(call: Call, section: str) -> Loaded:
    """The settings in force, those of ``section`` by its arguments. Raises ``InputError``."""
    args: dict[str, Any] = {
        f"{section}.{name}": getattr(call.args, name.replace("-", "_"), None) for name in ("host", "port", "admin-port")
    }
    # Unasked it is no word on the matter: the file's stands.
    args["development"] = call.args.development or None
    return config.load(call.room, os.environ, args, call.args.config)


def keyholder_findings(call: Call, loaded: Loaded) -> Iterator[str]:
    """What the keyholder of this room would not start with."""
    directory = call.room / "keyholder"
    yield from keyholder_server.findings(directory, loaded.settings.keyholder)
    if not loaded.settings.development:
        yield from safety.apart(directory, call.room / "vault")


def vault_findings(call: Call, loaded: Loaded) -> Iterator[str]:
    """What the vault of this room would not start with."""
    directory, given = call.room / "vault", loaded.settings
    # In development nobody is asked who they are; elsewhere a token is bound to an address of the vault, which has to be known.
    known = "" if given.development or not given.identity.origin else "tokens bound to a key of the caller's"
    if given.development and not safety.is_loopback(given.vault.host):
        yield f"vault.host {given.vault.host}: in development nobody is asked who they are. Listen on 127.0.0.1, or leave out --development"
    yield from safety.address("vault", given.vault, known)
    yield from safety.tls_files("vault", given.vault)
    yield from safety.key_files(
        [directory / "keys.json", *sorted((directory / vault_keys.HOLDINGS).glob("[a-z]*.key"))]
    )
    if not given.development:
        yield from safety.apart(directory, call.room / "keyholder")
        yield from _line(directory)
        if not given.identity.origin:
            yield (
                "identity.origin is not set: tokens are bound to the address by which clients know this vault. Set it, or say"
                " --development on loopback"
            )


def _line(directory: Path) -> Iterator[str]:
    where = vault_keys.load_room(directory).keyholder
    if where.startswith("file:"):
        yield (
            f"{directory}/room.json: its keyholder is on this machine ({where}). Found the room with --keyholder-address"
            " https://... (docs/operations.md), or say --development"
        )
    elif not where.startswith("https://") and not safety.is_loopback(where.rpartition(":")[0].strip("[]")):
        yield f"{directory}/room.json: the keyholder at {where} is spoken to without TLS. Write https://{where} there"
