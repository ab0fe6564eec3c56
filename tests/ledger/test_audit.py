"""The audit finds whatever is changed in a published ledger, and says where."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.ledger import made

from strongroom.canonical import encode
from strongroom.errors import CheckpointError, EntryError, LedgerError, NoteError, ProofError, TileError
from strongroom.ledger import audit, entry, note, proof, tag, tile
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import Cosigner

LEDGER = made.ledger(600)
Files = dict[str, bytes]


def run(files: Files) -> audit.Audit:
    return audit.audit(files.__getitem__, made.verifiers, made.ORIGIN)


def test_a_good_ledger() -> None:
    seen: list[tuple[int, int]] = []
    visited: list[int] = []
    found = audit.audit(
        LEDGER.files.__getitem__,
        made.verifiers,
        None,
        lambda done, size: seen.append((done, size)),
        lambda index, one: visited.append(index),
    )
    assert (found.size, found.root, found.checkpoint) == (600, LEDGER.edge.root(), LEDGER.checkpoint())
    assert sum(found.counts.values()) == 600
    assert found.counts["charter"] == 2
    assert found.tags == sum(len(entry.entry_tags(entry.parse(one))) for one in LEDGER.entries)
    assert [one.type for one in found.signers] == [1, 6, 4]
    assert [one.version for one in found.charters] == [1, 2]
    assert [one.left for one in found.life.erasures()] == [*[(30_000,)] * 37, (38, 30_000)]
    assert len(found.life.destroyed) == found.counts["expiry"] == 37
    assert found.times == (made.START, entry.parse(LEDGER.entries[-1]).time)
    assert seen == [(256, 600), (512, 600), (600, 600)]
    assert visited == list(range(600))


def stating(log: str, cosigner: str) -> made.Ledger:
    """A ledger whose charter states these verifier keys and a heartbeat of a minute."""
    houses = {
        "heartbeat": 60,
        "keyholder": {"log": log, "ml_dsa": made.post_quantum.vkey},
        "vault": {"cosigner": cosigner},
    }
    document = encode(json.loads(made.charter(1, bytes(32))) | houses)
    found = made.Ledger()
    found.append([entry.encode(made.charter_entry(document, made.START, made.START))])
    found.append([entry.encode(entry.HeartbeatEntry(v=1, time=made.START + 60))])
    found.publish()
    return found


def test_the_keys_given_must_be_those_of_the_charter() -> None:
    good = stating(made.log.vkey, made.vault.vkey)
    assert run(good.files).silent_after == made.START + 60 + 120
    assert run(LEDGER.files).silent_after is None
    elsewhere = Cosigner(made.vault.name, Ed25519PrivateKey.from_private_bytes(b"\x0b" * 32)).vkey
    witness = note.verifier(note.Signer("witness.example", Ed25519PrivateKey.from_private_bytes(b"\x0c" * 32)).vkey)
    audit.audit(good.files.__getitem__, [*made.verifiers, witness], made.ORIGIN)
    audit.audit(good.files.__getitem__, made.verifiers[:1], made.ORIGIN)
    for log, cosigner in ((made.log.vkey, elsewhere), (elsewhere.replace("/vault", ""), made.vault.vkey)):
        with pytest.raises(NoteError, match="not the one in the charter"):
            run(stating(log, cosigner).files)
    # Who trusts the log's key alone has the vault's from the charter.
    with pytest.raises(NoteError, match=r"^cosigned: the vault's cosignature is not under it"):
        audit.audit(stating(made.log.vkey, elsewhere).files.__getitem__, made.verifiers[:1], made.ORIGIN)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512])
def test_every_size(size: int) -> None:
    assert run(made.ledger(size).files).size == size


def test_every_file_and_nearly_every_byte_counts() -> None:
    drawn = random.Random(1)
    paths = [path for path in LEDGER.files if path != "vkeys"]
    assert len(paths) > 10
    for path in paths:
        data = LEDGER.files[path]
        for at in {0, len(data) - 1, *drawn.sample(range(len(data)), min(8, len(data)))}:
            bent = data[:at] + bytes([data[at] ^ drawn.choice([1, 2, 0x20])]) + data[at + 1 :]
            with pytest.raises(LedgerError):
                run(LEDGER.files | {path: bent})
        with pytest.raises(LedgerError):
            run(LEDGER.files | {path: data[:-1]})
        without = {name: one for name, one in LEDGER.files.items() if name != path}
        if path == "cosigned":
            assert run(without).confirmed is None
            continue
        with pytest.raises(TileError, match=f"^{path}: missing$"):
            run(without)


def test_what_is_wrong_is_named() -> None:
    data = bytearray(LEDGER.files["tile/0/001"])
    data[32 * 7] ^= 1
    with pytest.raises(TileError, match=r"^tile/0/001: its hash 7 is not that of entry 263$"):
        run(LEDGER.files | {"tile/0/001": bytes(data)})
    with pytest.raises(TileError, match=r"^tile/entries/001: bundle"):
        run(LEDGER.files | {"tile/entries/001": b"\0"})
    with pytest.raises(TileError, match=r"^tile/1/000.p/2: 0 bytes"):
        run(LEDGER.files | {"tile/1/000.p/2": b""})
    day = tag.day_path(made.START)
    with pytest.raises(EntryError, match=f"^{day}: differs"):
        run(LEDGER.files | {day: b""})
    with pytest.raises(CheckpointError, match="want other"):
        audit.audit(LEDGER.files.__getitem__, made.verifiers, "other")

    def broken(path: str) -> bytes:
        raise PermissionError(path)

    with pytest.raises(TileError, match=r"^cosigned: cannot be read \(PermissionError\)$"):
        audit.audit(broken, made.verifiers, None)


def test_a_false_root_under_good_signatures() -> None:
    lie = made.sign(Checkpoint(made.ORIGIN, 600, bytes(32))).encode()
    with pytest.raises(CheckpointError, match="root"):
        run(LEDGER.files | {"checkpoint": lie})


def test_a_checkpoint_that_the_log_did_not_sign() -> None:
    text = LEDGER.checkpoint().marshal()
    for bad in (f"{text}\n{made.vault.cosign(text, 1)}".encode(), b"\xff", text.encode()):
        with pytest.raises(NoteError):
            run(LEDGER.files | {"checkpoint": bad})


def changed(at: int, **members: object) -> list[bytes]:
    """The ledger's entries with members of one changed, whatever the schema says."""
    found = msgspec.json.decode(LEDGER.entries[at])
    return [*LEDGER.entries[:at], encode(found | members), *LEDGER.entries[at + 1 :]]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (changed(22, time=made.START), "^entry 22: its time is before"),
        (changed(22, more=1), "^entry 22: entry: "),
        (changed(43, epoch=900), "^entry 52: an erasure leaves out"),
        (changed(43, epoch=2), "^entry 43: a key is destroyed that entry 27 says"),
        (changed(9, charter=bytes(32)), "^entry 9: its charter is not the one in force"),
        (changed(99, charter=made.charter_hash(made.charter(1, bytes(32)))), "^entry 99: its charter"),
        (LEDGER.entries[1:20], "^entry 0: its charter"),
        (LEDGER.entries[:10] + LEDGER.entries[11:], "^entry 12: its charter"),
        (changed(10, effective=made.START), "^entry 10: charter: version 2 takes effect before"),
        (changed(10, signature=bytes(64)), "^entry 10: charter: the steward's signature"),
        (changed(10, document="{}"), "^entry 10: charter: the document lacks"),
        ([LEDGER.entries[0]] * 2, "^entry 1: charter: version 1 does not follow 1"),
    ],
)
def test_what_an_operator_may_not_write(entries: list[bytes], message: str) -> None:
    ledger = made.Ledger()
    ledger.append(entries)
    ledger.files = dict(LEDGER.files)
    # Publishing parses, so a broken entry has to be smuggled in.
    for level, n, width in tile.published(0, len(entries)):
        at = slice(n * 256, n * 256 + width)
        data = tile.bundle(entries[at]) if level == tile.ENTRIES else ledger.read(int(level), n)
        ledger.files[tile.path(level, n, width)] = data
    ledger.files["checkpoint"] = made.sign(ledger.checkpoint()).encode()
    days: dict[str, list[tuple[bytes, int]]] = {}
    for index, one in enumerate(entries):
        try:
            found = entry.parse(one)
        except EntryError:
            continue
        days.setdefault(tag.day_path(found.time), []).extend((mark, index) for mark in entry.entry_tags(found))
    ledger.files |= {day: tag.marshal_day(pairs) for day, pairs in days.items()}
    with pytest.raises(EntryError, match=message):
        run(ledger.files)


def test_a_ledger_under_another_name() -> None:
    ledger = made.Ledger()
    ledger.append(made.entries(3))
    ledger.publish()
    text = Checkpoint("other.example/ledger", 3, ledger.edge.root()).marshal()
    signer = note.Signer("other.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    ledger.files["checkpoint"] = f"{text}\n{signer.sign(text)}".encode()
    with pytest.raises(EntryError, match=r"^entry 0: charter: of riverton.example, in the ledger other.example/ledger"):
        audit.audit(ledger.files.__getitem__, [note.verifier(signer.vkey)], None)


def test_a_directory_that_has_grown_past_its_checkpoint() -> None:
    ledger = made.Ledger()
    ledger.append(made.entries(300))
    ledger.publish()
    old = {path: ledger.files[path] for path in ("checkpoint", "cosigned")}
    ledger.append(list(made.entries(600)[300:]))
    ledger.publish()
    # The tidy publisher has removed partial tiles whose full ones exist.
    files = {path: data for path, data in ledger.files.items() if ".p/44" not in path} | old
    assert run(files).size == 300


def test_receipts_out_of_the_directory() -> None:
    for index in (0, 255, 256, 511, 599):
        receipt = audit.prove(LEDGER.files.__getitem__, index)
        assert proof.verify(receipt, LEDGER.entries[index], made.verifiers).size == 600
    with pytest.raises(ProofError):
        audit.prove(LEDGER.files.__getitem__, 600)


def test_growth() -> None:
    fetch: Callable[[str], bytes] = LEDGER.files.__getitem__
    new = LEDGER.checkpoint()
    for size in (0, 1, 255, 256, 300, 512, 599, 600):
        audit.verify_growth(fetch, made.ledger(size).checkpoint(), new)
    with pytest.raises(ProofError, match="out of order"):
        audit.verify_growth(fetch, new, made.ledger(599).checkpoint())
    for old in (Checkpoint(made.ORIGIN, 300, bytes(32)), Checkpoint("other", 300, made.ledger(300).edge.root())):
        with pytest.raises(ProofError):
            audit.verify_growth(fetch, old, new)


def test_tags_are_found_by_day() -> None:
    chain = tag.chain_key(b"\5" * 32, b"\6" * 16, b"\7" * 16, 1)
    days = sorted(path for path in LEDGER.files if path.startswith("tags/"))
    assert len(days) > 3
    count = run(LEDGER.files).tags
    wanted = tag.tags(chain, 1, count + 64)
    found = audit.find_tags(LEDGER.files.__getitem__, wanted, ["tags/1999-01-01", *days], 600)
    assert set(found) == set(wanted[:count])
    for one, indexes in found.items():
        assert [one in entry.entry_tags(entry.parse(LEDGER.entries[index])) for index in indexes] == [True]
    assert audit.find_tags(LEDGER.files.__getitem__, wanted, days, 2) == {wanted[0]: [1]}
    with pytest.raises(EntryError, match=f"^{days[0]}: "):
        audit.find_tags((LEDGER.files | {days[0]: b"x"}).__getitem__, wanted, days, 600)
