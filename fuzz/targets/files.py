"""Files of the houses and of people: keys, anchors, the keyholder's address (SPEC.md section 9)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fuzz import parsers
from fuzz.sample import seeds_of
from fuzz.scratch import file, folder
from fuzz.target import Broken, Target
from strongroom.client import device
from strongroom.custody import ceremony
from strongroom.custody import keys as vault_keys
from strongroom.errors import InputError, KeyholderUnavailable, LedgerError, StoreError, StrongroomError
from strongroom.keyholder import admission, client, introduction
from strongroom.keyholder import keys as keyholder_keys

_Errors = type[StrongroomError] | tuple[type[StrongroomError], ...]


def targets() -> list[Target]:
    return [
        _file("vault-keys", "keys.json", vault_keys.load, "custody.keys._keys", (StoreError, LedgerError)),
        _file("vault-room", "room.json", vault_keys.load_room, "custody.keys._room", StoreError),
        _file("keyholder-keys", "keys.json", keyholder_keys.load, "keyholder.keys._codec", (StoreError, LedgerError)),
        _file("device", "", device.load, "client.device._codec", InputError),
        _file("introduction", "", introduction.load, "keyholder.introduction._codec", InputError),
        _file("bucket", "", admission.load, "keyholder.admission._bucket", InputError),
        _file("steward", "", ceremony.load_steward, "custody.ceremony._steward", InputError),
        Target(
            name="files.holding-key",
            read=_holding_key,
            errors=StoreError,
            seeds=lambda: [bytes(32)],
            of=(vault_keys.VaultKeys.holding,),
            weight=0.1,
        ),
        Target(
            name="files.address",
            read=lambda data: client.address_file(file(data, "address").parent)(),
            errors=KeyholderUnavailable,
            seeds=lambda: [b"127.0.0.1:7400\n", b"[::1]:7400\n"],
            of=(client.address_file,),
            weight=0.1,
        ),
        Target(
            name="files.problem",
            read=_problem,
            silent=False,
            seeds=lambda: seeds_of(parsers.codecs()["keyholder.protocol.problem"]),
            of=(client._problem,),
        ),
    ]


def _file(name: str, path: str, load: Callable[[Path], object], codec: str, errors: _Errors) -> Target:
    """``path`` is the file's name in the folder that ``load`` is given; empty where it is given the file."""
    return Target(
        name=f"files.{name}",
        read=partial(_loaded, load, path),
        errors=errors,
        seeds=lambda: seeds_of(parsers.codecs()[codec]),
        of=(load,),
        weight=0.1,
    )


def _loaded(load: Callable[[Path], Any], path: str, data: bytes) -> None:
    found = file(data, path or "input")
    load(found.parent if path else found)


def _holding_key(data: bytes) -> None:
    (folder() / vault_keys.HOLDINGS).mkdir(exist_ok=True)
    file(data, f"{vault_keys.HOLDINGS}/residents.key")
    room = seeds_of(parsers.codecs()["custody.keys._keys"])[0]
    vault_keys.load(file(room, "keys.json").parent).holding("residents")


def _problem(data: bytes) -> None:
    """What the keyholder refused with becomes an error, which is raised where it was called."""
    if not isinstance(client._problem(data), StrongroomError):
        raise Broken("a refusal that is none of our errors")
