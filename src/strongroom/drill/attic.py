"""Everything at hand, used at once: all copies of the vault that were ever made, its keys, and all that the keyholder still has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.custody import keys as vault_keys
from strongroom.errors import SealError
from strongroom.keyholder import keys as keyholder_keys
from strongroom.seal import batch, body, compartment, hpke, ids, mac, slot
from strongroom.seal.hpke import HpkePrivate
from strongroom.seal.person import HoldingKeys

_ROWS = """
SELECT h.name, b.epoch, b.expires, b.members, b.sealed, r.handle, r.version, r.body, d.delta
FROM batches AS b JOIN holdings AS h ON h.number = b.holding JOIN records AS r ON r.batch = b.batch
LEFT JOIN deltas AS d ON d.batch = r.batch AND d.handle = r.handle AND d.version = r.version
"""

Opened = dict[tuple[str, bytes, int], tuple[bytes, ...]]
"""(holding, handle, version) -> plaintexts of its compartments."""


class Attic:
    """The keyholder's directory as it is now, whose keys are tried on whatever a copy of the vault has."""

    def __init__(self, keyholder: Path) -> None:
        self._id = ids.keyholder_id(keyholder_keys.load(keyholder).message_public)
        # Whatever lies there and could be a key, under whatever name.
        files = sorted(path for path in (keyholder / "epochs").iterdir() if path.is_file())
        self._privates = [key for path in files if (key := _private(path.read_bytes())) is not None]
        self._secrets: dict[bytes, bytes | None] = {}
        self.tried = 0

    def open(self, vault: Path) -> Opened:
        """All that opens of one copy of a vault."""
        keys = vault_keys.load(vault)
        opened: Opened = {}
        with closing(sqlite3.connect(f"file:{vault / 'vault.db'}?mode=ro", uri=True)) as database:
            for name, epoch, expires, members, sealed, handle, version, content, delta in database.execute(_ROWS):
                holding = keys.holding(name)
                bound = batch.Bound(keys.room, self._id, holding.holding, epoch, expires, members)
                secret = self._secret(bound, sealed)
                if secret is None:
                    continue
                own = slot.record_secrets(mac.keyed(secret), slot.places([handle], [version]), [delta or b""])[0]
                texts = tuple(self._texts(holding, own, handle, version, body.parse(content)))
                if texts:
                    opened[name, handle, version] = texts
        return opened

    def _secret(self, bound: batch.Bound, sealed: bytes) -> bytes | None:
        if sealed not in self._secrets:
            self._secrets[sealed] = None
            for private in self._privates:
                self.tried += 1
                try:
                    self._secrets[sealed] = batch.open_batch_secret(private, bound, sealed)
                    break
                except SealError:
                    continue
        return self._secrets[sealed]

    def _texts(
        self, keys: HoldingKeys, own: bytes, handle: bytes, version: int, slots: Sequence[body.Slot]
    ) -> Iterator[bytes]:
        for one in slots:
            self.tried += 1
            share = slot.share(own, slot.unmask(own, one.masked, one.compartment), one.compartment)
            nonce, check, ciphertext = compartment.parse_blob(one.blob)
            key, expected = compartment.key_and_check(keys, share)
            if check == expected:
                aad = compartment.associated(keys) + slot.address(handle, version, one.compartment)
                yield AESGCM(key).decrypt(nonce, ciphertext, aad)


def _private(data: bytes) -> HpkePrivate | None:
    try:
        return hpke.private_from(data)
    except (SealError, ValueError):
        return None
