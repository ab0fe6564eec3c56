"""The ledger's own formats: entries, notes, checkpoints, proofs, tiles, day files, keys, charters (SPEC.md section 5)."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuzz.seeds import hexes, texts, vector
from fuzz.target import Target, bytes_of, text_of
from strongroom.canonical import Codec, encode
from strongroom.errors import CheckpointError, EntryError, LedgerError, NoteError, ProofError, TileError
from strongroom.ledger import checkpoint, confirm, entry, key, note, proof, tag, tile, tree
from strongroom.ledger.charters import _SIGNATURE, Charters


def targets() -> list[Target]:
    return [
        Target(
            name="ledger.entry",
            read=entry.parse,
            write=entry.encode,
            errors=EntryError,
            seeds=lambda: texts("ledger-entry", "cases", "text"),
            of=(entry.parse,),
            weight=0.3,
        ),
        Target(
            name="ledger.entries",
            read=lambda data: entry.parse_all(data.split(b"\n")),
            write=lambda found: b"\n".join(map(entry.encode, found)),
            errors=EntryError,
            seeds=lambda: [b"\n".join(texts("ledger-entry", "cases", "text")[:3])],
            of=(entry.parse_all, Codec.parse_lines),
            weight=0.3,
        ),
        Target(
            name="ledger.note",
            read=lambda data: note.parse_note(text_of(data)),
            write=lambda found: bytes_of(note.marshal(found)),
            errors=NoteError,
            seeds=lambda: texts("ledger-note", "cases", "note"),
            of=(note.parse_note, key.unbase64),
            weight=0.3,
        ),
        Target(
            name="ledger.signed-checkpoint",
            read=lambda data: note.open_checkpoint(text_of(data), _verifiers()),
            errors=(NoteError, CheckpointError),
            silent=False,
            seeds=lambda: texts("ledger-note", "cases", "note"),
            of=(note.open_checkpoint,),
            weight=0.1,
        ),
        Target(
            name="ledger.cosignature",
            read=_cosignature,
            errors=NoteError,
            silent=False,
            seeds=_cosignatures,
            of=(note.open_note,),
            weight=0.1,
        ),
        Target(
            name="ledger.cosigned",
            read=lambda data: confirm.claimed(text_of(data)),
            errors=(NoteError, CheckpointError),
            seeds=lambda: texts("ledger-note", "cases", "note"),
            of=(confirm.claimed,),
            weight=0.3,
        ),
        Target(
            name="ledger.checkpoint",
            read=lambda data: checkpoint.parse(text_of(data)),
            write=lambda found: bytes_of(found.marshal()),
            errors=CheckpointError,
            seeds=lambda: texts("ledger-cosignature", "cases", "checkpoint"),
            of=(checkpoint.parse,),
        ),
        Target(
            name="ledger.proof",
            read=lambda data: proof.parse(text_of(data)),
            write=lambda found: bytes_of(found.marshal()),
            errors=ProofError,
            seeds=lambda: texts("ledger-proof", "cases", "proof"),
            of=(proof.parse,),
            weight=0.3,
        ),
        Target(
            name="ledger.receipt",
            read=lambda data: proof.verify(proof.parse(text_of(data)), _proved(), _verifiers()),
            errors=LedgerError,
            silent=False,
            seeds=lambda: texts("ledger-proof", "cases", "proof"),
            of=(proof.verify,),
            weight=0.1,
        ),
        Target(
            name="ledger.inclusion",
            read=_inclusion,
            errors=ProofError,
            silent=False,
            seeds=lambda: [encode(_flat(case)) for case in vector("merkle-inclusion")["cases"]],
            of=(tree.verify_inclusion,),
            weight=0.3,
        ),
        Target(
            name="ledger.consistency",
            read=_consistency,
            errors=ProofError,
            silent=False,
            seeds=lambda: [encode(_flat(case)) for case in vector("merkle-consistency")["cases"]],
            of=(tree.verify_consistency,),
            weight=0.3,
        ),
        Target(
            name="ledger.day",
            read=tag.parse_day,
            write=tag.marshal_day,
            errors=EntryError,
            seeds=lambda: hexes("ledger-tag", "days", "file"),
            of=(tag.parse_day,),
        ),
        Target(
            name="ledger.tile-path",
            read=lambda data: tile.parse_path(text_of(data)),
            write=lambda found: bytes_of(tile.path(*found)),
            errors=TileError,
            seeds=lambda: [tile.path(level, n, width).encode() for level, n, width in _PATHS],
            of=(tile.parse_path,),
        ),
        Target(
            name="ledger.bundle",
            # The first byte is the count, which a reader knows from elsewhere.
            read=lambda data: tile.parse_bundle(data[1:], int.from_bytes(data[:1] or b"\1", "big")),
            write=lambda found: bytes([len(found)]) + tile.bundle(found),
            errors=TileError,
            seeds=_bundles,
            of=(tile.parse_bundle,),
        ),
        Target(
            name="ledger.vkey",
            read=lambda data: key.parse_vkey(text_of(data)),
            write=lambda found: bytes_of(key.vkey(*found)),
            errors=NoteError,
            # A key that is whole but for its length is named: a verifier key is no secret.
            silent=False,
            seeds=_vkeys,
            of=(key.parse_vkey,),
        ),
        Target(
            name="ledger.verifier",
            read=lambda data: note.verifier(text_of(data)),
            write=lambda found: bytes_of(found.vkey),
            errors=NoteError,
            silent=False,
            seeds=_vkeys,
            of=(note.verifier,),
        ),
        Target(
            name="ledger.charter-chain",
            read=_charter,
            errors=EntryError,
            silent=False,
            seeds=_charters,
            of=(Charters.add,),
            weight=0.02,
        ),
    ]


_PATHS: tuple[tuple[tile.Level, int, int], ...] = (
    (0, 0, 256), (0, 0, 1), (1, 1234, 255), (63, 0, 256), ("entries", 1_234_067, 5), ("entries", 999, 256),
)  # fmt: skip


def _verifiers() -> list[note.Verifier]:
    return [note.verifier(vkey.decode()) for vkey in _vkeys()]


def _vkeys() -> list[bytes]:
    # No two under one name and id: those of the vectors are the same few, written again and again.
    return sorted({vkey.encode() for case in vector("ledger-note")["cases"] for vkey in case["vkeys"] if _sound(vkey)})


def _sound(vkey: str) -> bool:
    try:
        note.verifier(vkey)
    except NoteError:
        return False
    return True


def _proved() -> bytes:
    return bytes.fromhex(vector("ledger-proof")["cases"][0]["entry"])


_COSIGNED = 1  # the case whose checkpoint the lines are held against


def _cosignatures() -> list[bytes]:
    wanted = vector("ledger-cosignature")["cases"][_COSIGNED]["checkpoint"]
    return [case["line"].encode() for case in vector("ledger-cosignature")["cases"] if case["checkpoint"] == wanted]


def _cosignature(data: bytes) -> str:
    cases = vector("ledger-cosignature")["cases"]
    trusted = {one: note.verifier(one) for one in sorted({case["vkey"] for case in cases})}
    return note.open_note(f"{cases[_COSIGNED]['checkpoint']}\n{text_of(data)}", list(trusted.values()))


def _flat(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name not in ("name", "desc", "wantErr")}


def _inclusion(data: bytes) -> None:
    found = _members(data)
    tree.verify_inclusion(
        _number(found.get("leafIdx")),
        _number(found.get("treeSize")),
        _hash(found.get("leafHash")),
        _hashes(found),
        _hash(found.get("root")),
    )


def _consistency(data: bytes) -> None:
    found = _members(data)
    tree.verify_consistency(
        _number(found.get("size1")),
        _number(found.get("size2")),
        _hash(found.get("root1")),
        _hash(found.get("root2")),
        _hashes(found),
    )


def _members(data: bytes) -> dict[str, Any]:
    """Numbers and hashes for the verifiers, which are handed what other parsers made: JSON is this target's own affair."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ProofError("none") from None
    if not isinstance(found, dict):
        raise ProofError("none")
    return found


def _number(value: Any) -> int:
    return value if isinstance(value, int) and abs(value) <= checkpoint.MAX_SIZE else 0


def _hash(value: Any) -> bytes:
    try:
        return key.unbase64(value) if isinstance(value, str) else b""
    except NoteError:
        return b""


def _hashes(found: dict[str, Any]) -> list[bytes]:
    given = found.get("proof")
    return [_hash(one) for one in given] if isinstance(given, list) else []


def _bundles() -> list[bytes]:
    entries = texts("ledger-entry", "cases", "text")[:3]
    return [bytes([count]) + tile.bundle(entries[:count]) for count in range(4)] + [b"\xff" + tile.bundle([b""] * 255)]


def _charters() -> list[bytes]:
    public = _steward().public_key().public_bytes_raw()
    first = {"delay": 60, "name": "riverton.example", "previous": bytes(32), "stewards": [public], "v": 9, "version": 1}
    more = {
        "heartbeat": 60,
        "keyholder": {"log": "x"},
        "room": bytes(16),
        "buckets": {"residents": {"phone": bytes(32)}},
    }
    return [encode(first), encode(first | more), vector("charter")["document"].encode()]


def _steward() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector("charter")["steward_private"]))


def _charter(data: bytes) -> None:
    """A first charter, signed by its own steward: what a verifier meets is signed, and may be of any later schema."""
    try:
        document = data.decode()
    except UnicodeDecodeError:
        raise EntryError("an entry holds text") from None
    steward = _steward()
    signature, public = steward.sign(_SIGNATURE + data), steward.public_key().public_bytes_raw()
    Charters().add(entry.CharterEntry(v=1, time=7, document=document, effective=7, signature=signature, steward=public))
