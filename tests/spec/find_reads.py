"""Find one person's reads in the published directory of a Strongroom, trusting nobody's program but this.

    find_reads.py PUBLIC_DIR CHAIN_KEY_HEX COUNT [--size N] [--genesis HEX]
    find_reads.py --derive KEYHOLDER_KEYS_JSON HOLDING WHO_HEX [GENERATION]

The first form verifies the checkpoint's signatures, recomputes the root from the entry bundles, checks every hash tile
and every tag file, parses every entry, checks that the ledger begins with what the vault has cosigned, and looks for tags 1 to COUNT, and for none from COUNT+1 to COUNT+64, among the first
N entries (all of them unless told). It prints JSON lines, one a read, then a summary; exit code 1 when a number is missing, 2
when something does not verify. The second form prints the chain key, for tests: only the keyholder can do it.

Written from SPEC.md alone by somebody who had not seen the code: sections 1.2 to 1.4, 5 (ledger), 6.1 and 6.2 (charter), 8.7
(what a subject does), 9 (keyholder/keys.json), and of C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles. It needs
only `cryptography` and nothing of ours.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import struct
import sys
import time
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

JSON = dict[str, Any]
Note = tuple[str, str, int, bytes, list[tuple[str, bytes]]]
TYPES = (
    (1, ""),
    (6, "/ml-dsa"),
    (4, "/vault"),
)  # 5.2: the lines of `vkeys`, in order: signature type, key name after origin
BEYOND = 64
ASK = {"asker", "charter", "commitment", "countersigners", "holding", "purpose", "role", "unit"}
OPENED = ASK | {"compartments", "count", "tags"}
MEMBERS = {
    "charter": {"document", "effective", "signature", "steward"},
    "intake": ASK | {"count", "tags"},
    "find": ASK | {"count", "tags"},
    "disclosure": OPENED,
    "check": OPENED,
    "correction": OPENED,
    "export": OPENED,
    "refusal": ASK | {"by", "code"},
    "erasure": ASK | {"count", "epochs", "marks", "tags"},
    "expiry": {"epoch", "holding", "key"},
    "hold": {"authority", "holding", "until"},
    "notice": {"code", "scope"},
    "heartbeat": set[str](),
}
DAY = 86400
LENGTHS = {"asker": 12, "charter": 32, "commitment": 32, "signature": 64, "steward": 32, "key": 32}


class Fault(Exception):
    """Something published does not verify."""


def check(held: bool, what: str) -> None:
    if not held:
        raise Fault(what)


def label(name: str) -> bytes:
    return b"strongroom/v1 " + name.encode("ascii") + b"\0"


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), "sha256")


def b64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    check(base64.b64encode(data).decode() == text, "base64 is canonical")
    return data


def parse(raw: bytes) -> JSON:
    """1.3: decoded, encoded again, compared."""
    value = json.loads(raw)
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    check(again == raw and isinstance(value, dict), "canonical JSON")
    return dict(value)


# 5.2: the checkpoint
def vkey(text: str) -> tuple[str, bytes, int, bytes]:
    """Name, key id, type, public key."""
    name, ident, rest = text.split("+", 2)
    material = b64(rest)
    check(sha(name.encode(), b"\n", material)[:4].hex() == ident, f"key id of {name}")
    return name, bytes.fromhex(ident), material[0], material[1:]


def verify(
    key: tuple[str, bytes, int, bytes], text: str, origin: str, size: int, root: bytes, signature: bytes
) -> None:
    name, _, kind, material = key
    if kind == 1:
        Ed25519PublicKey.from_public_bytes(material).verify(signature, text.encode())
        return
    (stamp,) = struct.unpack(">Q", signature[:8])
    if kind == 4:
        message = f"cosignature/v1\ntime {stamp}\n{text}".encode()
        Ed25519PublicKey.from_public_bytes(material).verify(signature[8:], message)
        return
    vectors = [bytes([len(v)]) + v for v in (name.encode(), origin.encode())]
    message = b"subtree/v1\n\0" + vectors[0] + signature[:8] + vectors[1] + struct.pack(">QQ", 0, size) + root
    MLDSA44PublicKey.from_public_bytes(material).verify(signature[8:], message)


def parse_note(path: Path) -> Note:
    """Text, origin, size, root, and lines as key name and signature with its key id."""
    text, lines = path.read_bytes().decode().rsplit("\n\n", 1)
    found = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)", text)
    if found is None or not re.fullmatch(r"(— [^ +\n]+ [A-Za-z0-9+/]+={0,2}\n){1,100}", lines):
        raise Fault(f"form of {path.name}")
    signed = [(name, b64(data)) for name, data in re.findall(r"— ([^ ]+) (.+)\n", lines)]
    return text + "\n", found[1], int(found[2]), b64(found[3]), signed


def checkpoint(public: Path) -> tuple[int, bytes]:
    """Size and root, signed by the keys of `vkeys`, which `charter_keys` holds against the charter. The vault's may not be there yet."""
    text, origin, size, root, signed = parse_note(public / "checkpoint")
    keys = [vkey(line) for line in (public / "vkeys").read_text().splitlines()]
    check(
        [(k[2], k[0]) for k in keys] == [(kind, origin + end) for kind, end in TYPES], "vkeys are log, ML-DSA and vault"
    )
    for key in keys:
        mine = [data[4:] for name, data in signed if (name, data[:4]) == key[:2]]
        check(len(mine) == 1 or (key[2] == 4 and not mine), f"one signature of {key[0]}")
        for signature in mine:
            verify(key, text, origin, size, root, signature)
    return size, root


def confirmed(note: Note, entries: list[JSON], leaves: list[bytes]) -> int:
    """5.7: how much the vault has confirmed; its key and the log's are those of the charter in force at the last entry of it."""
    text, origin, size, root, signed = note
    check(0 < size <= len(entries), "the ledger reaches as far as the vault has confirmed")
    check(tree(leaves[:size]) == root, "the ledger begins with what the vault has confirmed")
    current = in_force(entries, entries[size - 1]["time"])
    for key in (vkey(current["keyholder"]["log"]), vkey(current["vault"]["cosigner"])):
        mine = [data[4:] for name, data in signed if (name, data[:4]) == key[:2]]
        check(len(mine) == 1, f"one signature of {key[0]} on cosigned")
        verify(key, text, origin, size, root, mine[0])
    check(vkey(current["vault"]["cosigner"])[:3:2] == (f"{origin}/vault", 4), "the cosigner is the vault")
    return size


# 5.1: tree, tiles, bundles
def tree(row: list[bytes]) -> bytes:
    """RFC 6962 root over leaf hashes: pairing up a row and carrying an odd last one is the same tree."""
    while len(row) > 1:
        row = [sha(b"\1", *row[i : i + 2]) if i + 1 < len(row) else row[i] for i in range(0, len(row), 2)]
    return row[0] if row else sha(b"")


def tile(public: Path, level: str, n: int, width: int) -> bytes:
    parts = [f"{n % 1000:03}"]
    while n := n // 1000:
        parts.insert(0, f"x{n % 1000:03}")
    full = public.joinpath("tile", level, *parts)
    partial = Path(f"{full}.p/{width}")
    return (partial if width < 256 and partial.exists() else full).read_bytes()


def widths(count: int) -> list[int]:
    return [min(256, count - i) for i in range(0, count, 256)]


def bundles(public: Path, size: int) -> list[bytes]:
    entries: list[bytes] = []
    for n, width in enumerate(widths(size)):
        data, at = tile(public, "entries", n, width), 0
        for _ in range(width):
            (length,) = struct.unpack_from(">H", data, at)
            entries.append(data[at + 2 : at + 2 + length])
            at += 2 + length
            check(at <= len(data), f"bundle {n} is whole")
    return entries


def check_tiles(public: Path, leaves: list[bytes]) -> None:
    level, row = 0, leaves
    while row:
        for n, width in enumerate(widths(len(row))):
            data = tile(public, str(level), n, width)[: 32 * width]
            check(data == b"".join(row[256 * n : 256 * n + width]), f"tile {level}/{n}")
        row = [tree(row[i : i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1


# 5.4, 5.6, 6: the entries
def parse_entries(raws: list[bytes]) -> list[JSON]:
    entries: list[JSON] = []
    charters: list[tuple[int, bytes, JSON]] = []  # effective, hash, document
    lives = Lives()
    for index, raw in enumerate(raws):
        e, at = parse(raw), f"of entry {index}"
        check(set(e) == MEMBERS.get(e["type"], {""}) | {"v", "type", "time"} and e["v"] == 1, f"members {at}")
        check(not entries or e["time"] >= entries[-1]["time"], f"time {at}")
        check(all(len(b64(e[m])) == n for m, n in LENGTHS.items() if m in e), f"lengths {at}")
        tags = [b64(t) for t in e.get("tags", [])]
        marks = [b64(m) for m in e.get("marks", [])]
        for some, name in ((tags, "tags"), (marks, "marks")):
            right = some == sorted(set(some)) and len(some) <= 1000 and all(len(t) == 16 for t in some)
            check(right, f"{name} {at}")
        others = [b64(c) for c in e.get("countersigners", [])]
        check(others == sorted(set(others)) and len(others) <= 8 and all(len(c) == 12 for c in others), f"others {at}")
        check(e["type"] != "find" or len(tags) == e["count"] == 1, f"count {at}")
        for name in ("compartments", "epochs"):
            check(e.get(name, []) == sorted(set(e.get(name, []))), f"{name} {at}")
        if e["type"] == "notice":
            check((e["code"] in ("start", "generation")) == (e["scope"] == ""), f"scope {at}")
        lives.add(e | {"tags": tags, "marks": marks}, at)
        in_force = [c for c in charters if c[0] <= e["time"]]
        if e["type"] == "charter":
            text = e["document"].encode()
            document = parse(text)
            ruling = (in_force or charters or [(0, b"", document)])[-1][2]
            check(e["steward"] in ruling["stewards"], f"steward {at}")
            earliest = max(e["time"] + ruling["delay"], charters[-1][0]) if charters else e["time"]
            check(e["effective"] >= earliest and document["version"] == len(charters) + 1, f"effective, version {at}")
            check(b64(document["previous"]) == (charters[-1][1] if charters else bytes(32)), f"previous {at}")
            check(not charters or stays(charters[-1][2], document), f"what is permanent {at}")
            key = Ed25519PublicKey.from_public_bytes(b64(e["steward"]))
            key.verify(b64(e["signature"]), label("charter-signature") + text)
            charters.append((e["effective"], sha(label("charter"), text), document))
        check("charter" not in e or b64(e["charter"]) == in_force[-1][1], f"charter {at}")
        entries.append(e | {"tags": tags})
    return entries


class Lives:
    """5.8, in order: keys, holds, erasures."""

    def __init__(self) -> None:
        self.destroyed, self.named = set[tuple[str, int]](), set[tuple[str, int]]()
        self.holds, self.marks = dict[tuple[str, str], int](), set[bytes]()

    def add(self, e: JSON, at: str) -> None:
        kind, now = e["type"], e["time"]
        if kind in ("disclosure", "check", "correction", "export", "erasure"):
            check(1 <= e["count"] <= len(e["tags"]), f"a tag for each record {at}")
        elif kind == "intake":
            check(len(e["tags"]) <= e["count"], f"an identifier for each tag {at}")
        if kind == "expiry":
            key = (e["holding"], e["epoch"])
            check(key not in self.destroyed and e["epoch"] * DAY <= now, f"the key destroyed {at}")
            standing = [until for (holding, _), until in self.holds.items() if holding == e["holding"] and until > now]
            check(not standing, f"a hold stands {at}")
            self.destroyed.add(key)
        elif kind == "hold":
            of, until = (e["holding"], e["authority"]), e["until"]
            check(now <= until <= now + 366 * DAY, f"until {at}")
            check(until > now or self.holds.get(of, 0) > now, f"what is lifted {at}")
            self.holds[of] = until
        elif kind == "erasure":
            check(e["count"] == len(e["marks"]) and self.marks.isdisjoint(e["marks"]), f"marks {at}")
            self.marks |= set(e["marks"])
            epochs = {(e["holding"], epoch) for epoch in e["epochs"]}
            before = {key for key in self.named if key[0] == e["holding"]} - self.destroyed
            check(epochs.isdisjoint(self.destroyed) and before <= epochs, f"epochs {at}")
            self.named |= epochs
        elif kind == "notice" and e["code"] == "generation":
            self.named.clear()


def stays(old: JSON, new: JSON) -> bool:
    """6.5, of what tells rooms and ledgers apart: holdings and fields are not looked at here."""
    keys, buckets = [[c["keyholder"][m] for m in ("log", "message", "ml_dsa")] for c in (old, new)], new["buckets"]
    kept = all(
        buckets[holding][kind] == root for holding, kinds in old["buckets"].items() for kind, root in kinds.items()
    )
    return kept and keys[0] == keys[1] and (old["room"], old["name"]) == (new["room"], new["name"])


def charter_keys(public: Path, entries: list[JSON]) -> str:
    """The keys in `vkeys` are those of the charter in force; gives the genesis, which the caller has to know from elsewhere."""
    last = in_force(entries, entries[-1]["time"])
    named = [last["keyholder"]["log"], last["keyholder"]["ml_dsa"], last["vault"]["cosigner"]]
    check((public / "vkeys").read_text().splitlines() == named, "vkeys are the charter's")
    return sha(label("charter"), entries[0]["document"].encode()).hex()


def in_force(entries: list[JSON], time: int) -> JSON:
    """5.4: the charter in force."""
    return parse([e for e in entries if e["type"] == "charter" and e["effective"] <= time][-1]["document"].encode())


def check_tag_files(public: Path, entries: list[JSON]) -> None:
    """5.6: day files hold what the entries say; rows of entries past the checkpoint are let be."""
    days: dict[str, set[bytes]] = {}
    for index, e in enumerate(entries):
        for tag in e["tags"]:
            days.setdefault(time.strftime("%Y-%m-%d", time.gmtime(e["time"])), set()).add(
                tag + struct.pack(">Q", index)
            )
    names = {p.name for p in (public / "tags").iterdir()} if (public / "tags").is_dir() else set[str]()
    for day in names | set(days):
        data = (public / "tags" / day).read_bytes()
        rows = [data[i : i + 24] for i in range(0, len(data), 24)]
        check(bool(rows) and len(data) % 24 == 0 and rows == sorted(set(rows)), f"form of tags/{day}")
        known = {r for r in rows if int.from_bytes(r[16:], "big") < len(entries)}
        check(known == days.get(day, set()), f"tags/{day} says what the entries say")


# 5.5, 8.7: the reads
def find_reads(public: Path, chain: bytes, count: int, at_size: int | None, pinned: str | None) -> bool:
    vouched = parse_note(public / "cosigned")  # before the checkpoint, so that it is not ahead of it
    size, root = checkpoint(public)
    raws = bundles(public, size)
    leaves = [sha(b"\0", raw) for raw in raws]
    check(tree(leaves) == root, "the entries give the checkpoint's root")
    check_tiles(public, leaves)
    entries = parse_entries(raws)
    genesis = charter_keys(public, entries)
    check(pinned in (None, genesis), "the first charter is the genesis given")
    check_tag_files(public, entries)
    known = confirmed(vouched, entries, leaves)
    end = size if at_size is None else at_size
    check(end <= size, "the checkpoint covers the size asked for")
    where: dict[bytes, list[int]] = {}
    for index, e in enumerate(entries[:end]):
        for tag in e["tags"]:
            where.setdefault(tag, []).append(index)
    present: list[int] = []
    for n in range(1, count + BEYOND + 1):
        found = where.get(mac(chain, label("tag"), struct.pack(">Q", n))[:16], [])
        check(len(found) <= 1, f"tag {n} stands in one entry")
        for index in found:
            e = entries[index]
            read = {k: e[k] for k in ("type", "time", "holding", "purpose", "compartments", "role", "unit") if k in e}
            place = {"number": n, "entry": index, "confirmed": index < known}
            print(json.dumps(place | read, ensure_ascii=False))
        present += [n] if found else []
    missing, beyond = sorted(set(range(1, count + 1)) - set(present)), [n for n in present if n > count]
    whole = not missing and not beyond
    # 8.7: whoever has fewer chains of one person than this has not been given all.
    generations = 1 + sum(e.get("code") == "generation" for e in entries[:end])
    summary = {"size": end, "root": tree(leaves[:end]).hex(), "genesis": genesis, "confirmed": known}
    print(json.dumps(summary | {"generations": generations}))
    gap = f"missing {missing}, beyond the count {beyond}"
    print(f"complete: {count} of {count}" if whole else f"NOT complete: {count - len(missing)} of {count}; {gap}")
    return whole


def derive(keys: Path, holding: str, who: bytes, generation: int) -> bytes:
    own = parse(keys.read_bytes())
    holding_id = sha(label("holding"), b64(own["room"]), holding.encode())[:16]
    return mac(b64(own["tag"]), label("chain"), holding_id, who, struct.pack(">Q", generation))


def main() -> int:
    if sys.argv[1:2] == ["--derive"]:
        keys, holding, who, *rest = sys.argv[2:]
        print(derive(Path(keys), holding, bytes.fromhex(who), int(rest[0]) if rest else 1).hex())
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("public", type=Path)
    parser.add_argument("chain", type=bytes.fromhex, metavar="CHAIN_KEY_HEX")
    parser.add_argument("count", type=int)
    parser.add_argument("--size", type=int, help="look at the first SIZE entries only, as a statement of 8.7 says")
    parser.add_argument("--genesis", metavar="HEX", help="the hash of the first charter, learned from elsewhere")
    args = parser.parse_args()
    try:
        return 0 if find_reads(args.public, args.chain, args.count, args.size, args.genesis) else 1
    except (Fault, InvalidSignature, OSError, ValueError, KeyError, IndexError, struct.error) as error:
        print(f"does not verify: {str(error) or type(error).__name__}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
