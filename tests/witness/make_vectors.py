"""Write ``vectors/ledger-policy.json`` and ``vectors/witness.json``, for implementations in any language.

    PYTHONPATH=src:. python tests/witness/make_vectors.py

A policy has sets of cosigners (numbers of ``vkeys``) that are a quorum, and sets that are not; or it is refused. A witness that knows the
``logs`` and nothing else is sent the ``steps`` in order: what it answers (C2SP tlog-witness), and the size that a 409 tells.
"""

from __future__ import annotations

import dataclasses
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.ledger.test_policy import BAD, EXAMPLE, KEYS, LOGS, QUANTUM
from tests.witness.made import Log

from strongroom.ledger.checkpoint import Checkpoint
from strongroom.witness.request import Request

VECTORS = Path(__file__).parents[2] / "vectors"
SOURCE = {"source": "Strongroom, tests/witness/make_vectors.py", "licence": "as Strongroom"}


def _policies() -> list[dict[str, Any]]:
    nested = (
        f"witness a {KEYS[0]}\nwitness b {KEYS[1]}\nwitness c {KEYS[2]}\ngroup g any a b\ngroup h all g c\nquorum h\n"
    )
    named = f"witness K {KEYS[0]}\nwitness \u212a {KEYS[1]}\ngroup all all K \u212a\nquorum all\n"
    hybrid = f"witness a {KEYS[0]} https://w.example\nwitness a-pq {QUANTUM} https://w.example\ngroup o any a a-pq\nquorum o\n"
    pq = len(KEYS)
    good: list[tuple[str, str, list[list[int]], list[list[int]]]] = [
        ("the example of the specification", EXAMPLE, [[0, 1, 3], [1, 2, 5], list(range(6))], [[], [0, 3, 4, 5], [0, 1, 2]]),
        ("nobody", "quorum none\n", [[], [0]], []),
        ("one", f"witness a {KEYS[0]}\nquorum a\n", [[0], [0, 1]], [[], [1]]),
        ("groups of groups", nested, [[0, 2], [1, 2]], [[0, 1], [2]]),
        ("names are octets", named, [[0, 1]], [[0], [1]]),
        ("two keys of one organisation", hybrid, [[0], [pq], [0, pq]], [[], [1]]),
        ("free layout", f"\t# note\n\n  witness\ta \t{KEYS[0]}  \n quorum a \n", [[0]], [[]]),
        ("no one of the quorum is needed twice", EXAMPLE.replace("group X-witnesses 2", "group X-witnesses 3"), [[0, 1, 2, 4]], [[0, 1, 4]]),
    ]  # fmt: skip
    cases: list[dict[str, Any]] = [
        {"name": name, "policy": text, "quorums": quorums, "short": short} for name, text, quorums, short in good
    ]
    long = ("much too long",)
    cases += [{"name": name, "policy": text, "error": "policy"} for name, (text, _) in BAD.items() if name not in long]
    return cases


def _bent(note: str) -> str:
    return note[:-8] + ("A" if note[-8] != "A" else "B") + note[-7:]


def _steps() -> list[tuple[str, bytes, int, int | None]]:
    log, other, stranger, impostor = Log(), Log(branch=1, common=2), Log("log.example/two", seed=9), Log(seed=9)
    for one, size in ((log, 70), (other, 70), (stranger, 3), (impostor, 5)):
        one.grow(size)
    text = log.text(40) + "an extension\n"
    extended = Request(20, tuple(log.prover.consistency(20, 40)), f"{text}\n{log.signer.sign(text)}")
    wrong = Checkpoint(log.origin, 20, bytes(32)).marshal()
    first, grown = log.ask(0, 5), log.ask(5, 20)
    return [
        ("unknown log", stranger.ask(0).marshal(), 404, None),
        ("signed by another key of its name", impostor.ask(0).marshal(), 403, None),
        ("bad signature", dataclasses.replace(first, note=_bent(first.note)).marshal(), 403, None),
        ("nothing", b"", 400, None),
        ("no empty line", first.marshal().replace(b"old 0\n\n", b"old 0\n"), 400, None),
        ("leading zero", first.marshal().replace(b"old 0", b"old 00"), 400, None),
        ("64 hashes", b"old 0\n" + (b64encode(bytes(32)) + b"\n") * 64 + b"\n" + first.note.encode(), 400, None),
        ("old size above the checkpoint's", dataclasses.replace(first, old=6).marshal(), 400, None),
        ("not from nothing", log.ask(2, 5).marshal(), 409, 0),
        ("a proof from nothing", dataclasses.replace(first, proof=(bytes(32),)).marshal(), 422, None),
        ("first", first.marshal(), 200, None),
        ("again, from nothing", first.marshal(), 409, 5),
        ("again", log.ask(5, 5).marshal(), 200, None),
        ("another root at this size", other.ask(5, 5).marshal(), 409, None),
        ("without a proof", dataclasses.replace(grown, proof=()).marshal(), 422, None),
        ("with another's proof", dataclasses.replace(grown, proof=other.ask(5, 20).proof).marshal(), 422, None),
        ("a fork", other.ask(5, 20).marshal(), 422, None),
        ("grown", grown.marshal(), 200, None),
        ("back", log.ask(0, 5).marshal(), 409, 20),
        ("a root of nothing", Request(20, (), f"{wrong}\n{log.signer.sign(wrong)}").marshal(), 409, None),
        ("with an extension line", extended.marshal(), 200, None),
        ("and on", log.ask(40, 70).marshal(), 200, None),
    ]


def documents() -> dict[str, dict[str, Any]]:
    steps = [
        {"name": name, "body": body.decode(), "status": status, **({} if size is None else {"size": size})}
        for name, body, status, size in _steps()
    ]
    return {
        "ledger-policy.json": SOURCE | {"vkeys": [*KEYS, QUANTUM], "logs": LOGS[:1], "cases": _policies()},
        "witness.json": SOURCE | {"logs": [Log().signer.vkey], "steps": steps},
    }


if __name__ == "__main__":
    for name, content in documents().items():
        (VECTORS / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
