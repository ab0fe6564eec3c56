"""The targets, one module a part; ``ALL`` is every one by its name."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets import catalog, cli, codecs, files, gate, intake, ledger, published, seal, tables, values

ALL: dict[str, Target] = {
    target.name: target
    for part in (codecs, ledger, published, seal, catalog, values, gate, intake, tables, files, cli)
    for target in part.targets()
}
