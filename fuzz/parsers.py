"""Which parsers there are, found by looking: every codec of a module, and every function that is named like a parser."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import CodeType, ModuleType
from typing import Any

import strongroom
from strongroom.canonical import Codec

NAMED = re.compile(
    r"(parse|load|decode|unpad|unbase64|split|open|claimed|check_reason|check_case|clean)(_[a-z0-9_]+)?|[a-z]+_from"
)

# What they read is their own.
ATTACKS = ("drill.", "demo.")

# Named like a parser, and none of bytes from outside; or one that others stand for.
EXEMPT = {
    "canonical.Codec.parse": "each codec has a target of its own",
    "applications.sqlalchemy.Person.load_dialect_impl": "says of which type a column is",
    "catalog.text.clean_lines": "a question, which catalog.columns asks",
    "client.published.fetch_from": "opens a directory or a URL; what lies there is read by ledger.directory",
    "custody.intake.window.open_window": "signs an ask",
    "keyholder.files.open_keyholder": "opens a database; its JSON files have targets of their own",
    "service.vault.Vault.parse": "custody.receive.parse, elsewhere",
    "witness.house.open_store": "opens a database; its JSON file has a target of its own",
    "seal.batch.Batch.open": "draws a secret",
    "custody.intake.datafile.DataFile.open": "opens a file that intake.file reads",
    "custody.intake.sealing.Sealer.open": "draws a batch",
}


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of the package."""
    found = pkgutil.walk_packages(strongroom.__path__, "strongroom.")
    return tuple(importlib.import_module(one.name) for one in found if not one.name.endswith("__main__"))


def codecs() -> dict[str, Codec[Any]]:
    """Name -> codec, of every one that a module holds, by itself or in a table: ``ledger.entry._codec``,
    ``keyholder.protocol.v1-find``."""
    found: dict[str, Codec[Any]] = {}
    for module in modules():
        place = module.__name__.removeprefix("strongroom.")
        for name, value in vars(module).items():
            if isinstance(value, Codec):
                found[f"{place}.{name}"] = value
            elif isinstance(value, dict):
                found |= {f"{place}.{_plain(key)}": one for key, one in value.items() if isinstance(one, Codec)}
            elif isinstance(value, list | tuple):
                found |= {f"{place}.{name}{at}": one for at, one in enumerate(value) if isinstance(one, Codec)}
    # One that is imported elsewhere by name is still one.
    return {name: one for name, one in found.items() if next(n for n, o in found.items() if o is one) == name}


def functions() -> dict[str, CodeType]:
    """Name -> code of every function or method that is named like a parser, where it is defined."""
    found = ((name, one) for module in modules() for name, one in _of(module) if not name.startswith(ATTACKS))
    return {name: code_of(one) for name, one in found if NAMED.fullmatch(name.rpartition(".")[2])}


def code_of(function: Any) -> CodeType:
    """What runs when it is called, whatever it is wrapped in."""
    found = inspect.unwrap(function)
    code: CodeType = getattr(found, "__func__", found).__code__
    return code


def _of(module: ModuleType) -> Iterator[tuple[str, Any]]:
    place = module.__name__.removeprefix("strongroom.")
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            for member in vars(value):
                if inspect.isroutine(one := inspect.unwrap(getattr(value, member))):
                    yield f"{place}.{name}.{member}", one
        elif inspect.isfunction(inspect.unwrap(value)):
            yield f"{place}.{name}", value


def _plain(key: object) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", str(key)).strip("-")
