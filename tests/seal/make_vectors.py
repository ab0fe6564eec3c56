"""Write ``vectors/seal-*.json``: SPEC.md sections 1 to 4 by example, for implementations in any language.

    PYTHONPATH=src:. python tests/seal/make_vectors.py

Bytes are lower-case hex. HPKE draws randomness of its own, so a run that finds an earlier file keeps its encapsulation
as long as it still opens; all else comes out the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.seal import made, make_failures

from strongroom.errors import SealError
from strongroom.gate.ask import reader_id
from strongroom.ledger import tag
from strongroom.seal import batch, body, hpke, ids, person, slot, token
from strongroom.seal.compartment import associated, key_and_check
from strongroom.seal.epoch import NEVER, epoch_of, epoch_text, expiry_of
from strongroom.seal.label import label
from strongroom.seal.mac import keyed
from strongroom.seal.padding import pad, padded_size

VECTORS = Path(__file__).parents[2] / "vectors"
Case = dict[str, Any]

HANDLE, VERSION = made.draw("handle", 16), 3
FIELDS: dict[int, dict[str, str | None]] = {
    1: {"id": "990101199001011234", "name": "欧阳 Ada", "sex": "f"},
    4: {"address": None, "caller": None},
    9: {"cell": "4711"},
}
WIDTHS = {"sex": 6}
OTHERS = [(HANDLE, 4), (made.draw("another handle", 16), 1), (made.draw("a third handle", 16), 1)]
RESEALED = [(24_847, set[int]()), (24_857, {1}), (made.EXPIRES, {2})]
"""To which epoch, and who of the others has been erased by then."""
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
        "about": "SPEC.md 1.2, 1.4, 2 and 4: names, persons, tokens; 3.1: expiry and epoch; 5.4 and 5.5: pseudonym, mark, chain, tags",
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
            "field": "caller",
            "handle": HANDLE.hex(),
            "inner": (nobody := _unidentified()).hex(),
            "who": person.who_of_inner(nobody).hex(),
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
        "mark": {
            "K_tag": tag_key.hex(),
            "handle": HANDLE.hex(),
            "mark": tag.erased(tag_key, made.HOLDING, [HANDLE])[0].hex(),
        },
        "days": [_days(*one) for one in DAYS],
    }


DAYS = [
    (0, 0, 30), (0, 1, 1), (20_780, 0, 30), (20_780, 14, 30), (20_780, 30, 30), (20_780, 60, 30), (20_789, 365, 30),
    (20_790, 365, 30), (20_780, 366, 30), (20_780, 396, 30), (21_192, 3_650, 366), (20_780, 54_750, 7),
]  # fmt: skip
"""day, retention, rotation"""


def _days(day: int, retention: int, rotation: int) -> Case:
    expires = expiry_of(day, retention)
    epoch = epoch_of(day, rotation, expires)
    texts = {"expires_text": "never" if expires == NEVER else epoch_text(expires), "epoch_text": epoch_text(epoch)}
    return {"day": day, "retention": retention, "rotation": rotation, "expires": expires, "epoch": epoch} | texts


def _unidentified() -> bytes:
    return person.no_value(made.KEYS, "phone", "caller", [HANDLE])[0]


class Seals:
    """Sealed batch secrets: those of an earlier run, in order, as long as they open to the same."""

    def __init__(self, kept: list[str]) -> None:
        self._kept = [bytes.fromhex(one) for one in kept]

    def seal(self, private: hpke.HpkePrivate, bound: batch.Bound, b: bytes) -> bytes:
        found = self._kept.pop(0) if self._kept else b""
        try:
            if batch.open_batch_secret(private, bound, found) == b:
                return found
        except SealError:
            pass
        return batch.seal_batch_secret(private.public, bound, b)


def record(kept: list[str]) -> Case:
    """One record of three compartments in a batch of four. ``kept``: hex of an earlier run's sealed batch secrets."""
    seals, opened = Seals(kept), made.new()
    b, places = opened.secret, slot.places(*zip(*[(HANDLE, VERSION), *OTHERS], strict=True))
    bound = made.bound(batch.members(places))
    (secret,) = slot.record_secrets(keyed(b), places[:1])
    inner = person.inners(made.KEYS, KIND, [VALUE])[0]
    whos = {1: person.who_of_inner(inner), 4: person.who_of_inner(_unidentified())}
    whos[9] = person.who_of_handle(made.KEYS, HANDLE)
    texts = {n: made.text(fields, WIDTHS if n == 1 else {}) for n, fields in FIELDS.items()}
    columns = [batch.Column(n, 256, [text], [whos[n]]) for n, text in texts.items()]
    rows = batch.seal_records(opened, made.KEYS, [HANDLE], [VERSION], columns, made.stream("nonces"))
    slots = []
    for found in body.parse(rows[0][2]):
        n = found.compartment
        share = slot.share(secret, whos[n], n)
        key, check = key_and_check(made.KEYS, share)
        slots.append({
            "compartment": n,
            "person": {1: "id", 4: "caller", 9: ""}[n],
            "who": whos[n].hex(),
            "fields": FIELDS[n],
            "plaintext": texts[n].hex(),
            "padded": pad(texts[n], 256).hex(),
            "mask": slot.unmask(secret, bytes(16), n).hex(),
            "w": found.masked.hex(),
            "share": share.hex(),
            "key": key.hex(),
            "check": check.hex(),
            "nonce": found.blob[1:13].hex(),
            "aad": (associated(made.KEYS) + slot.address(HANDLE, VERSION, n)).hex(),
            "blob": found.blob.hex(),
        })  # fmt: skip
    return {
        "about": "SPEC.md 3: one batch, one sealed record of it, and the batch resealed three times. Field sex is an enum "
        "whose longest value has 6 bytes; compartment 4 is about the caller, who is not known, and 9 about nobody",
        "room": made.ROOM.hex(),
        "keyholder": made.KEYHOLDER.hex(),
        "holding": made.HOLDING.hex(),
        "KH": made.KEYS.key.hex(),
        "expires": made.EXPIRES,
        "epoch": made.EPOCH,
        "epoch_private": made.draw("epoch key", 96).hex(),
        "epoch_public": made.PRIVATE.public.hex(),
        "b": b.hex(),
        "places": [one.hex() for one in sorted(places)],
        "members": bound.members.hex(),
        "sealed": seals.seal(made.PRIVATE, bound, b).hex(),
        "held": slot.held(b).hex(),
        "handle": HANDLE.hex(),
        "version": VERSION,
        "record": secret.hex(),
        "slots": slots,
        "body": rows[0][2].hex(),
        "resealed": resealed(seals, State(b, dict.fromkeys(places, b""))),
    }


class State(NamedTuple):
    """A batch's secret, and place → delta of its members."""

    b: bytes
    deltas: dict[bytes, bytes]


def resealed(seals: Seals, now: State) -> list[Case]:
    """What the keyholder answers to one resealing after another. Where somebody was erased the secret is another."""
    found = []
    for n, (epoch, erased) in enumerate(RESEALED, 2):
        gone = slot.places(*zip(*[OTHERS[i] for i in erased], strict=True)) if erased else []
        if gone:
            b, stay = made.draw(f"batch secret {n}", 32), [one for one in now.deltas if one not in gone]
            deltas = slot.rekey(now.b, b, stay, [now.deltas[one] for one in stay])
            now = State(b, dict(zip(stay, deltas, strict=True)))
        private, bound = (
            hpke.private_from(made.draw(f"epoch key {n}", 96)),
            made.bound(batch.members(now.deltas), epoch),
        )
        found.append({
            "epoch": epoch,
            "epoch_private": made.draw(f"epoch key {n}", 96).hex(),
            "erased": [one.hex() for one in gone],
            "b": now.b.hex(),
            "deltas": {place.hex(): delta.hex() for place, delta in sorted(now.deltas.items())},
            "members": bound.members.hex(),
            "sealed": seals.seal(private, bound, now.b).hex(),
            "held": slot.held(now.b).hex(),
        })  # fmt: skip
    return found


def padding() -> Case:
    sizes = [1, 64, 65, 255, 256, 257, 320, 1000, 1024, 1025, 1088, 1089, 2047, 2048, 2049, 65_535, 65_537, 1_000_000]
    return {
        "about": "SPEC.md 3.5: pad(n) for some floors; and what stays when padding is taken off",
        "sizes": [
            {"n": n, "floor": floor, "pad": padded_size(n, floor)} for floor in (64, 256, 2048, 524_288) for n in sizes
        ],
        "padded": [{"data": d.hex(), "padded": pad(d, 64).hex()} for d in (b"", b"a", b"\x80", b"\x80\0\0", b"a" * 63)],
    }


def vectors() -> dict[str, Case]:
    """Every file's content by its name."""
    path = VECTORS / "seal-record.json"
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    one = record([before["sealed"], *(step["sealed"] for step in before.get("resealed", ()))] if before else [])
    return {
        "seal-derivations.json": derivations(),
        "seal-record.json": one,
        "seal-padding.json": padding(),
        "seal-failures.json": make_failures.failures(one),
    }


if __name__ == "__main__":
    for name, content in vectors().items():
        (VECTORS / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
