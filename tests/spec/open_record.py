"""Open one record of a Strongroom with the keys of both houses, and check everything on the way.

    open_record.py ROOM HOLDING HANDLE_HEX [--buckets]

Written from SPEC.md alone by somebody who had not seen the code: sections 1.2 to 1.5 (labels, JSON, identifiers, HPKE), 2
(persons), 3 (sealing), 4 (tokens), 6.1 to 6.5 (charter, fields), 8.2 (signature of an epoch key), 9 (key files, databases). It needs
only `cryptography` and nothing of ours. The result goes to standard output as JSON; a check that fails ends it, and nothing is printed.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import hashlib
import hmac
import json
import re
import sqlite3
import struct
import sys
import unicodedata
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

JSON = dict[str, Any]
BUCKET_BITS = 20


def check(held: bool, what: str) -> None:
    """An assertion that `python -O` does not drop."""
    if not held:
        raise SystemExit(f"check failed: {what}")


# 1.2, 1.3: primitives and canonical JSON
def label(name: str) -> bytes:
    return b"strongroom/v1 " + name.encode("ascii") + b"\0"


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), "sha256")


def u32(n: int) -> bytes:
    return struct.pack(">I", n)


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def parse(data: bytes | str) -> Any:
    """Canonical JSON: decoded, encoded again, compared."""
    raw = data.encode() if isinstance(data, str) else data
    value = json.loads(raw)
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    check(again == raw, "JSON is canonical")
    return value


def public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


# 2.1, 2.3, 6.4: normal forms and persons
def fold(value: str) -> str:
    text = re.sub("[\u200c\u200d]", "", unicodedata.normalize("NFKC", value).casefold())
    return " ".join(unicodedata.normalize("NFKC", text).split())


def normal_form(kind: str, value: str) -> bytes:
    stored = kind in ("resident-id", "phone") or kind.startswith("number:")
    return (value if stored else fold(value)).encode()


def kind_of(field: str, spec: JSON) -> str:
    """1.4: the kind of an identifier."""
    return f"{spec['type']}:{field}" if spec["type"] in ("text", "number") else str(spec["type"])


def kind_id(kind: str) -> bytes:
    return sha(label("kind"), kind.encode())[:16]


def inner_of(kh: bytes, kind: str, nf: bytes) -> bytes:
    j = int.from_bytes(sha(label("bucket"), kind_id(kind), nf)[:3], "big") >> (24 - BUCKET_BITS)
    k_person = mac(kh, label("person"), kind_id(kind))
    return mac(mac(k_person, label("bucket-key"), u32(j)), label("inner"), nf)


def bucket_root(kh: bytes, kind: str) -> bytes:
    """2.4, over all 2^20 leaves; a few seconds."""
    k_person, head = mac(kh, label("person"), kind_id(kind)), label("bucket-key")
    row = [sha(b"\0", sha(mac(k_person, head, u32(j)))) for j in range(1 << BUCKET_BITS)]
    while len(row) > 1:
        row = [sha(b"\1", row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


# 3.5: plaintext
def pad(n: int, floor: int) -> int:
    if n <= floor:
        return floor
    if n <= 1024:
        return -(-n // 64) * 64
    e = n.bit_length() - 1
    step = 1 << (e - e.bit_length())  # S = floor(log2 E) + 1 is the bit length of E
    return -(-n // step) * step


def plain_fields(plain: bytes, number: int, catalogs: list[JSON]) -> JSON:
    """The fields of one compartment. A record does not tell under which charter it was sealed: any up to now that fits will do."""
    body = plain.rstrip(b"\0")
    check(body.endswith(b"\x80"), "padding ends in 80 and zeros")
    fields: JSON = parse(body[:-1])
    for catalog in reversed(catalogs):
        name = next((c for c, m in catalog["compartments"].items() if m["number"] == number), None)
        declared = {f: m for f, m in catalog["fields"].items() if m["compartment"] == name}
        if name is None or set(fields) != set(declared):
            continue
        longest = {f: max(len(v.encode()) for v in m["values"]) for f, m in declared.items() if m["type"] == "enum"}
        filled = all(fields[f] is None or len(fields[f].encode()) == n for f, n in longest.items())
        if filled and len(plain) == pad(len(body), catalog["compartments"][name]["floor"]):
            opened = {f: v.rstrip(" ") if v is not None and f in longest else v for f, v in fields.items()}
            for f, value in opened.items():
                check(value is None or isinstance(value, str), f"{f} is a string or null")
                check(f not in longest or value is None or value in declared[f]["values"], f"{f} is a declared value")
            now = {f for f, m in catalogs[-1]["fields"].items() if m["compartment"] == name}
            return {"compartment": name, "fields": dict.fromkeys(sorted(now)) | opened}
    raise SystemExit(f"check failed: compartment {number} fits a charter")


# 5.4, 6: the charters
def charters(entries: list[bytes], genesis: bytes) -> list[JSON]:
    """The charters up to the one in force at the last entry's time, each checked against the one before."""
    found: list[tuple[int, JSON]] = []
    previous = bytes(32)
    for entry in (json.loads(e) for e in entries):
        if entry["type"] != "charter":
            continue
        text, steward = entry["document"].encode(), b64(entry["steward"])
        document: JSON = parse(text)
        force = [c for effective, c in found if effective <= entry["time"]] or [c for _, c in found] or [document]
        check(entry["steward"] in force[-1]["stewards"], "the steward is one of the charter in force")
        Ed25519PublicKey.from_public_bytes(steward).verify(b64(entry["signature"]), label("charter-signature") + text)
        check(document["version"] == len(found) + 1, "charter versions count from 1")
        check(b64(document["previous"]) == previous, "the charter names the one before")
        previous = sha(label("charter"), text)
        check(bool(found) or previous == genesis, "the first charter is the genesis")
        earliest = entry["time"] + (force[-1]["delay"] if found else 0)
        check(entry["effective"] >= max(earliest, found[-1][0] if found else 0), "the charter was public for its delay")
        found.append((entry["effective"], document))
    now = json.loads(entries[-1])["time"]
    return [c for effective, c in found if effective <= now]


# 3, 4: the record
def slots(body: bytes) -> list[tuple[int, bytes, bytes]]:
    """3.6: (compartment, w, blob), ascending."""
    check(body[0] == 1, "body version")
    at, found = 3, []
    for _ in range(int.from_bytes(body[1:3], "big")):
        number, w, length = struct.unpack_from(">H16sI", body, at)
        found.append((number, w, body[at + 22 : at + 22 + length]))
        at += 22 + length
    check(at == len(body), "body has nothing after its slots")
    numbers = [number for number, _, _ in found]
    check(numbers == sorted(set(numbers)), "compartments ascend")
    return found


def tokens_of(kh: bytes, index: bytes, holding_id: bytes, fields: JSON, values: JSON) -> tuple[bytes, JSON, set[bytes]]:
    """2.3, 4: the primary identifier's inner, empty where there is none; the identifiers; the tokens that can be known."""

    def token(kind: str, inner: bytes) -> bytes:
        return mac(mac(index, label("index"), holding_id, kind_id(kind)), label("token"), inner)[:16]

    seed, inners = b"", {}
    for field, spec in fields.items():
        if values.get(field) is not None:
            kind = kind_of(field, spec)
            inners[field] = inner_of(kh, kind, normal_form(kind, values[field]))
            seed = inners[field] if spec["identifier"] == "primary" else seed
    identifiers, known = {}, set()
    for field, spec in fields.items():
        kind = kind_of(field, spec)
        if field in inners:
            text = token(kind, inners[field])
            identifiers[field] = {"kind": kind, "who": inners[field][:16].hex(), "token": text.hex()}
            if text not in known:
                known.add(text)
                continue
        if seed:  # of a record without a primary identifier these were drawn
            known.add(token(kind, mac(kh, label("no-value"), kind_id(kind), field.encode(), b"\0", seed)))
    return seed, identifiers, known


def open_record(room_dir: Path, holding: str, handle: bytes, buckets: bool) -> JSON:
    vault, keyholder, pointer, ceremony = (
        parse((room_dir / name).read_bytes())
        for name in ("vault/keys.json", "keyholder/keys.json", "vault/room.json", "keyholder/ceremony.json")
    )
    db = sqlite3.connect(f"file:{room_dir / 'vault/vault.db'}?mode=ro", uri=True)
    check(pointer["genesis"] == ceremony["genesis"], "both houses have the same genesis")
    chain = charters([e for (e,) in db.execute("SELECT entry FROM entries ORDER BY idx")], b64(pointer["genesis"]))
    charter, room, kh = chain[-1], b64(vault["room"]), b64(vault["holdings"][holding])
    check(vault["room"] == keyholder["room"] == charter["room"], "one room")
    for house, keys in (("vault", vault), ("keyholder", keyholder)):
        check(
            public(b64(keys["message"])) == b64(charter[house]["message"]),
            f"the {house}'s message key is the charter's",
        )
    message = b64(charter["keyholder"]["message"])
    keyholder_id = sha(label("keyholder"), message)[:16]
    holding_id = sha(label("holding"), room, holding.encode())[:16]

    row = db.execute(
        "SELECT r.version, r.batch, r.tokens, r.body, b.epoch, b.sealed, h.number FROM records r JOIN batches b USING (batch)"
        " JOIN holdings h ON h.number = b.holding WHERE h.id = ? AND r.handle = ? ORDER BY r.version DESC LIMIT 1",
        (holding_id, handle),
    ).fetchone()
    check(row is not None, "the holding has a record of this handle")
    version, batch, tokens, body, epoch, sealed, number = row
    epoch_public, signature = db.execute(
        "SELECT public, signature FROM epochs WHERE holding = ? AND epoch = ?", (number, epoch)
    ).fetchone()
    Ed25519PublicKey.from_public_bytes(message).verify(
        signature, label("epoch") + room + holding_id + u32(epoch) + epoch_public
    )

    # 3.2: the batch secret
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=epoch)
    raw = (room_dir / f"keyholder/epochs/{holding}-{day.isoformat()}.key").read_bytes()
    check(len(raw) == 96, "an epoch key has 96 bytes")
    kem, x25519 = MLKEM768PrivateKey.from_seed_bytes(raw[:64]), X25519PrivateKey.from_private_bytes(raw[64:])
    own = kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    check(own == epoch_public, "the epoch's private key belongs to its public key")
    check(batch == sha(label("batch-id"), sealed)[:16], "batch id")
    check(len(sealed) == 1169 and sealed[0] == 1, "form of the sealed batch secret")
    info = label("batch") + room + keyholder_id + holding_id + u32(epoch)
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    b = suite.decrypt(sealed[1:], MLKEM768X25519PrivateKey(kem, x25519), info=info)

    # 3.3 to 3.5: the compartments
    k_seal, persons, out = mac(kh, label("seal")), set(), {}
    for compartment, w, blob in slots(body):
        place = handle + struct.pack(">IH", version, compartment)
        mask = mac(b, b"\2" + place)[:16]
        who = bytes(x ^ y for x, y in zip(w, mask, strict=True))
        persons.add(who)
        share = mac(b, b"\1" + who + place)
        derived = HKDF(hashes.SHA256(), 48, salt=k_seal, info=label("compartment-key")).derive(share)
        check(blob[0] == 1, "blob version")
        check(hmac.compare_digest(blob[13:29], derived[32:]), f"check value of compartment {compartment}")
        plain = AESGCM(derived[:32]).decrypt(blob[1:13], blob[29:], label("compartment") + room + holding_id + place)
        part = plain_fields(plain, compartment, [c["holdings"][holding] for c in chain if holding in c["holdings"]])
        out[part["compartment"]] = part["fields"]
    check(len(persons) == 1, "all slots are of one person")

    # 2.3, 3.6, 4: the person and the tokens again, from what was found inside
    values = {name: value for part in out.values() for name, value in part.items()}
    fields = {f: s for f, s in sorted(charter["holdings"][holding]["fields"].items()) if s["identifier"] != "none"}
    seed, identifiers, wanted = tokens_of(kh, b64(keyholder["index"]), holding_id, fields, values)
    who = seed[:16] or mac(mac(kh, label("nobody")), label("nobody-who"), handle)[:16]
    check(persons == {who}, "the person in the slots is the person inside")
    stored = [tokens[i : i + 16] for i in range(0, len(tokens), 16)]
    check(stored == sorted(set(stored)), "tokens are sorted and distinct")
    check(len(stored) == len(fields), "as many tokens as identifier fields")
    check(wanted == set(stored) if seed else wanted <= set(stored), "the record's tokens")
    for kind, root in charter["buckets"][holding].items() if buckets else ():
        check(bucket_root(kh, kind) == b64(root), f"bucket root of {kind}")
    return {"handle": handle.hex(), "version": version, "epoch": day.isoformat(), "who": who.hex(),
            "identifiers": identifiers, "compartments": out}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("room", type=Path)
    parser.add_argument("holding")
    parser.add_argument("handle", type=bytes.fromhex)
    parser.add_argument("--buckets", action="store_true", help="recompute the bucket roots of the charter too")
    args = parser.parse_args()
    json.dump(open_record(args.room, args.holding, args.handle, args.buckets), sys.stdout, ensure_ascii=False, indent=2)
    print()


if __name__ == "__main__":
    main()
