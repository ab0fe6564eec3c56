"""Epoch keys as the book knows them, and the batch secrets that they open (SPEC.md sections 3.1, 3.2 and 8.9).

The private keys lie in files, one each, so that one can be destroyed. Which there are, and which are destroyed, is the
book's: a file that comes back, from a backup or after a crash, is not used, and is destroyed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from strongroom.errors import Refused, SealError, StoreError
from strongroom.keyholder import protocol
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.keyholder.store import Store
from strongroom.seal import batch
from strongroom.seal.epoch import epoch_text
from strongroom.seal.ids import holding_id
from strongroom.seal.slot import split

_MOST_SECRETS = 100_000


class SealedBatch(NamedTuple):
    """A batch secret as the vault stores it (1169 bytes), and what it is bound to: two days, the hash of its members."""

    epoch: int
    expires: int
    members: bytes
    sealed: bytes


def sealed_batches(
    batches: Iterable[bytes], epochs: Iterable[int], expires: Iterable[int], members: bytes
) -> Iterator[SealedBatch]:
    """One for each place of a request's columns, which are of one length."""
    for sealed, epoch, expiry, named in zip(batches, epochs, expires, split(members, 32), strict=True):
        yield SealedBatch(epoch, expiry, named, sealed)


class Epochs:
    """``room`` and ``keyholder`` are ids of 16 bytes. Not for several threads."""

    def __init__(self, store: Store, files: EpochFiles, room: bytes, keyholder: bytes) -> None:
        self.files = files
        self._store, self._room, self._id = store, room, keyholder
        # By holding and epoch, so that all can be forgotten with their key.
        self._secrets: dict[tuple[str, int], dict[bytes, bytes]] = {}
        self._remembered = 0

    def public(self, holding: str, epoch: int) -> bytes:
        """The public key (1216 bytes), made when first asked for; within a transaction.

        Raises ``Refused`` (``epoch``) for one that is destroyed, ``StoreError`` for one whose file is gone: another in
        its place would strand what is sealed to it.
        """
        known = self._store.epoch(holding, epoch)
        if known is not None and known.destroyed:
            raise Refused("epoch", "the key of this epoch is destroyed")
        private = self.files.get(holding, epoch)
        if private is None:
            if known is not None:
                raise StoreError(
                    f"the key of {holding} for {epoch_text(epoch)} is gone from the keyholder's epochs/. Restore it: what"
                    " is sealed to it needs it"
                )
            private = self.files.make(holding, epoch)
        if known is None:
            self._store.add_epoch(holding, epoch, protocol.epoch_key_hash(private.public))
        return private.public

    def has(self, holding: str, epoch: int) -> bool:
        """Whether there is a key to be used. Raises ``StoreError`` when its file is damaged."""
        known = self._store.epoch(holding, epoch)
        return (known is None or not known.destroyed) and self.files.get(holding, epoch) is not None

    def alive(self, holding: str) -> list[int]:
        """Epochs whose keys are not destroyed, ascending."""
        return [known.epoch for known in self._store.epochs() if known.holding == holding and not known.destroyed]

    def destroyed(self, holding: str) -> set[int]:
        """Epochs whose keys are destroyed, by the book and on the disk."""
        left = set(self.files.listed())
        return {
            known.epoch
            for known in self._store.epochs()
            if known.holding == holding and known.destroyed and (holding, known.epoch) not in left
        }

    def secret(self, holding: str, one: SealedBatch) -> bytes:
        """Open a batch secret, or remember it: one hybrid decapsulation a batch. Raises ``Refused`` (``epoch``, ``batch``)."""
        private = self.files.get(holding, one.epoch)
        if private is None:
            raise Refused("epoch", "there is no key for this holding and epoch")
        # The cache key holds all that the secret is bound to: opened under one, it is never served under another.
        key = hashlib.sha256(one.expires.to_bytes(4, "big") + one.members + one.sealed).digest()
        of = self._secrets.setdefault((holding, one.epoch), {})
        found = of.get(key)
        if found is None:
            bound = self.bound(holding, one.epoch, one.expires, one.members)
            try:
                found = batch.open_batch_secret(private, bound, one.sealed)
            except SealError as error:
                raise Refused("batch", str(error)) from None
            if self._remembered >= _MOST_SECRETS:
                self._secrets, self._remembered = {}, 0
            self._secrets.setdefault((holding, one.epoch), {})[key] = found
            self._remembered += 1
        return found

    def bound(self, holding: str, epoch: int, expires: int, members: bytes) -> batch.Bound:
        return batch.Bound(self._room, self._id, holding_id(self._room, holding), epoch, expires, members)

    def forget(self, holding: str, epoch: int) -> None:
        """Drop what memory has of a key that is destroyed. Python cannot wipe it (THREATS.md)."""
        self._remembered -= len(self._secrets.pop((holding, epoch), {}))
        self.files.forget(holding, epoch)
