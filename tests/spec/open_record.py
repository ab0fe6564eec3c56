"""Open one record of a Strongroom with the keys of both houses, and check everything on the way.

    open_record.py ROOM HOLDING HANDLE_HEX [--version N] [--buckets]

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


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(left, right, strict=True))


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


def no_value(kh: bytes, field: str, spec: JSON, handle: bytes) -> bytes:
    return mac(kh, label("no-value"), kind_id(kind_of(field, spec)), field.encode(), b"\0", handle)


def persons(kh: bytes, catalog: JSON, values: JSON, handle: bytes) -> dict[str, bytes]:
    """2.3: compartment → who it is about."""
    found = {}
    for name, compartment in catalog["compartments"].items():
        field = compartment["person"]
        if field == "":
            found[name] = mac(mac(kh, label("nobody")), label("nobody-who"), handle)[:16]
            continue
        spec, value = catalog["fields"][field], values.get(field)
        kind = kind_of(field, spec)
        inner = no_value(kh, field, spec, handle) if value is None else inner_of(kh, kind, normal_form(kind, value))
        found[name] = inner[:16]
    return found


def tokens_of(
    kh: bytes, index: bytes, holding_id: bytes, catalog: JSON, values: JSON, handle: bytes
) -> tuple[JSON, set[bytes]]:
    """2.3, 4: the identifiers that have a value, and all tokens."""
    identifiers, seen, tokens = {}, set(), set()
    for field, spec in sorted(catalog["fields"].items()):
        if spec["identifier"] == "none":
            continue
        kind, value = kind_of(field, spec), values.get(field)
        inner = no_value(kh, field, spec, handle)
        key = mac(index, label("index"), holding_id, kind_id(kind))
        if value is not None:
            own = inner_of(kh, kind, normal_form(kind, value))
            text = mac(key, label("token"), own)[:16]
            identifiers[field] = {"kind": kind, "who": own[:16].hex(), "token": text.hex()}
            inner = inner if own in seen else own
            seen.add(own)
        tokens.add(mac(key, label("token"), inner)[:16])
    return identifiers, tokens


def open_record(room_dir: Path, holding: str, handle: bytes, wanted: int | None, buckets: bool) -> JSON:
    vault, keyholder, pointer, ceremony = (
        parse((room_dir / name).read_bytes())
        for name in ("vault/keys.json", "keyholder/keys.json", "vault/room.json", "keyholder/ceremony.json")
    )
    db = sqlite3.connect(f"file:{room_dir / 'vault/vault.db'}?mode=ro", uri=True)
    check(pointer["genesis"] == ceremony["genesis"], "both houses have the same genesis")
    chain = charters([e for (e,) in db.execute("SELECT entry FROM entries ORDER BY idx")], b64(pointer["genesis"]))
    charter, room, kh = chain[-1], b64(vault["room"]), (room_dir / f"vault/holdings/{holding}.key").read_bytes()
    check(len(kh) == 32, "a holding's key has 32 bytes")
    check(vault["room"] == keyholder["room"] == charter["room"], "one room")
    for house, keys in (("vault", vault), ("keyholder", keyholder)):
        check(
            public(b64(keys["message"])) == b64(charter[house]["message"]),
            f"the {house}'s message key is the charter's",
        )
    message = b64(charter["keyholder"]["message"])
    keyholder_id = sha(label("keyholder"), message)[:16]
    holding_id = sha(label("holding"), room, holding.encode())[:16]

    lies = db.execute(
        "SELECT l.version, l.batch, h.number FROM handles l JOIN holdings h ON h.number = l.holding"
        " WHERE h.id = ? AND l.handle = ? AND l.version = coalesce(?, l.version) ORDER BY l.version DESC LIMIT 1",
        (holding_id, handle, wanted),
    ).fetchone()
    check(lies is not None and lies[1] != b"", "the holding has a record of this handle")
    version, batch, number = lies
    tokens, body = db.execute(
        "SELECT tokens, body FROM records WHERE batch = ? AND handle = ? AND version = ?", (batch, handle, version)
    ).fetchone()
    epoch, expires, members, sealed = db.execute(
        "SELECT epoch, expires, members, sealed FROM batches WHERE batch = ? AND holding = ?", (batch, number)
    ).fetchone()
    check(epoch <= expires, "the epoch is no later than the expiry")
    rows = db.execute("SELECT handle, version FROM records WHERE batch = ?", (batch,)).fetchall()
    check(members == sha(label("members"), *sorted(one + u32(n) for one, n in rows)), "the batch has its members")
    moved = db.execute(
        "SELECT delta FROM deltas WHERE batch = ? AND handle = ? AND version = ?", (batch, handle, version)
    ).fetchone()

    # 3.2: the batch secret
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=epoch)
    raw = (room_dir / f"keyholder/epochs/{holding}-{day.isoformat()}.key").read_bytes()
    check(len(raw) == 96, "an epoch key has 96 bytes")
    kem, x25519 = MLKEM768PrivateKey.from_seed_bytes(raw[:64]), X25519PrivateKey.from_private_bytes(raw[64:])
    own = kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    known = db.execute(
        "SELECT public, signature FROM epochs WHERE holding = ? AND epoch = ?", (number, epoch)
    ).fetchone()
    if known is not None:  # of an epoch to which batches were only resealed the vault need not have it
        check(own == known[0], "the epoch's private key belongs to its public key")
        said = label("epoch") + room + holding_id + u32(epoch) + known[0]
        Ed25519PublicKey.from_public_bytes(message).verify(known[1], said)
    check(len(batch) == 16 and len(sealed) == 1169 and sealed[0] == 1, "form of the sealed batch secret")
    info = label("batch") + room + keyholder_id + holding_id + u32(epoch) + u32(expires) + members
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    b = suite.decrypt(sealed[1:], MLKEM768X25519PrivateKey(kem, x25519), info=info)

    # 3.3 to 3.5: the compartments
    k_seal, abouts, out = mac(kh, label("seal")), {}, {}
    secret = xor(mac(b, b"\3" + handle + u32(version)), moved[0] if moved else bytes(32))
    catalogs = [c["holdings"][holding] for c in chain if holding in c["holdings"]]
    for compartment, w, blob in slots(body):
        ends = struct.pack(">H", compartment)
        who = xor(w, mac(secret, b"\2" + ends)[:16])
        share = mac(secret, b"\1" + who + ends)
        derived = HKDF(hashes.SHA256(), 48, salt=k_seal, info=label("compartment-key")).derive(share)
        check(blob[0] == 1, "blob version")
        check(hmac.compare_digest(blob[13:29], derived[32:]), f"check value of compartment {compartment}")
        aad = label("compartment") + room + holding_id + handle + u32(version) + ends
        part = plain_fields(AESGCM(derived[:32]).decrypt(blob[1:13], blob[29:], aad), compartment, catalogs)
        out[part["compartment"]], abouts[part["compartment"]] = part["fields"], who

    # 2.3, 3.6, 4: the persons and the tokens again, from what was found inside
    values = {name: value for part in out.values() for name, value in part.items()}
    found = persons(kh, charter["holdings"][holding], values, handle)
    for name, who in abouts.items():
        check(who == found[name], f"the person in the slot of {name} is the person inside")
    stored = [tokens[i : i + 16] for i in range(0, len(tokens), 16)]
    check(stored == sorted(set(stored)), "tokens are sorted and distinct")
    # Sealed under one of the charters up to now; which one it does not say.
    told = [tokens_of(kh, b64(keyholder["index"]), holding_id, one, values, handle) for one in reversed(catalogs)]
    identifiers = next((names for names, all_of in told if all_of == set(stored)), None)
    check(identifiers is not None, "the record's tokens")
    for kind, root in charter["buckets"][holding].items() if buckets else ():
        check(bucket_root(kh, kind) == b64(root), f"bucket root of {kind}")
    return {"handle": handle.hex(), "version": version, "epoch": day.isoformat(), "expires": expires,
            "persons": {name: who.hex() for name, who in abouts.items()}, "identifiers": identifiers, "compartments": out}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("room", type=Path)
    parser.add_argument("holding")
    parser.add_argument("handle", type=bytes.fromhex)
    parser.add_argument("--buckets", action="store_true", help="recompute the bucket roots of the charter too")
    parser.add_argument("--version", type=int, help="an older version than the last")
    args = parser.parse_args()
    json.dump(
        open_record(args.room, args.holding, args.handle, args.version, args.buckets),
        sys.stdout,
        ensure_ascii=False,
        indent=2,
    )
    print()


if __name__ == "__main__":
    main()
