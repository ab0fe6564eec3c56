"""Founding a room, and changing its charter: who draws which key, and what each house is told (SPEC.md sections 6 and 9).

On one machine all of it happens in one go. Elsewhere the same steps are done apart: each house draws its own keys and hands out only
public ones, the steward signs, and the first charter's hash is carried to both houses by hand.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Bytes32, Bytes64, Codec, Record, encode
from strongroom.catalog import charter as charters
from strongroom.catalog import source as sources
from strongroom.catalog.model import Charter, KeyholderKeys, RosterLine, VaultKeys
from strongroom.catalog.types import identifier_kinds
from strongroom.custody import keys as vault_keys
from strongroom.custody.buckets import bucket_roots
from strongroom.custody.findings import sound
from strongroom.custody.room import Room
from strongroom.errors import InputError
from strongroom.keyholder import files
from strongroom.keyholder import keys as keyholder_keys
from strongroom.seal import hpke
from strongroom.store.vault import VaultStore

Progress = Callable[[str], None]

_PARTS = ("steward", "public", "keyholder", "vault")


class _StewardFile(Record, frozen=True, kw_only=True):
    key: Bytes32


_steward: Codec[_StewardFile] = Codec(_StewardFile, "steward.key", InputError)


def load_steward(path: Path) -> Ed25519PrivateKey:
    """Raises ``InputError``."""
    try:
        return Ed25519PrivateKey.from_private_bytes(_steward.parse(path.read_bytes()).key)
    except OSError as error:
        raise InputError(f"{path}: no steward key ({error.strerror})") from None


class First(Record, frozen=True, kw_only=True):
    """The first charter as its steward signed it: everything that the ledger's first entry is made of."""

    document: str
    roster: str
    signature: Bytes64
    steward: Bytes32

    @property
    def genesis(self) -> bytes:
        return charters.charter_hash(self.document.encode())

    def enter(self, room: Room) -> int:
        """Have the keyholder write it, and publish its ledger. Returns the entry's index."""
        index = room.enter_charter(self.document.encode(), self.roster.encode(), self.signature, self.steward)
        room.publish()
        return index


def found(root: Path, source: sources.Source, random: Callable[[int], bytes], progress: Progress) -> bytes:
    """Make both houses under ``root`` and write the first charter into the ledger. Returns the charter's hash.

    Raises ``StoreError`` when there is a room already, ``CatalogError`` when the source is wrong: then nothing was made.
    """
    sound(source)
    return whole(root, _PARTS, lambda draft: _found(draft, source, random, progress))


def whole(root: Path, parts: Sequence[str], make: Callable[[Path], bytes]) -> bytes:
    """What ``make`` makes in a folder of its own, its ``parts`` then moved to ``root``. Raises ``InputError`` for a room that is there."""
    draft = root / ".founding"
    if draft.exists():
        raise _cut_short(root)
    if any((root / part).exists() for part in _PARTS):
        raise InputError(f"{root}: there is a room already. Choose another directory")
    # Made whole beside its place: a room of which half is there would have keys, and no charter to use them under.
    try:
        draft.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise _cut_short(root) from None
    try:
        genesis = make(draft)
        for part in parts:
            (draft / part).rename(root / part)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return genesis


def _cut_short(root: Path) -> InputError:
    # Some parts may have come to their place, and are of no use without the others.
    there = [part for part in (".founding", *_PARTS) if (root / part).exists()]
    return InputError(
        f"{root}: a founding was cut short, or is under way. Remove what it left there ({', '.join(there)}), then try again"
    )


def _found(root: Path, source: sources.Source, random: Callable[[int], bytes], progress: Progress) -> bytes:
    room = random(16)
    progress("drawing the keys of both houses")
    holder = keyholder_keys.create(root / "keyholder", room, source.name, random)
    first = first_charter(root, source, room, holder.public(), "file:../keyholder", random, progress)
    files.remember_genesis(root / "keyholder", first.genesis)
    with files.lock(root / "keyholder"):
        keyholder = files.open_keyholder(root / "keyholder", root / "public")

        def transport(path: str, signature: bytes, body: bytes) -> bytes:
            return encode(keyholder.ask(path, signature, body))

        opened = Room(root / "vault", transport=transport)
        first.enter(opened)
        opened.close()
        keyholder.store.close()
    return first.genesis


def first_charter(
    root: Path,
    source: sources.Source,
    room: bytes,
    keyholder: KeyholderKeys,
    address: str,
    random: Callable[[int], bytes],
    progress: Progress,
) -> First:
    """Draw the vault's and the steward's keys under ``root``, and have the steward sign the first charter. ``address``: the keyholder's,
    for ``room.json``."""
    vault = vault_keys.create(root / "vault", room, source.name, source.holdings, random)
    (root / "steward").mkdir(mode=0o700)
    seed, auditor = random(32), random(96)
    keyholder_keys.write_secret(root / "steward" / "steward.key", encode(_StewardFile(key=seed)))
    keyholder_keys.write_secret(root / "steward" / "auditor.key", auditor)
    steward = Ed25519PrivateKey.from_private_bytes(seed)
    roster = charters.roster_bytes([])
    charter = sources.build(
        source,
        version=1,
        previous=bytes(32),
        room=room,
        stewards=[steward.public_key().public_bytes_raw()],
        roster=charters.roster_hash(roster),
        auditor=hpke.private_from(auditor).public,
        vault=VaultKeys(cosigner=vault.cosigner.vkey, message=vault.message.public_key().public_bytes_raw()),
        keyholder=keyholder,
        buckets=_buckets(source, vault, progress),
    )
    document = charters.document(charter)
    first = First(
        document=document.decode(),
        roster=roster.decode(),
        signature=charters.sign(document, steward),
        steward=charter.stewards[0],
    )
    progress("the ceremony: both houses are told the first charter's hash")
    vault_keys.write_room(
        root / "vault", vault_keys.RoomFile(genesis=first.genesis, keyholder=address, log=keyholder.log)
    )
    VaultStore(root / "vault" / "vault.db", create=True).close()
    return first


def _buckets(source: sources.Source, vault: vault_keys.VaultKeys, progress: Progress) -> dict[str, dict[str, bytes]]:
    kinds = [(holding, kind) for holding, declared in source.holdings.items() for kind in identifier_kinds(declared)]

    def done(count: int) -> None:
        progress(f"committing to a million bucket keys for each kind of identifier: {count} of {len(kinds)}")

    done(0)
    roots = bucket_roots([(vault.holding(holding), kind) for holding, kind in kinds], done)
    buckets: dict[str, dict[str, bytes]] = {holding: {} for holding in source.holdings}
    for (holding, kind), root in zip(kinds, roots, strict=True):
        buckets[holding][kind] = root
    return buckets


def amend(
    room: Room, steward: Ed25519PrivateKey, change: Callable[[Charter], Charter], roster: Sequence[RosterLine]
) -> Charter:
    """Sign and enter the charter that follows the latest one. It takes effect after the public delay.

    ``change`` is handed the latest charter and returns what shall differ; version, previous and roster are set here.
    Raises ``Refused`` (``charter``), ``CatalogError``.
    """
    latest = room.mirror.charters()[-1]
    lines = charters.roster_bytes(roster)
    new = msgspec.structs.replace(
        change(latest.charter),
        version=latest.charter.version + 1,
        previous=latest.hash,
        roster=charters.roster_hash(lines),
    )
    document = charters.document(new)
    charters.successor(latest.charter, charters.document(latest.charter), new)
    room.enter_charter(document, lines, charters.sign(document, steward), steward.public_key().public_bytes_raw())
    return new


def latest_roster(room: Room) -> list[RosterLine]:
    """The roster of the latest charter, in force or not yet."""
    wanted = room.mirror.charters()[-1].charter.roster
    kept = room.store.roster(wanted)
    if kept is None:
        raise InputError("the vault does not hold the roster of the latest charter")
    return charters.parse_roster(kept)


def enrol_reader(room: Room, steward: Ed25519PrivateKey, device: bytes, role: str, unit: str) -> Charter:
    """Add a reader's device key (32 bytes) to the roster. Raises ``InputError`` when it is there already."""
    lines = latest_roster(room)
    if any(line.key == device for line in lines):
        raise InputError("this device is in the roster already")
    return amend(room, steward, lambda charter: charter, [*lines, RosterLine(key=device, role=role, unit=unit)])
