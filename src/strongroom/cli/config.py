"""``strongroom config``: the settings in force, where each came from, and whether the servers would start with them."""

from __future__ import annotations

import argparse
from pathlib import Path

from strongroom.cli import serving
from strongroom.cli.command import FAILED, Call, Commands


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        show,
        description="""Print every setting of the servers, its value, and where that came from: a default, a line of the file, a variable
STRONGROOM_SECTION_SETTING, an argument; the last of these counts. The file is TOML, with the sections vault, keyholder, witness,
telemetry and identity. No setting is a secret: keys are files, and are named.""",
        examples=[
            "strongroom config",
            "strongroom config check",
            "STRONGROOM_VAULT_PORT=7400 strongroom config --json",
        ],
        development=False,
        in_development="show and check what holds when the servers are started with it",
    )
    _file(found)
    check_ = commands.under(found).command(
        "check",
        "whether the servers would start with these settings",
        check,
        description="""Say all that the vault's and the keyholder's servers would refuse to start with, of whichever of the two lies in the
room: an address that others reach without TLS or authentication, key files that others may read, keys that were never drawn, both
houses in one place.""",
        examples=["strongroom config check", "strongroom config check --config /etc/strongroom/strongroom.toml"],
        development=False,
        in_development="show and check what holds when the servers are started with it",
    )
    _file(check_)


def _file(found: argparse.ArgumentParser) -> None:
    found.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="default: $STRONGROOM_CONFIG, or DIR/strongroom.toml if there is one",
    )


def show(call: Call) -> int:
    loaded, out = serving.settings(call, ""), call.out
    rows = [(name, _shown(value), source) for name, value, source in loaded.items()]
    out.table(["SETTING", "VALUE", "FROM"], rows)
    out.document(
        {
            "file": str(loaded.file) if loaded.file else None,
            "settings": {
                name: {"source": source, "value": str(value) if isinstance(value, Path) else value}
                for name, value, source in loaded.items()
            },
        }
    )
    return 0


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(call: Call) -> int:
    loaded, out = serving.settings(call, ""), call.out
    found: list[str] = []
    if (call.room / "vault" / "keys.json").exists():
        found += serving.vault_findings(call, loaded)
    if (call.room / "keyholder" / "keys.json").exists():
        found += serving.keyholder_findings(call, loaded)
    for text in dict.fromkeys(found):
        out.error(text)
    if not found:
        out.good("the servers of this room would start with these settings.")
    out.document({"findings": list(dict.fromkeys(found))})
    return FAILED if found else 0
