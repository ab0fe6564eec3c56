"""A small ledger made with fixed keys, published into a dict: what the ledger's tests start from."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from strongroom.canonical import encode
from strongroom.ledger import entry, note, publish, tag, tile, tree
from strongroom.ledger.charters import _HASH, _SIGNATURE
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import Cosigner, MLDSACosigner
from strongroom.ledger.edge import Edge

NAME = "riverton.example"
ORIGIN = NAME + "/ledger"
START = 1_700_000_000

log = note.Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
post_quantum = MLDSACosigner(ORIGIN + "/ml-dsa", MLDSA44PrivateKey.from_seed_bytes(b"\2" * 32))
vault = Cosigner(ORIGIN + "/vault", Ed25519PrivateKey.from_private_bytes(b"\3" * 32))
steward = Ed25519PrivateKey.from_private_bytes(b"\4" * 32)
verifiers = [note.verifier(one.vkey) for one in (log, post_quantum, vault)]


def charter(version: int, previous: bytes, delay: int = 60) -> bytes:
    """A document with the members that the chain of charters needs, of a schema that nobody knows yet."""
    members = {"delay": delay, "name": NAME, "previous": previous, "stewards": [_public(steward)], "v": 2}
    return encode(members | {"version": version})


def charter_hash(document: bytes) -> bytes:
    return sha256(_HASH + document).digest()


def charter_entry(document: bytes, time: int, effective: int, key: Ed25519PrivateKey = steward) -> entry.CharterEntry:
    return entry.CharterEntry(
        v=1,
        time=time,
        document=document.decode(),
        effective=effective,
        signature=key.sign(_SIGNATURE + document),
        steward=_public(key),
    )


def asked(time: int, charter: bytes, seed: int) -> dict[str, Any]:
    """Members common to what somebody asked for."""
    drawn = random.Random(seed)
    return {
        "v": 1,
        "time": time,
        "asker": drawn.randbytes(12),
        "charter": charter,
        "commitment": drawn.randbytes(32),
        "countersigners": [drawn.randbytes(12)] if seed % 5 == 0 else [],
        "holding": "residents",
        "purpose": "benefit-claim",
        "role": "clerk",
        "unit": "north",
    }


@cache
def entries(count: int) -> tuple[bytes, ...]:
    """``count`` entries of all types, an hour and more apart at first so that they fill several days."""
    first = charter(1, bytes(32))
    second = charter(2, charter_hash(first))
    made: list[entry.Entry] = [charter_entry(first, START, START)]
    chain, given, time = tag.chain_key(b"\5" * 32, b"\6" * 16, b"\7" * 16, 1), 0, START

    def tags(n: int) -> list[bytes]:
        nonlocal given
        given += n
        return sorted(tag.tags(chain, given - n + 1, n))

    while len(made) < count:
        at = len(made)
        time += 3600 if at < 100 else 7
        ruling = charter_hash(second if at >= 11 else first)
        if at == 10:
            made.append(charter_entry(second, time, time + 3600))
        else:
            made.append(_one(at, time, asked(time, ruling, at), tags))
    return tuple(entry.encode(one) for one in made[:count])


def _one(  # noqa: PLR0911 (a table)
    at: int, time: int, common: dict[str, Any], tags: Callable[[int], list[bytes]]
) -> entry.Entry:
    # The key of one day is destroyed in every round, once the erasure of that round has named it.
    day = 1 + at // 16
    match at % 16:
        case 1 | 14:
            return entry.FindEntry(**common, count=1, tags=tags(1))
        case 2:
            return entry.IntakeEntry(**common, count=at, tags=[])
        case 3:
            return entry.RefusalEntry(**common, by="vault", code="budget")
        case 4:
            mark = at.to_bytes(16, "big")
            return entry.ErasureEntry(**common, count=1, epochs=[day, 30_000], marks=[mark], tags=tags(2))
        case 5:
            return entry.NoticeEntry(v=1, time=time, code="freeze", scope="holding:residents")
        case 6:
            return entry.HeartbeatEntry(v=1, time=time)
        case 8:
            return entry.CheckEntry(**common, compartments=[3], count=1, tags=tags(1))
        case 9:
            return entry.CorrectionEntry(**common, compartments=[1, 2, 3], count=1, tags=tags(2))
        case 10:
            return entry.ExportEntry(**common, compartments=[2], count=3, tags=tags(3))
        case 11:
            return entry.ExpiryEntry(v=1, time=time, epoch=day, holding="residents", key=bytes([at % 256]) * 32)
        case 12:
            return entry.HoldEntry(v=1, time=time, authority="北区 court", holding="residents", until=time + 60)
        case 13:
            return entry.IntakeEntry(**common, count=9, tags=tags(3))
        case _:
            return entry.DisclosureEntry(**common, compartments=[1, 3], count=2, tags=tags(2))


@dataclass
class Ledger:
    """Grows as a keyholder's would, and publishes into ``files``."""

    entries: list[bytes] = field(default_factory=list)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    edge: Edge = field(default_factory=Edge)
    files: dict[str, bytes] = field(default_factory=dict)
    published: int = 0

    def read(self, level: int, n: int) -> bytes:
        return self.tiles.get((level, n), b"")

    def append(self, added: list[bytes] | tuple[bytes, ...]) -> None:
        leaves = [tree.leaf_hash(one) for one in added]
        self.tiles |= tile.append(self.read, len(self.entries), leaves)
        self.edge.extend(leaves)
        self.entries += added

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(ORIGIN, len(self.entries), self.edge.root())

    def publish(self) -> None:
        new = publish.files(
            self.read, lambda at, count: self.entries[at : at + count], self.published, len(self.entries)
        )
        self.files |= new
        self.published = len(self.entries)
        self.files["checkpoint"] = sign(self.checkpoint()).encode()
        if self.entries:
            self.files["cosigned"] = cosigned(self.checkpoint()).encode()
        self.files["vkeys"] = "".join(f"{one.vkey}\n" for one in verifiers).encode()


def sign(checkpoint: Checkpoint) -> str:
    """The note under all three signatures."""
    text = checkpoint.marshal()
    signatures = log.sign(text) + post_quantum.cosign(text, START) + vault.cosign(text, START + 1)
    return f"{text}\n{signatures}"


def cosigned(checkpoint: Checkpoint) -> str:
    """The note under the log's line and the vault's."""
    text = checkpoint.marshal()
    return f"{text}\n{log.sign(text)}{vault.cosign(text, START + 1)}"


def ledger(size: int) -> Ledger:
    made = Ledger()
    made.append(entries(size))
    made.publish()
    return made


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
