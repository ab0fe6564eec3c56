"""Write ``vectors/seal-*.json``: SPEC.md sections 1 to 4 by example, for implementations in any language.

    PYTHONPATH=src:. python tests/seal/make_vectors.py

Bytes are lower-case hex. HPKE draws randomness of its own, so a run that finds an earlier file keeps its encapsulation
as long as it still opens; all else comes out the same. In ``seal-failures.json`` each case fails for one reason;
``error`` is the code of the exception expected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.seal import made

from strongroom.errors import SealError
from strongroom.gate.ask import reader_id
from strongroom.ledger import tag
from strongroom.seal import batch, body, ids, person, plaintext, slot, token
from strongroom.seal.compartment import associated, key_and_check
from strongroom.seal.epoch import epoch_of, epoch_text
from strongroom.seal.label import label
from strongroom.seal.padding import pad, padded_size

VECTORS = Path(__file__).parents[2] / "vectors"
Case = dict[str, Any]

HANDLE, VERSION, RETENTION, DAY = made.draw("handle", 16), 3, 3_650, 21_192
FIELDS: dict[int, dict[str, str | None]] = {
    1: {"id": "990101199001011234", "name": "欧阳 Ada", "sex": "f"},
    4: {"address": None, "phone": "+861012345678"},
}
WIDTHS = {"sex": 6}
KIND, VALUE = "resident-id", "990101199001011234"
MONTH = 1_795_391_999  # 2026-11-23


def derivations() -> Case:
    inner = person.inners(made.KEYS, KIND, [VALUE])[0]
    j = person.bucket(KIND, VALUE)
    k_j = person.bucket_key(made.KEYS.person(KIND), j)
    index = made.draw("K_index", 32)
    index_key = token.index_key(index, made.HOLDING, ids.kind_id(KIND))
    reader = reader_id(made.draw("device", 32))
    tag_key, pseudonym = made.draw("K_tag", 32), made.draw("K_pseudonym", 32)
    chain = tag.chain_key(tag_key, made.HOLDING, person.who_of_inner(inner), 1)
    return {
        "about": "SPEC.md 1.2, 1.4, 2 and 4: names, persons, tokens; 3.1: epochs; 5.4 and 5.5: pseudonym, chain, tags",
        "label": {"name": "holding", "label": label("holding").hex()},
        "room": made.ROOM.hex(),
        "holding": {"name": "residents", "id": made.HOLDING.hex()},
        "kind": {"kind": KIND, "id": ids.kind_id(KIND).hex()},
        "keyholder": {"message_key": made.draw("message key", 32).hex(), "id": made.KEYHOLDER.hex()},
        "reader": {"device": made.draw("device", 32).hex(), "id": reader.hex()},
        "keys": {
            "KH": made.KEYS.key.hex(),
            "K_seal": made.KEYS.seal.hex(),
            "K_person": made.KEYS.person(KIND).hex(),
            "K_nobody": made.KEYS.nobody.hex(),
        },
        "person": {
            "nf": VALUE,
            "j": j,
            "k_j": k_j.hex(),
            "leaf": person.bucket_leaf(k_j).hex(),
            "inner": inner.hex(),
            "who": person.who_of_inner(inner).hex(),
        },
        "nobody": {"handle": HANDLE.hex(), "who": person.who_of_handle(made.KEYS, HANDLE).hex()},
        "no_value": {
            "kind": "phone",
            "field": "mobile",
            "seed": inner.hex(),
            "inner": person.no_value(made.KEYS, "phone", "mobile", [inner])[0].hex(),
        },
        "token": {
            "K_index": index.hex(),
            "index_key": index_key.hex(),
            "inner": inner.hex(),
            "token": token.tokens(index_key, [inner])[0].hex(),
        },
        "chain": {
            "K_tag": tag_key.hex(),
            "who": person.who_of_inner(inner).hex(),
            "generation": 1,
            "k_tag": chain.hex(),
            "tags": {str(n): tag.tag(chain, n).hex() for n in (1, 2)},
        },
        "asker": {
            "K_pseudonym": pseudonym.hex(),
            "time": MONTH,
            "month": "2026-11",
            "asker": tag.asker(pseudonym, reader, MONTH).hex(),
        },
        "epochs": [
            {"day": day, "retention": kept, "epoch": (epoch := epoch_of(day, kept)), "text": epoch_text(epoch)}
            for day, kept in ((0, 0), (20_780, 30), (20_780, 365), (20_780, 366), (DAY, RETENTION))
        ],
    }


def record(kept: str) -> Case:
    """One record of two compartments. ``kept``: hex of an earlier sealed batch secret, or empty."""
    b = made.stream("batch")(32)
    opened = batch.Batch.open(made.ROOM, made.KEYHOLDER, made.HOLDING, made.EPOCH, made.PRIVATE.public, lambda n: b[:n])
    sealed = bytes.fromhex(kept) if kept and _opens(bytes.fromhex(kept), b) else opened.sealed
    who = person.who_of_inner(person.inners(made.KEYS, KIND, [VALUE])[0])
    texts = {n: plaintext.encode_fields(fields, WIDTHS if n == 1 else {}) for n, fields in FIELDS.items()}
    columns = [batch.Column(n, 256, [text], [who]) for n, text in texts.items()]
    rows = batch.seal_records(opened, made.KEYS, [HANDLE], [VERSION], columns, made.stream("nonces"))
    slots = []
    for found in body.parse(rows[0][2]):
        share = slot.share(b, who, HANDLE, VERSION, found.compartment)
        key, check = key_and_check(made.KEYS, share)
        place = slot.address(HANDLE, VERSION, found.compartment)
        mask = slot.unmask(b, bytes(16), HANDLE, VERSION, found.compartment)
        slots.append({
            "compartment": found.compartment,
            "fields": FIELDS[found.compartment],
            "plaintext": texts[found.compartment].hex(),
            "padded": pad(texts[found.compartment], 256).hex(),
            "mask": mask.hex(),
            "w": found.masked.hex(),
            "share": share.hex(),
            "key": key.hex(),
            "check": check.hex(),
            "nonce": found.blob[1:13].hex(),
            "aad": (associated(made.KEYS) + place).hex(),
            "blob": found.blob.hex(),
        })  # fmt: skip
    return {
        "about": "SPEC.md 3: one batch, one sealed record. Field sex is an enum whose longest value has 6 bytes",
        "room": made.ROOM.hex(),
        "keyholder": made.KEYHOLDER.hex(),
        "holding": made.HOLDING.hex(),
        "KH": made.KEYS.key.hex(),
        "epoch": made.EPOCH,
        "epoch_private": made.draw("epoch key", 96).hex(),
        "epoch_public": made.PRIVATE.public.hex(),
        "b": b.hex(),
        "sealed": sealed.hex(),
        "batch": ids.batch_id(sealed).hex(),
        "handle": HANDLE.hex(),
        "version": VERSION,
        "who": who.hex(),
        "slots": slots,
        "body": rows[0][2].hex(),
    }


def padding() -> Case:
    sizes = [1, 64, 65, 255, 256, 257, 320, 1000, 1024, 1025, 1088, 1089, 2047, 2048, 2049, 65_535, 65_537, 1_000_000]
    return {
        "about": "SPEC.md 3.5: pad(n) for some floors; and what stays when padding is taken off",
        "sizes": [{"n": n, "floor": floor, "pad": padded_size(n, floor)} for floor in (64, 256, 2048) for n in sizes],
        "padded": [{"data": d.hex(), "padded": pad(d, 64).hex()} for d in (b"", b"a", b"\x80", b"\x80\0\0", b"a" * 63)],
    }


def failures(record: Case) -> Case:
    """Each case is the record's first slot with one thing wrong, or a body or padding that nobody writes."""
    first = record["slots"][0]
    good = {"handle": record["handle"], "version": VERSION, "compartment": 1, "blob": first["blob"]}
    good |= {"share": first["share"]}
    b, who = bytes.fromhex(record["b"]), bytes.fromhex(record["who"])

    def share(who: bytes = who, handle: bytes = HANDLE, version: int = VERSION, compartment: int = 1) -> str:
        return slot.share(b, who, handle, version, compartment).hex()

    blob, data = bytes.fromhex(first["blob"]), bytes.fromhex(record["body"])
    opens: list[tuple[str, str, Case]] = [
        ("person relabelled", "commitment", {"share": share(who=bytes(16))}),
        ("handle relabelled", "commitment", {"share": share(handle=bytes(16)), "handle": bytes(16).hex()}),
        ("version relabelled", "commitment", {"share": share(version=4), "version": 4}),
        ("compartment relabelled", "commitment", {"share": share(compartment=2), "compartment": 2}),
        ("check changed", "commitment", {"blob": _flip(blob, 13)}),
        ("handle of another slot, share of this one", "seal", {"handle": bytes(16).hex()}),
        ("nonce changed", "seal", {"blob": _flip(blob, 1)}),
        ("ciphertext changed", "seal", {"blob": _flip(blob, 29)}),
        ("tag changed", "seal", {"blob": _flip(blob, len(blob) - 1)}),
        ("blob of version 2", "seal", {"blob": "02" + first["blob"][2:]}),
        ("blob cut off", "seal", {"blob": first["blob"][:-2]}),
        ("share cut off", "seal", {"share": first["share"][:-2]}),
    ]
    one, two = body.parse(data)
    bodies = [
        ("version 2", b"\2" + data[1:]),
        ("cut off", data[:-1]),
        ("bytes after the last", data + b"\0"),
        ("no compartment", body.head(0)),
        ("fewer compartments than counted", body.head(3) + data[3:]),
        ("compartments not ascending", body.head(2) + body.piece(*two) + body.piece(*one)),
        ("a compartment twice", body.head(2) + body.piece(*one) * 2),
        ("compartment 0", body.head(1) + body.piece(0, one.masked, one.blob)),
        ("empty blob", body.head(1) + body.piece(1, one.masked, b"")),
    ]
    pads = [
        ("no end", bytes(64)),
        ("fill not zero", b"\x80" + bytes(62) + b"\1"),
        ("not a multiple of 64", b"\x80" + bytes(62)),
    ]
    return {
        "about": "SPEC.md 3.4 to 3.6: what must not open or parse. Keys and ids: those of seal-record.json",
        "open": [{"name": name, "error": error} | good | changed for name, error, changed in opens],
        "body": [{"name": name, "error": "malformed", "body": value.hex()} for name, value in bodies],
        "unpad": [{"name": name, "error": "malformed", "padded": value.hex()} for name, value in pads],
    }


def vectors() -> dict[str, Case]:
    """Every file's content by its name."""
    path = VECTORS / "seal-record.json"
    one = record(json.loads(path.read_text("utf-8"))["sealed"] if path.exists() else "")
    return {
        "seal-derivations.json": derivations(),
        "seal-record.json": one,
        "seal-padding.json": padding(),
        "seal-failures.json": failures(one),
    }


def _opens(sealed: bytes, b: bytes) -> bool:
    try:
        return b == batch.open_batch_secret(
            made.PRIVATE, made.ROOM, made.KEYHOLDER, made.HOLDING, made.EPOCH, sealed
        )  # fmt: skip
    except SealError:
        return False


def _flip(data: bytes, at: int) -> str:
    return (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]).hex()


if __name__ == "__main__":
    for name, content in vectors().items():
        (VECTORS / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
