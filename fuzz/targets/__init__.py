"""The targets, one module a part; ``ALL`` is every one by its name."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets import (
    catalog,
    cli,
    client,
    codecs,
    files,
    gate,
    identity,
    intake,
    ledger,
    published,
    seal,
    service,
    tables,
    values,
    witness,
)

ALL: dict[str, Target] = {
    target.name: target
    for part in (
        codecs,
        ledger,
        published,
        seal,
        catalog,
        values,
        gate,
        identity,
        intake,
        tables,
        files,
        cli,
        client,
        service,
        witness,
    )
    for target in part.targets()
}
