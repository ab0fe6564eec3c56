"""A certificate of erasure proves what it says, and with any part of it changed proves nothing (SPEC.md 8.9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.catalog import sample

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.client import certificate
from strongroom.client.certificate import CertificateFile, Proved
from strongroom.client.certificate_page import page
from strongroom.errors import InputError, StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import entry, note, proof, tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.prover import Prover

HOLDING, START, DAY = "residents", 1_700_000_000, 86400
LOG = note.Signer("riverton.example/ledger", Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
OTHER = note.Signer("riverton.example/ledger", Ed25519PrivateKey.from_private_bytes(b"\2" * 32))
MESSAGE = Ed25519PrivateKey.from_private_bytes(b"\3" * 32)
HANDLES = [bytes([n]) * 16 for n in (1, 2)]
MARKS = [bytes([n]) * 16 for n in (11, 12)]
CHARTER = sample.charter(
    keyholder=msgspec.structs.replace(
        sample.charter().keyholder, log=LOG.vkey, message=MESSAGE.public_key().public_bytes_raw()
    )
)
GENESIS = charters.charter_hash(charters.document(CHARTER))


def _charter_entry(charter: Any = CHARTER) -> entry.CharterEntry:
    document = charters.document(charter).decode()
    return entry.CharterEntry(
        v=1, time=START, document=document, effective=START, signature=bytes(64), steward=sample.key("steward")
    )


def _erasure(**changes: Any) -> entry.ErasureEntry:
    members: dict[str, Any] = {
        "v": 1,
        "time": START + DAY,
        "asker": bytes(12),
        "charter": GENESIS,
        "commitment": bytes(32),
        "countersigners": [],
        "count": 2,
        "epochs": [60, 90],
        "holding": HOLDING,
        "marks": MARKS,
        "purpose": "forget",
        "role": "clerk",
        "tags": [bytes(16)],
        "unit": "registry",
    }
    return entry.ErasureEntry(**members | changes)


def _expiry(epoch: int, holding: str = HOLDING) -> entry.ExpiryEntry:
    return entry.ExpiryEntry(v=1, time=START + epoch * DAY, epoch=epoch, holding=holding, key=bytes(32))


def _beat(days: int) -> entry.HeartbeatEntry:
    return entry.HeartbeatEntry(v=1, time=START + days * DAY)


@dataclass
class Made:
    """A certificate over a ledger of one's own, whose parts a test changes before ``data``."""

    ledger: list[entry.Entry] = field(
        default_factory=lambda: [_charter_entry(), _beat(0), _erasure(), _beat(2), _expiry(60), _expiry(90), _beat(91)]
    )
    named: list[int] = field(default_factory=lambda: [0, 2, 4, 5])
    said: dict[str, Any] = field(default_factory=dict)
    records: list[protocol.CertifiedRecord] = field(
        default_factory=lambda: [
            protocol.CertifiedRecord(handle=handle, mark=mark, entry=2, epochs=[])
            for handle, mark in zip(HANDLES, MARKS, strict=True)
        ]
    )
    log: note.Signer = LOG
    key: Ed25519PrivateKey = MESSAGE

    def file(self) -> CertificateFile:
        entries = [entry.encode(item) for item in self.ledger]
        leaves = [tree.leaf_hash(one) for one in entries]
        tiles = tile.append(lambda level, n: b"", 0, leaves)
        size, root = len(leaves), tree.root(leaves)
        text = Checkpoint("riverton.example/ledger", size, root).marshal()
        signed = f"{text}\n{self.log.sign(text)}"
        members: dict[str, Any] = {
            "v": 1,
            "holding": HOLDING,
            "records": self.records,
            "room": CHARTER.room,
            "root": root,
            "size": size,
            "time": START + 91 * DAY,
        }
        said = encode(protocol.Certificate(**members | self.said))
        prover = Prover(lambda level, n: tiles.get((level, n), b""))
        proved = [
            Proved(
                entry=entries[index].decode(),
                proof=proof.Proof(index, tuple(prover.inclusion(index, size)), signed).marshal(),
            )
            for index in self.named
        ]
        signature = self.key.sign(protocol.certificate_message(said))
        return CertificateFile(certificate=said.decode(), entries=proved, signature=signature, v=1)

    def data(self) -> bytes:
        return encode(self.file())


def _record(at: int = 0, **changes: Any) -> protocol.CertifiedRecord:
    return msgspec.structs.replace(Made().records[at], **changes)


def test_final() -> None:
    for anchors in ({"genesis": GENESIS}, {"log": LOG.vkey}, {"genesis": GENESIS, "log": LOG.vkey}):
        found = certificate.verify(Made().data(), **anchors)
        assert found.final
        assert (found.genesis, found.holding, found.final_on) == (GENESIS, HOLDING, 90)
        assert [one.handle for one in found.records] == HANDLES
        assert found.records[0].time == START + DAY
        assert found.records[0].destroyed == {60: (4, START + 60 * DAY), 90: (5, START + 90 * DAY)}


def test_not_final_yet() -> None:
    made = Made(named=[0, 2, 4])
    made.ledger = made.ledger[:5]
    made.records = [_record(epochs=[90])]
    found = certificate.verify(made.data(), genesis=GENESIS)
    assert not found.final
    assert (found.records[0].pending, found.final_on) == ((90,), 90)
    assert found.records[0].destroyed.keys() == {60}


def test_erased_when_there_was_no_key() -> None:
    """Nothing could be opened then: final at once, on no day of its own."""
    made = Made(ledger=[_charter_entry(), _erasure(epochs=[])], named=[0, 1])
    made.records = [_record(entry=1)]
    found = certificate.verify(made.data(), genesis=GENESIS)
    assert found.final
    assert found.final_on == 0


def test_the_page_says_it_in_plain_words() -> None:
    final = page(certificate.verify(Made().data(), genesis=GENESIS), "erased.json")
    assert final.startswith(
        "# Erased, for good\n\nriverton.example kept 2 records in its collection *residents* (Those who live here)."
    )
    assert "Every key by which they could have been opened is destroyed" in final
    assert f"strongroom certificate verify erased.json --genesis {GENESIS.hex()}" in final
    made = Made(named=[0, 2, 4], records=[_record(epochs=[90])])
    made.ledger = made.ledger[:5]
    early = page(certificate.verify(made.data(), genesis=GENESIS), "erased.json")
    assert early.startswith("# Erased, and final on 1970-04-01\n")
    assert "**It is not final yet.** Keys by which it could be opened still exist" in early
    assert "the key of this day is to be destroyed" in early
    assert all("\n\n\n" not in text for text in (final, early))


def test_something_from_elsewhere_is_wanted() -> None:
    with pytest.raises(InputError, match="give --genesis or --vkey"):
        certificate.verify(Made().data())


Wrong = Callable[[Made], None]


def _set(**changes: Any) -> Wrong:
    def change(made: Made) -> None:
        for name, value in changes.items():
            setattr(made, name, value)

    return change


def _ledger(*items: entry.Entry, named: Sequence[int] = (0, 2, 4, 5)) -> Wrong:
    return _set(ledger=list(items), named=list(named))


_LATE = (_erasure(time=START + 90 * DAY), msgspec.structs.replace(_expiry(60), time=START + 91 * DAY))

WRONG: dict[str, tuple[Wrong, str]] = {
    "another log": (_set(log=OTHER), "no known key has signed"),
    "another keyholder": (_set(key=Ed25519PrivateKey.generate()), "not signed by the room's keyholder"),
    "another room": (_set(said={"room": bytes(16)}), "of another room"),
    "another size": (_set(said={"size": 6}), "another state of the ledger"),
    "another root": (_set(said={"root": bytes(32)}), "another state of the ledger"),
    "another holding": (_set(said={"holding": "calls"}), "is not the erasure of record"),
    "no record": (_set(records=[]), "or none"),
    "a record twice": (_set(records=[_record(), _record(mark=MARKS[1])]), "a record twice"),
    "one mark for two": (_set(records=[_record(), _record(1, mark=MARKS[0])]), "under one mark"),
    "a mark that is in no erasure": (_set(records=[_record(mark=bytes(16))]), "is not the erasure of record"),
    "an entry that is none": (_set(records=[_record(entry=99)]), "is not the erasure of record"),
    "an entry that is no erasure": (_set(records=[_record(entry=4)]), "is not the erasure of record"),
    "keys that the erasure does not name": (_set(records=[_record(epochs=[120])]), "keys that the erasure does not"),
    "keys in disorder": (_set(records=[_record(epochs=[90, 60])]), "keys that the erasure does not"),
    "no expiry of one key": (_set(named=[0, 2, 4]), "the ledger does not say so"),
    "an expiry of another holding": (
        _ledger(_charter_entry(), _beat(0), _erasure(), _beat(2), _expiry(60), _expiry(90, "calls")),
        "the ledger does not say so",
    ),
    "an expiry from before the erasure": (
        _ledger(_charter_entry(), _expiry(90), *_LATE, _beat(91), named=(0, 1, 2, 3)),
        "the ledger does not say so",
    ),
    "an entry too many": (_set(named=[0, 2, 3, 4, 5]), "its entries are not"),
    "no charter": (_set(named=[2, 4, 5]), "no charter that this program reads"),
    "a charter that is not the first": (
        _ledger(_beat(0), _charter_entry(), *Made().ledger[2:], named=(1, 2, 4, 5)),
        "want the ledger's first entry",
    ),
    "another genesis": (
        _ledger(_charter_entry(msgspec.structs.replace(CHARTER, delay=0)), *Made().ledger[1:]),
        "another room than the one of this first charter",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_wrong_is_found(name: str) -> None:
    change, said = WRONG[name]
    made = Made()
    change(made)
    with pytest.raises(StrongroomError, match=said):
        certificate.verify(made.data(), genesis=GENESIS)


def test_a_forger_with_a_log_of_his_own_is_no_match_for_either_anchor() -> None:
    forged = msgspec.structs.replace(CHARTER, keyholder=msgspec.structs.replace(CHARTER.keyholder, log=OTHER.vkey))
    made = Made(log=OTHER)
    made.ledger[0] = _charter_entry(forged)
    own = charters.charter_hash(charters.document(forged))
    assert certificate.verify(made.data(), genesis=own).final
    for anchors in ({"genesis": GENESIS}, {"log": LOG.vkey}):
        with pytest.raises(StrongroomError, match="or forged"):
            certificate.verify(made.data(), **anchors)


def _swap(file: CertificateFile, order: Sequence[int]) -> CertificateFile:
    return msgspec.structs.replace(file, entries=[file.entries[at] for at in order])


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 1, 1, 2, 3), (1, 0, 2, 3)])
def test_entries_in_order_and_once(order: tuple[int, ...]) -> None:
    with pytest.raises(StrongroomError):
        certificate.verify(encode(_swap(Made().file(), order)), genesis=GENESIS)


def test_one_checkpoint_for_all() -> None:
    """Proofs of two states of the ledger, each good: of which one does the certificate speak?"""
    file, made = Made().file(), Made()
    made.ledger.append(_beat(92))
    later = made.file()
    mixed = msgspec.structs.replace(file, entries=[*file.entries[:-1], later.entries[-1]])
    with pytest.raises(StrongroomError, match="one checkpoint for all"):
        certificate.verify(encode(mixed), genesis=GENESIS)


def test_no_byte_of_it_can_be_changed() -> None:
    """A cosigner's line could be added below the checkpoint, and is signed for by itself; all else is bound."""
    whole = Made().data()
    for at in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[at] ^= 1
        with pytest.raises(StrongroomError):
            certificate.verify(bytes(changed), genesis=GENESIS)
    for at in range(0, len(whole), 501):
        with pytest.raises(StrongroomError):
            certificate.verify(whole[:at], genesis=GENESIS)
