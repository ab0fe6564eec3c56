"""The vault's checks of a receipt, attacked one by one by a keyholder that lies (SPEC.md sections 5.3 and 8.2).

The keyholder has every key of its own and writes and decides as it should, until it answers. Whatever it then says, the
vault must open nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import encode
from strongroom.custody import read
from strongroom.drill.falsehood import sealed_shares, shares_of
from strongroom.drill.report import Report
from strongroom.drill.stage import Stage
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, entry, note, proof, tile, tree
from strongroom.seal.columns import split


@dataclass
class Answer:
    """What the keyholder is about to say. ``sealed_for`` is the request that the answer is bound to."""

    receipt: str
    given: tuple[list[bytes], bytes] = field(repr=False)
    entries: list[str]
    sealed_for: bytes = field(repr=False)


Lie = Callable[["Liar", Answer], None]


class Liar:
    """A keyholder on the way to the vault: it tells the truth but for one answer to a disclosure."""

    def __init__(self, stage: Stage, lie: Lie) -> None:
        self.stage, self.lie, self.keyholder = stage, lie, stage.keyholder

    def __call__(self, path: str, signature: bytes, body: bytes) -> bytes:
        told = self.stage.transport(path, signature, body)
        if path != "/v1/disclose":
            return told
        request = protocol.REQUESTS[path].parse(body)
        assert isinstance(request, protocol.Disclose)
        said = protocol.sealed_answer.parse(told)
        answer = Answer(
            self.keyholder.book.receipt(self.keyholder.book.size - 1),
            shares_of(self.keyholder, request),
            list(said.entries),
            body,
        )
        self.lie(self, answer)
        return sealed_shares(self.keyholder, request, answer.receipt, answer.given, answer.entries, answer.sealed_for)

    def sign(self, at: checkpoint.Checkpoint, key: note.Signer | None = None) -> str:
        text = at.marshal()
        return f"{text}\n{(key or self.keyholder.keys.log).sign(text)}"

    def state(self) -> tuple[proof.Proof, checkpoint.Checkpoint]:
        honest = proof.parse(self.keyholder.book.receipt(self.keyholder.book.size - 1))
        return honest, checkpoint.parse(note.parse_note(honest.checkpoint).text)


def _missing(liar: Liar, answer: Answer) -> None:
    answer.receipt = ""


def _forged(liar: Liar, answer: Answer) -> None:
    honest, at = liar.state()
    stranger = note.Signer(at.origin, Ed25519PrivateKey.generate())
    answer.receipt = replace(honest, checkpoint=liar.sign(at, stranger)).marshal()


def _bent(liar: Liar, answer: Answer) -> None:
    honest, _ = liar.state()
    first = bytes([honest.hashes[0][0] ^ 1]) + honest.hashes[0][1:]
    answer.receipt = replace(honest, hashes=(first, *honest.hashes[1:])).marshal()


def _of_another_entry(liar: Liar, answer: Answer) -> None:
    answer.receipt = liar.keyholder.book.receipt(0)


def _of_an_earlier_read(liar: Liar, answer: Answer) -> None:
    answer.receipt = liar.keyholder.book.receipt(liar.keyholder.book.size - 2)


def _of_other_compartments(liar: Liar, answer: Answer) -> None:
    """The book says that less was opened: the last entry is another than the vault's request led to."""
    _say(liar, answer, b'"compartments":[1]', b'"compartments":[2]')


def _of_another_ask(liar: Liar, answer: Answer) -> None:
    """The new entry is of an ask that has the same reason and case, but is about another record."""
    last = entry.parse(liar.keyholder.book.entries(liar.keyholder.book.size - 1, 1)[0].encode())
    assert isinstance(last, entry.DisclosureEntry)
    _say(liar, answer, b'"commitment":' + encode(last.commitment), b'"commitment":' + encode(bytes(32)))


def _of_another_count(liar: Liar, answer: Answer) -> None:
    _say(liar, answer, b'"count":2', b'"count":1')


def _of_fewer_tags(liar: Liar, answer: Answer) -> None:
    """Two records were opened, and the book has a tag for one of them."""
    last = entry.parse(liar.keyholder.book.entries(liar.keyholder.book.size - 1, 1)[0].encode())
    tags = encode(entry.entry_tags(last))
    _say(liar, answer, b'"tags":' + tags, b'"tags":' + encode(entry.entry_tags(last)[:1]))


def _say(liar: Liar, answer: Answer, old: bytes, new: bytes) -> None:
    """Sign a ledger whose last entry is another, and give a receipt for that."""
    entries = [item.encode() for item in liar.keyholder.book.entries(0, liar.keyholder.book.size)]
    entries[-1] = entries[-1].replace(old, new)
    _resigned(liar, answer, entries)


def _forked(liar: Liar, answer: Answer) -> None:
    """The entry is right, and an earlier one is another than the vault was shown."""
    entries = [item.encode() for item in liar.keyholder.book.entries(0, liar.keyholder.book.size)]
    _resigned(liar, answer, [entries[0], *entries[2:], entries[-1]])


def _shortened(liar: Liar, answer: Answer) -> None:
    """The entry is right, and stands in a ledger from which the one before it was dropped."""
    entries = [item.encode() for item in liar.keyholder.book.entries(0, liar.keyholder.book.size)]
    _resigned(liar, answer, [*entries[:-2], entries[-1]])


def _resigned(liar: Liar, answer: Answer, entries: list[bytes]) -> None:
    tiles = tile.append(lambda level, n: b"", 0, [tree.leaf_hash(item) for item in entries])
    prover = tile.Prover(lambda level, n: tiles.get((level, n), b""))
    _, at = liar.state()
    size = len(entries)
    signed = liar.sign(checkpoint.Checkpoint(at.origin, size, prover.root(size)))
    answer.receipt = proof.Proof(size - 1, tuple(prover.inclusion(size - 1, size)), signed).marshal()
    answer.entries[-1:] = [entries[-1].decode()]


def _withheld(liar: Liar, answer: Answer) -> None:
    """No entry comes with the receipt, nor when the vault asks for it."""
    honest, at = liar.state()
    answer.receipt = replace(honest, index=at.size, checkpoint=liar.sign(replace(at, size=at.size + 1))).marshal()


def _other_shares(liar: Liar, answer: Answer) -> None:
    whos, shares = answer.given
    answer.given = whos, b"".join([*split(shares, 32)[1:], bytes(32)])


def _other_request(liar: Liar, answer: Answer) -> None:
    answer.sealed_for = b"another request"


LIES: tuple[tuple[str, str, Lie], ...] = (
    ("no receipt", "proof", _missing),
    ("receipt signed by another key", "note", _forged),
    ("receipt with a hash changed", "proof", _bent),
    ("receipt of another entry", "proof", _of_another_entry),
    ("receipt of an earlier read", "proof", _of_an_earlier_read),
    ("receipt of another ask", "entry", _of_another_ask),
    ("receipt of an entry with other compartments", "entry", _of_other_compartments),
    ("receipt of an entry with another count", "entry", _of_another_count),
    ("receipt of an entry with fewer tags", "entry", _of_fewer_tags),
    ("receipt in a forked ledger", "checkpoint", _forked),
    ("receipt in a shortened ledger", "checkpoint", _shortened),
    ("receipt without its entry", "checkpoint", _withheld),
    ("shares of other slots", "commitment", _other_shares),
    ("answer to another request", "seal", _other_request),
)  # fmt: skip


def run(report: Report, stage: Stage) -> None:
    handles = iter(reversed(stage.handles()))
    _try(report, stage, "an honest keyholder (the control)", "", lambda liar, answer: None, [next(handles)])
    for attack, code, lie in LIES:
        stage.hands.wait(3600)
        # Something to confuse it with: a read of another record, which the vault knows of.
        read.disclose(stage.room, stage.ask([next(handles)]))
        _try(report, stage, attack, code, lie, [next(handles), next(handles)])


def _try(report: Report, stage: Stage, attack: str, code: str, lie: Lie, handles: list[bytes]) -> None:
    signed = stage.ask(handles)
    # A copy of the vault for each: one that believed a lie would, rightly, believe no true ledger afterwards.
    copy = stage.root / "lied-to" / str(len(report.findings))
    shutil.copytree(stage.root / "vault", copy)
    vault = stage.open_vault(copy, Liar(stage, lie))
    try:
        got: Any = read.disclose(vault, signed).values
        found = ""
    except StrongroomError as error:
        got, found = (), error.code
    except Exception as error:  # noqa: BLE001 - a vault that breaks has not refused, whatever it broke on
        got, found = (), f"a defect, {type(error).__name__}"
    finally:
        vault.close()
    seen = f"the vault refuses: {found}" if found else "nothing"
    if code:
        report.add(attack, 1, f"{len(got)} records opened", seen, passed=found == code and not got)
    else:
        report.add(attack, 1, f"{len(got)} record, as it must be", "disclosure", passed=len(got) == 1)
