"""A charter and a published ledger to change: the city's catalog, under the keys of the ledger's own tests."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.ledger import made

from fuzz.sample import blank
from fuzz.seeds import example
from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog import source
from strongroom.catalog.model import KeyholderKeys, VaultKeys
from strongroom.catalog.types import identifier_kinds
from strongroom.client.certificate import Proved, marshal
from strongroom.keyholder import protocol
from strongroom.ledger import entry, tag
from strongroom.ledger.directory import prove
from strongroom.seal import hpke

ROOM = bytes(range(16))
SIZE = 12

message = Ed25519PrivateKey.from_private_bytes(b"\6" * 32)
"""The keyholder's, which the charter names."""

_public = message.public_key().public_bytes_raw()


@cache
def city() -> source.Source:
    """The example that everybody copies."""
    return source.load(example("city/charter.yaml"), "charter.yaml")


@cache
def document() -> bytes:
    """The first charter of a room, as its ceremony writes it."""
    found = city()
    charter = source.build(
        found,
        version=1,
        previous=bytes(32),
        room=ROOM,
        stewards=[made.steward.public_key().public_bytes_raw()],
        roster=charters.roster_hash(charters.roster_bytes([])),
        auditor=hpke.private_from(bytes(range(96))).public,
        vault=VaultKeys(cosigner=made.vault.vkey, message=_public),
        keyholder=blank(
            KeyholderKeys,
            desk=_public,
            log=made.log.vkey,
            message=_public,
            ml_dsa=made.post_quantum.vkey,
            operator=_public,
        ),
        buckets={name: dict.fromkeys(identifier_kinds(one), bytes(32)) for name, one in found.holdings.items()},
    )
    return charters.document(charter)


@cache
def entries() -> tuple[bytes, ...]:
    """``SIZE`` entries: the charter, then days of reads and heartbeats."""
    ruling = charters.charter_hash(document())
    first = made.charter_entry(document(), made.START, made.START)
    found: list[entry.Entry] = [first]
    for at in range(1, SIZE):
        time = made.START + at * 20_000
        if at % 3:
            found.append(blank(entry.FindEntry, **made.asked(time, ruling, at), count=1, tags=[tags()[at]]))
        else:
            found.append(blank(entry.HeartbeatEntry, v=1, time=time))
    return tuple(entry.encode(one) for one in found)


@cache
def tags() -> list[bytes]:
    """A tag for each entry, should it want one."""
    return tag.tags(bytes(32), 1, SIZE)


@cache
def certificate() -> bytes:
    """A file that says of one record that it is erased for good, and proves it, out of a ledger of three entries."""
    ruling, epoch = charters.charter_hash(document()), made.START // 86_400 + 1
    mark, common = b"\7" * 16, made.asked(made.START + 1, ruling, 1)
    erasure = blank(entry.ErasureEntry, **common, count=1, epochs=[epoch], marks=[mark], tags=[tags()[0]])
    expiry = blank(entry.ExpiryEntry, v=1, time=made.START + 90_000, epoch=epoch, holding=str(common["holding"]))
    book = made.Ledger()
    book.append([entries()[0], entry.encode(erasure), entry.encode(expiry)])
    book.publish()
    said = blank(
        protocol.Certificate,
        holding=common["holding"],
        records=[protocol.CertifiedRecord(entry=1, epochs=[], handle=bytes(16), mark=mark)],
        room=ROOM,
        root=book.edge.root(),
        size=3,
        time=made.START + 90_001,
    )
    text = encode(said).decode()
    proofs = [
        Proved(entry=one.decode(), proof=prove(book.files.__getitem__, at).marshal())
        for at, one in enumerate(book.entries)
    ]
    return marshal(text, message.sign(protocol.certificate_message(text.encode())), proofs)


@cache
def ledger() -> made.Ledger:
    """The ledger of ``entries``, published."""
    found = made.Ledger()
    found.append(entries())
    found.publish()
    return found
