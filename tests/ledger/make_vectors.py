"""Write ``vectors/ledger-*.json``: the ledger's formats by example, for implementations in any language.

    PYTHONPATH=src:. python tests/ledger/make_vectors.py

Each case holds one thing, or fails for one reason; ``error`` is the code of the exception expected. ML-DSA signatures
are randomised, so a run changes them; all else comes out the same.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from tests.ledger import made

from strongroom.canonical import encode
from strongroom.errors import LedgerError
from strongroom.ledger import cosignature, entry, note, proof, tag, tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.proof import Proof

VECTORS = Path(__file__).parents[2] / "vectors"
SOURCE = {"source": "Strongroom, tests/ledger/make_vectors.py", "licence": "as Strongroom"}
Case = dict[str, Any]

LEDGER = made.ledger(300)
CHECKPOINT = LEDGER.checkpoint().marshal()
LOG, ML_DSA, VAULT = (one.vkey for one in made.verifiers)
SIGNED = made.log.sign(CHECKPOINT)
NOTE = f"{CHECKPOINT}\n{SIGNED}"


def outcome(run: Callable[[], Case]) -> Case:
    """What ``run`` finds, or the code of what it raises."""
    try:
        return run()
    except LedgerError as error:
        return {"error": error.code}


def open_case(name: str, text: str, vkeys: list[str]) -> Case:
    def run() -> Case:
        found, signers = note.open_checkpoint(text, [note.verifier(one) for one in vkeys])
        return {
            "origin": found.origin,
            "size": found.size,
            "root": found.root.hex(),
            "signers": [s.vkey for s in signers],
        }

    return {"name": name, "note": text, "vkeys": vkeys, **outcome(run)}


def notes() -> list[Case]:
    """Checkpoint notes, opened with these vkeys."""
    quantum, vault = made.post_quantum.cosign(CHECKPOINT, made.START), made.vault.cosign(CHECKPOINT, made.START + 1)
    late = made.vault.cosign(CHECKPOINT, made.START + 2)
    all_keys, other = [LOG, ML_DSA, VAULT], Checkpoint(made.ORIGIN, 301, bytes(32)).marshal()
    flipped = (
        SIGNED.replace("A==\n", "Q==\n")
        if "A==\n" in SIGNED
        else SIGNED[:-4] + ("A" if SIGNED[-4] != "A" else "B") + SIGNED[-3:]
    )
    return [
        open_case("log", NOTE, [LOG]),
        open_case("log, ML-DSA and vault", NOTE + quantum + vault, all_keys),
        open_case("unknown signatures are ignored", NOTE + quantum + vault, [LOG]),
        open_case("two cosignatures of one key", NOTE + vault + late, all_keys),
        open_case("no known key", NOTE, [VAULT]),
        open_case("cosigners without the log", f"{CHECKPOINT}\n{quantum}{vault}", all_keys),
        open_case("another text", f"{other}\n{SIGNED}", all_keys),
        open_case("flipped bit of a signature", f"{CHECKPOINT}\n{flipped}", all_keys),
        open_case("a known cosigner of another text", NOTE + made.vault.cosign(other, made.START), all_keys),
        open_case(
            "a known ML-DSA cosigner of another text", NOTE + made.post_quantum.cosign(other, made.START), all_keys
        ),
        open_case("a known key right once and wrong once", NOTE + made.log.sign(other), all_keys),
        open_case("100 signatures", f"{CHECKPOINT}\n{SIGNED * 100}", [LOG]),
        open_case("101 signatures", f"{CHECKPOINT}\n{SIGNED * 101}", [LOG]),
        open_case("no signature", CHECKPOINT + "\n", [LOG]),
        open_case("no last newline", NOTE[:-1], [LOG]),
        open_case("carriage returns", NOTE.replace("\n", "\r\n"), [LOG]),
        open_case("two spaces in a signature line", NOTE.replace("— ", "—  "), [LOG]),
        open_case("hyphen for em dash", NOTE.replace("—", "-"), [LOG]),
        open_case("extension line", sign(CHECKPOINT + "more\n"), [LOG]),
        open_case("size with a plus", sign(CHECKPOINT.replace("\n300\n", "\n+300\n")), [LOG]),
        open_case("size with a leading zero", sign(CHECKPOINT.replace("\n300\n", "\n0300\n")), [LOG]),
        open_case("root of 31 bytes", sign(f"{made.ORIGIN}\n300\n{b64encode(bytes(31)).decode()}\n"), [LOG]),
        open_case("vkey of unknown type", NOTE, [f"n+00000000+{b64encode(bytes([2]) + bytes(32)).decode()}"]),
        open_case("vkey with another key id", NOTE, [LOG.replace(made.log.key_id.hex(), "00000000")]),
    ]


def sign(text: str) -> str:
    return f"{text}\n{made.log.sign(text)}"


def cosignatures() -> list[Case]:
    """What is signed, byte for byte, and the line that results."""
    found: list[Case] = []
    for size, time in ((0, 0), (1, 1), (300, made.START), (2**40, 2**63 - 1)):
        text = Checkpoint(made.ORIGIN, size, tree.EMPTY_ROOT).marshal()
        for cosigner, message in (
            (made.vault, cosignature.message(text, time)),
            (made.post_quantum, cosignature.subtree_message(made.post_quantum.name, text, time)),
        ):
            case = {"checkpoint": text, "time": time, "vkey": cosigner.vkey, "message": message.hex()}
            kind = "Ed25519" if cosigner is made.vault else "ML-DSA-44"
            found.append({"name": f"{kind}, size {size}", **case, "line": cosigner.cosign(text, time)})
    return found


def proofs() -> list[Case]:
    """Receipts for an entry (hex), verified with the log's vkey."""

    def case(name: str, text: str, data: bytes) -> Case:
        def run() -> Case:
            found = proof.verify(proof.parse(text), data, [note.verifier(LOG)])
            return {"size": found.size, "root": found.root.hex()}

        return {"name": name, "proof": text, "entry": data.hex(), "vkeys": [LOG], **outcome(run)}

    def receipt(index: int) -> str:
        return Proof(index, tuple(tile.prove_inclusion(LEDGER.read, index, 300)), NOTE).marshal()

    good, one = receipt(270), made.ledger(1)
    hashes = good.split("\n\n")[0].split("\n")[2:]
    return [
        case("first entry", receipt(0), LEDGER.entries[0]),
        case("an entry", good, LEDGER.entries[270]),
        case("last entry", receipt(299), LEDGER.entries[299]),
        case("ledger of one entry", Proof(0, (), sign(one.checkpoint().marshal())).marshal(), one.entries[0]),
        case("another entry", good, LEDGER.entries[271]),
        case("another index", good.replace("index 270", "index 271"), LEDGER.entries[270]),
        case("index past the end", good.replace("index 270", "index 300"), LEDGER.entries[270]),
        case("leading zero", good.replace("index 270", "index 0270"), LEDGER.entries[270]),
        case("a hash too few", good.replace(hashes[-1] + "\n", ""), LEDGER.entries[270]),
        case("a hash too many", good.replace(hashes[-1], f"{hashes[-1]}\n{hashes[-1]}"), LEDGER.entries[270]),
        case("swapped hashes", "\n".join(_swapped(good.split("\n"))), LEDGER.entries[270]),
        case("extra data", good.replace("index", "extra AAAA\nindex", 1), LEDGER.entries[270]),
        case("another version", good.replace("@v1", "@v2"), LEDGER.entries[270]),
        case("unsigned checkpoint", good.replace(SIGNED, ""), LEDGER.entries[270]),
    ]


def _swapped(lines: list[str]) -> list[str]:
    lines[2], lines[3] = lines[3], lines[2]
    return lines


def entries() -> list[Case]:
    """Texts of entries, with their leaf hash."""

    def case(name: str, text: bytes) -> Case:
        def run() -> Case:
            entry.parse(text)
            return {"leaf_hash": tree.leaf_hash(text).hex()}

        return {"name": name, "text": text.decode(), **outcome(run)}

    first = made.entries(32)
    kinds = {json.loads(one)["type"]: index for index, one in reversed(list(enumerate(first)))}
    good = [(kind, first[index]) for kind, index in kinds.items()]
    good += [("intake that tells", first[13]), ("countersigned", first[15])]
    start = entry.NoticeEntry(v=1, time=7, code="start", scope="")
    good += [(code, entry.encode(replace(start, code=code))) for code in ("start", "generation")]
    good += [("hold lifted", entry.encode(entry.HoldEntry(v=1, time=7, authority="court", holding="calls", until=7)))]
    good += [("erasure without a key left", encode(json.loads(first[4]) | {"epochs": []}))]

    def one(kind: str) -> Case:
        found: Case = json.loads(first[kinds[kind]])
        return found

    heartbeat = b'{"time":7,"type":"heartbeat","v":1}'
    disclosure, short = one("disclosure"), [n.to_bytes(12, "big") for n in range(9)]
    bent: list[tuple[str, str, Case]] = [
        ("member that no schema has", "disclosure", {"more": 1}),
        ("version 2", "disclosure", {"v": 2}),
        ("reserved type", "disclosure", {"type": "approval"}),
        ("negative time", "disclosure", {"time": -1}),
        ("time over 2^53-1", "disclosure", {"time": 2**53}),
        ("asker of 3 bytes", "disclosure", {"asker": "AAAA"}),
        ("holding in upper case", "disclosure", {"holding": "Residents"}),
        ("tags not sorted", "disclosure", {"tags": disclosure["tags"][::-1]}),
        ("a tag twice", "disclosure", {"tags": disclosure["tags"][:1] * 2}),
        *(
            (f"no tag in {kind}", kind, {"tags": []})
            for kind in ("disclosure", "check", "correction", "export", "erasure", "find")
        ),
        ("compartments not ascending", "disclosure", {"compartments": [3, 1]}),
        ("compartment 0", "check", {"compartments": [0]}),
        ("no compartment", "export", {"compartments": []}),
        ("1,001 tags", "disclosure", {"tags": [n.to_bytes(16, "big") for n in range(1001)]}),
        ("1,001 tags of an intake", "intake", {"tags": [n.to_bytes(16, "big") for n in range(1001)]}),
        ("tags in a refusal", "refusal", {"tags": disclosure["tags"]}),
        ("two tags of a find", "find", {"tags": disclosure["tags"]}),
        ("countersigners not sorted", "disclosure", {"countersigners": short[1::-1]}),
        ("a countersigner twice", "find", {"countersigners": short[:1] * 2}),
        ("nine countersigners", "disclosure", {"countersigners": short}),
        ("a countersigner of 16 bytes", "disclosure", {"countersigners": [bytes(16)]}),
        ("epochs not ascending", "erasure", {"epochs": [5, 4]}),
        ("an epoch twice", "erasure", {"epochs": [5, 5]}),
        ("an epoch over 2^32-1", "erasure", {"epochs": [2**32]}),
        ("a mark of 12 bytes", "erasure", {"marks": [bytes(12)]}),
        ("more records than marks", "erasure", {"count": 2}),
        ("fewer records than marks", "erasure", {"count": 2, "marks": [n.to_bytes(16, "big") for n in range(3)]}),
        ("marks not sorted", "erasure", {"count": 2, "marks": [b"b" * 16, b"a" * 16]}),
        ("an epoch as text", "expiry", {"epoch": "2026-11-23"}),
        ("a key of 16 bytes", "expiry", {"key": bytes(16)}),
        ("no authority", "hold", {"authority": ""}),
        ("an authority of 201 characters", "hold", {"authority": "c" * 201}),
        ("an authority that ends in a space", "hold", {"authority": "court "}),
        ("an authority in two lines", "hold", {"authority": "a\nb"}),
        ("an authority with a mark of direction", "hold", {"authority": "court \u202eleirbag"}),
        ("an authority whose accent is loose", "hold", {"authority": "cour e\u0301lue"}),
        ("until without a number", "hold", {"until": None}),
        ("a notice of no code", "notice", {"code": "expiry"}),
        ("a freeze of nothing", "notice", {"scope": ""}),
        ("a start of the room", "notice", {"code": "start", "scope": "room"}),
        ("a generation of a holding", "notice", {"code": "generation", "scope": "holding:calls"}),
        ("a freeze of a named reader", "notice", {"scope": "reader:00"}),
    ]
    return [
        *(case(f"good: {name}", text) for name, text in good),
        case("good: 1,000 tags", encode(disclosure | {"tags": [n.to_bytes(16, "big") for n in range(1000)]})),
        case("good: eight countersigners", encode(disclosure | {"countersigners": short[:8]})),
        *(case(name, encode(one(kind) | members)) for name, kind, members in bent),
        case("member missing", encode({name: one for name, one in disclosure.items() if name != "unit"})),
        case("white space", heartbeat.replace(b":", b": ")),
        case("last newline", heartbeat + b"\n"),
        case("members not sorted", b'{"v":1,"time":7,"type":"heartbeat"}'),
        case("member twice", b'{"time":7,"time":7,"type":"heartbeat","v":1}'),
        case("number with a fraction", heartbeat.replace(b"7", b"7.0")),
        case("needless escape", heartbeat.replace(b"heart", b"\\u0068eart")),
        case("over 65,535 bytes", encode(made.charter_entry(b"x" * 65_536, 1, 1))),
    ]


def tags() -> Case:
    """Chains with their first tags, and day files (hex)."""
    key, chains = bytes(range(32)), []
    for holding, who, generation in (
        (b"\1" * 16, b"\2" * 16, 1),
        (b"\1" * 16, b"\2" * 16, 2),
        (b"\3" * 16, b"\2" * 16, 2**40),
    ):
        chain = tag.chain_key(key, holding, who, generation)
        first = {str(n): tag.tag(chain, n).hex() for n in (1, 2, 3, 1000, 2**40)}
        members = {"tag_key": key.hex(), "holding_id": holding.hex(), "who": who.hex(), "generation": generation}
        chains.append(members | {"chain_key": chain.hex(), "tags": first})

    def day(name: str, data: bytes) -> Case:
        return {
            "name": name,
            "file": data.hex(),
            **outcome(lambda: {"pairs": [[t.hex(), n] for t, n in tag.parse_day(data)]}),
        }

    low, high = bytes(15) + b"\1" + bytes(8), bytes(15) + b"\2" + bytes(8)
    days = [
        day("empty", b""),
        day("two tags", low + high),
        day("one tag twice, at two entries", low + low[:-1] + b"\1"),
        day("not sorted", high + low),
        day("a line twice", low + low),
        day("cut short", low[:-1]),
    ]
    return {"chains": chains, "days": days}


def documents() -> dict[str, Case]:
    """Every file's content, by name."""
    about = "root is hex; signers are those of vkeys that signed, in order of lines"
    return {
        "ledger-note.json": SOURCE | {"about": about, "seeds": seeds(), "cases": notes()},
        "ledger-cosignature.json": SOURCE | {"seeds": seeds(), "cases": cosignatures()},
        "ledger-proof.json": SOURCE | {"cases": proofs()},
        "ledger-entry.json": SOURCE | {"cases": entries()},
        "ledger-tag.json": SOURCE | tags(),
    }


def seeds() -> Case:
    """Private keys (hex) of the signers, so that others can sign as they do."""
    return {LOG: (b"\1" * 32).hex(), ML_DSA: (b"\2" * 32).hex(), VAULT: (b"\3" * 32).hex()}


if __name__ == "__main__":
    for name, content in documents().items():
        (VECTORS / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
