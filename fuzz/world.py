"""A charter and a published ledger to change: the city's catalog, under the keys of the ledger's own tests."""

from __future__ import annotations

from functools import cache

from tests.ledger import made

from fuzz.sample import blank
from fuzz.seeds import example
from strongroom.catalog import charter as charters
from strongroom.catalog import source
from strongroom.catalog.model import KeyholderKeys, VaultKeys
from strongroom.catalog.types import identifier_kinds
from strongroom.ledger import entry, tag
from strongroom.seal import hpke

ROOM = bytes(range(16))
SIZE = 12

_public = made.log.key_id.ljust(32, b"\1")


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
def ledger() -> made.Ledger:
    """The ledger of ``entries``, published."""
    found = made.Ledger()
    found.append(entries())
    found.publish()
    return found
