"""Whether this vault can do its work now: what ``/readyz`` asks (SPEC.md section 10.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from strongroom.custody.room import Room
from strongroom.service.vault import Vault
from strongroom.serving import health


def checks(vault: Vault, directory: Path) -> Mapping[str, health.Check]:
    """``directory``: the vault's. Each goes the way that a read goes, as far as nobody's record is touched."""

    async def charter() -> None:
        await vault.run(Room.rules)

    async def keyholder() -> None:
        # Signed by us, and the answer is held against the key that the charter names.
        await vault.run(Room.status)

    async def mirror() -> None:
        # Up to the keyholder's last checkpoint, every entry verified: a ledger that was cut or forked stops here.
        await vault.run(Room.sync)

    async def store() -> None:
        await asyncio.to_thread(health.verify_disk, directory)

    return {"charter": charter, "keyholder": keyholder, "mirror": mirror, "store": store}
