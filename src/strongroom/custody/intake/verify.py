"""Whether what was stored is what was to be sealed, and can be opened (``import --destroy-source``).

Said of a chunk after it is stored and while its batch's secret is still at hand: every compartment is read back from the
file, opened and compared, and the keyholder proves that it can open the batch. What it says nothing of is the disk's own
honesty, and that both houses' keys are kept.
"""

from __future__ import annotations

import hmac

from strongroom.catalog.model import Holding
from strongroom.custody.intake.sealing import Records, SealedRecords
from strongroom.custody.room import Room
from strongroom.errors import SealError, StoreError
from strongroom.keyholder import protocol
from strongroom.seal import body, slot
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.mac import keyed
from strongroom.store.rows import RecordRow, Stored
from strongroom.store.vault import VaultStore


def read_back(
    room: Room, holding: str, declared: Holding, records: Records, sealed: SealedRecords, secret: bytes
) -> None:
    """``secret``: the batch's, 32 bytes. Raises ``StoreError`` naming what is not as it should be, ``Refused``,
    ``KeyholderUnavailable``."""
    _Check(room, holding, declared, records, secret).check(sealed)
    batch = sealed.batch
    request = protocol.Held(
        **room.common(),
        batches=[batch.sealed],
        epochs=[batch.epoch],
        expires=[batch.expires],
        holding=holding,
        members=batch.members,
    )
    proof = protocol.held_proofs.parse(room.client.call("/v1/held", request)).proofs
    if not hmac.compare_digest(proof, slot.held(secret)):
        raise StoreError("the keyholder has not shown that it can open what was sealed. Keep the source, and ask why")


class _Check:
    def __init__(self, room: Room, holding: str, declared: Holding, records: Records, secret: bytes) -> None:
        self._room, self._holding, self._records = room, holding, records
        self._secret = keyed(secret)
        self._places = {place: at for at, place in enumerate(zip(records.handles, records.versions, strict=True))}
        self._enums = frozenset(name for name, one in declared.fields.items() if one.type == "enum")
        self._compartments = {
            one.number: (one.person, [field for field, of in declared.fields.items() if of.compartment == name])
            for name, one in declared.compartments.items()
        }

    def check(self, sealed: SealedRecords) -> None:
        number = self._room.holding(self._holding)
        # Another connection, which has nothing in its memory: it reads what the file gives.
        with VaultStore(self._room.directory / "vault.db") as store:
            for version in sorted({row.version for row in sealed.rows}):
                rows = [row for row in sealed.rows if row.version == version]
                stored = store.at_version(number, [row.handle for row in rows], version)
                if [_row(one) for one in stored] != rows:
                    raise StoreError("records are not in the store as they were put there. Run strongroom fsck")
                for one in stored:
                    if (one.batch, number, one.epoch, one.expires, one.members, one.sealed) != sealed.batch:
                        raise StoreError("a batch is not in the store as it was put there. Run strongroom fsck")
                    self._open(one)

    def _open(self, stored: Stored) -> None:
        at = self._places[stored.handle, stored.version]
        place = slot.places([stored.handle], [stored.version])
        (secret,) = slot.record_secrets(self._secret, place)
        slots = body.parse(stored.body)
        if [one.compartment for one in slots] != sorted(self._compartments):
            raise StoreError("a record was stored without one of its compartments. Keep the source")
        for one in slots:
            person, names = self._compartments[one.compartment]
            who = slot.unmask(secret, one.masked, one.compartment)
            try:
                found = open_compartment(
                    self._room.keys.holding(self._holding),
                    slot.share(secret, who, one.compartment),
                    stored.handle,
                    stored.version,
                    one.compartment,
                    one.blob,
                    self._enums.intersection(names),
                )
            except SealError as error:
                raise StoreError(f"a record that was stored does not open ({error}). Keep the source") from None
            if who != self._records.whos[person][at] or found != {n: self._records.values[n][at] for n in names}:
                raise StoreError("a record that was stored does not say what its row says. Keep the source")


def _row(stored: Stored) -> RecordRow:
    return RecordRow(stored.handle, stored.version, stored.batch, stored.tokens, stored.body)
