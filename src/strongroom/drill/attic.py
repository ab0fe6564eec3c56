"""Everything at hand, used at once: all copies of the vault that were ever made, its keys, and all that the keyholder still has."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
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

_BATCHES = """
SELECT h.name, b.batch, b.epoch, b.expires, b.members, b.sealed
FROM batches AS b JOIN holdings AS h ON h.number = b.holding
"""
_ROWS = """
SELECT h.name, b.batch, r.handle, r.version, r.body, d.delta
FROM batches AS b JOIN holdings AS h ON h.number = b.holding JOIN records AS r ON r.batch = b.batch
LEFT JOIN deltas AS d ON d.batch = r.batch AND d.handle = r.handle AND d.version = r.version
"""

Opened = dict[tuple[str, bytes, int], tuple[bytes, ...]]
"""(holding, handle, version) -> plaintexts of its compartments."""


class Attic:
    """The keyholder's directory as it is now, whose keys are tried on whatever each of the vault's ``copies`` has; and what opens
    of a batch in one of them, on its rows in the others."""

    def __init__(self, keyholder: Path, copies: Sequence[Path]) -> None:
        self._id = ids.keyholder_id(keyholder_keys.load(keyholder).message_public)
        # Whatever lies there and could be a key, under whatever name.
        files = sorted(path for path in (keyholder / "epochs").iterdir() if path.is_file())
        self._privates = [key for path in files if (key := _private(path.read_bytes())) is not None]
        self._secrets: dict[bytes, set[bytes]] = defaultdict(set)
        """By batch."""
        self.tried = 0
        sealed = {one for copy in copies for one in self._sealed(copy)}
        for name, bound, secret in sorted(sealed):
            self._unseal(name, bound, secret)

    def _sealed(self, vault: Path) -> Iterator[tuple[bytes, batch.Bound, bytes]]:
        keys = vault_keys.load(vault)
        with _database(vault) as database:
            for name, id_, epoch, expires, members, sealed in database.execute(_BATCHES):
                holding = keys.holding(name).holding
                yield id_, batch.Bound(keys.room, self._id, holding, epoch, expires, members), sealed

    def _unseal(self, id_: bytes, bound: batch.Bound, sealed: bytes) -> None:
        for private in self._privates:
            self.tried += 1
            try:
                self._secrets[id_].add(batch.open_batch_secret(private, bound, sealed))
            except SealError:
                continue
            return

    def open(self, vault: Path) -> Opened:
        """All that opens of one of the copies."""
        keys = vault_keys.load(vault)
        opened: Opened = {}
        with _database(vault) as database:
            for name, id_, handle, version, content, delta in database.execute(_ROWS):
                place, slots = slot.places([handle], [version]), body.parse(content)
                for secret in sorted(self._secrets[id_]):
                    own = slot.record_secrets(mac.keyed(secret), place, [delta or b""])[0]
                    texts = tuple(self._texts(keys.holding(name), own, handle, version, slots))
                    if texts:
                        opened[name, handle, version] = texts
        return opened

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


def _database(vault: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{vault / 'vault.db'}?mode=ro", uri=True))


def _private(data: bytes) -> HpkePrivate | None:
    try:
        return hpke.private_from(data)
    except (SealError, ValueError):
        return None
