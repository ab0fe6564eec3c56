"""``vectors/seal-failures.json``: each case fails for one reason; ``error`` is the code of the exception expected."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from tests.seal import made

from strongroom.seal import batch, body, slot
from strongroom.seal.epoch import NEVER
from strongroom.seal.mac import keyed

Case = dict[str, Any]


def failures(record: Case) -> Case:
    """Each case is the record's first slot with one thing wrong, or a body or padding that nobody writes."""
    first = record["slots"][0]
    good = {"handle": record["handle"], "version": record["version"], "compartment": 1, "blob": first["blob"]}
    good |= {"share": first["share"]}
    b, mine, last = bytes.fromhex(record["b"]), bytes.fromhex(record["handle"]), record["resealed"][-1]

    def share(
        who: bytes = bytes.fromhex(first["who"]),
        handle: bytes = mine,
        version: int = record["version"],
        compartment: int = 1,
        b: bytes = b,
        delta: bytes = b"",
    ) -> str:
        (secret,) = slot.record_secrets(keyed(b), slot.places([handle], [version]), [delta])
        return slot.share(secret, who, compartment).hex()

    new, place = bytes.fromhex(last["b"]), slot.places([mine], [record["version"]])[0].hex()
    elsewhere = next(bytes.fromhex(delta) for name, delta in last["deltas"].items() if name != place)
    blob, data = bytes.fromhex(first["blob"]), bytes.fromhex(record["body"])
    opens: list[tuple[str, str, Case]] = [
        ("person relabelled", "commitment", {"share": share(who=bytes(16))}),
        ("handle relabelled", "commitment", {"share": share(handle=bytes(16)), "handle": bytes(16).hex()}),
        ("version relabelled", "commitment", {"share": share(version=4), "version": 4}),
        ("compartment relabelled", "commitment", {"share": share(compartment=2), "compartment": 2}),
        ("share of the new batch secret without a delta", "commitment", {"share": share(b=new)}),
        (
            "share of the new batch secret with another record's delta",
            "commitment",
            {"share": share(b=new, delta=elsewhere)},
        ),
        ("share of the old batch secret with a delta", "commitment", {"share": share(delta=elsewhere)}),
        ("check changed", "commitment", {"blob": _flip(blob, 13)}),
        ("handle of another slot, share of this one", "seal", {"handle": bytes(16).hex()}),
        ("nonce changed", "seal", {"blob": _flip(blob, 1)}),
        ("ciphertext changed", "seal", {"blob": _flip(blob, 29)}),
        ("tag changed", "seal", {"blob": _flip(blob, len(blob) - 1)}),
        ("blob of version 2", "seal", {"blob": "02" + first["blob"][2:]}),
        ("blob cut off", "seal", {"blob": first["blob"][:-2]}),
        ("share cut off", "seal", {"share": first["share"][:-2]}),
    ]
    one, two = body.parse(data)[:2]
    bodies = [
        ("version 2", b"\2" + data[1:]),
        ("cut off", data[:-1]),
        ("bytes after the last", data + b"\0"),
        ("no compartment", body.head(0)),
        ("fewer compartments than counted", body.head(4) + data[3:]),
        ("compartments not ascending", body.head(2) + body.piece(*two) + body.piece(*one)),
        ("a compartment twice", body.head(2) + body.piece(*one) * 2),
        ("compartment 0", body.head(1) + body.piece(0, one.masked, one.blob)),
        ("empty blob", body.head(1) + body.piece(1, one.masked, b"")),
    ]
    pads = [
        ("no end", bytes(64)),
        ("fill not zero", b"\x80" + bytes(62) + b"\1"),
        ("not a multiple of 64", b"\x80" + bytes(62)),
        ("longer than any floor and of no padded size", b"a" * 524_288 + b"\x80" + bytes(63)),
    ]
    return {
        "about": "SPEC.md 3.2 to 3.6: what must not open or parse. Keys and ids: those of seal-record.json. A pair in a padded "
        "text is a byte and how often it stands",
        "open": [{"name": name, "error": error} | good | changed for name, error, changed in opens],
        "body": [{"name": name, "error": "malformed", "body": value.hex()} for name, value in bodies],
        "unpad": [{"name": name, "error": "malformed", "padded": _short(value)} for name, value in pads],
        "secret": [{"name": name, "error": "seal"} | one for name, one in _secrets(record)],
    }


def _secrets(record: Case) -> list[tuple[str, Case]]:
    """The sealed batch secret where one thing is not what it was sealed under."""
    names = ("room", "keyholder", "holding", "epoch", "expires", "members", "epoch_private", "sealed")
    good = {name: record[name] for name in names}
    fewer = batch.members([bytes.fromhex(one) for one in record["places"][1:]])
    sealed = bytes.fromhex(record["sealed"])
    wrong: list[tuple[str, Case]] = [
        *((f"another {name}", {name: bytes(16).hex()}) for name in ("room", "keyholder", "holding")),
        ("another epoch", {"epoch": made.EPOCH + 1}),
        ("another expiry", {"expires": NEVER}),
        ("a member left out", {"members": fewer.hex()}),
        ("the members of after a resealing", {"members": record["resealed"][-1]["members"]}),
        ("another epoch's key", {"epoch_private": record["resealed"][0]["epoch_private"]}),
        ("version 2", {"sealed": "02" + record["sealed"][2:]}),
        ("changed", {"sealed": _flip(sealed, len(sealed) - 1)}),
        ("cut off", {"sealed": record["sealed"][:-2]}),
    ]
    return [(name, good | changed) for name, changed in wrong]


def _short(data: bytes) -> list[list[Any]]:
    """A long text of few bytes: each with how often it stands there."""
    return [[bytes([value]).hex(), len(list(run))] for value, run in groupby(data)]


def _flip(data: bytes, at: int) -> str:
    return (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]).hex()
