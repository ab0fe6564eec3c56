"""What the vault has cosigned of a ledger: a fork shown to one person alone is none of it (SPEC.md 5.6, 5.7)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.catalog import sample
from tests.ledger import made

from strongroom.canonical import encode
from strongroom.catalog.model import KeyholderKeys, VaultKeys
from strongroom.errors import CheckpointError, LedgerError, NoteError, TileError
from strongroom.ledger import audit, confirm, entry
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import Cosigner
from strongroom.ledger.note import verifier

LEDGER = made.ledger(300)
FETCH = LEDGER.files.__getitem__
other = Cosigner(made.vault.name, Ed25519PrivateKey.from_private_bytes(b"\x0b" * 32))


def run(cosigned: str | bytes, files: dict[str, bytes] = LEDGER.files) -> audit.Audit:
    data = cosigned if isinstance(cosigned, bytes) else cosigned.encode()
    return audit.audit((files | {"cosigned": data}).__getitem__, made.verifiers, None)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 299, 300])
def test_confirmed_is_what_the_vault_has_seen(size: int) -> None:
    at = made.ledger(size).checkpoint()
    found = run(made.cosigned(at)).confirmed
    assert found is not None
    assert (found.checkpoint, found.size) == (at, size)
    assert found.time == entry.parse(LEDGER.entries[size - 1]).time


def test_none_where_no_file_says_so_or_no_key_is_known() -> None:
    files = {path: data for path, data in LEDGER.files.items() if path != "cosigned"}
    assert audit.audit(files.__getitem__, made.verifiers, None).confirmed is None
    # Charters of a later schema need not name the vault's key.
    assert audit.audit(FETCH, made.verifiers[:1], None).confirmed is None


def _lines(at: Checkpoint, *lines: str) -> str:
    return f"{at.marshal()}\n{''.join(lines)}"


AT = LEDGER.checkpoint()
TEXT = AT.marshal()
FALSE: dict[str, tuple[type[LedgerError], str, str]] = {
    "another tree": (CheckpointError, "FORKED", made.cosigned(Checkpoint(made.ORIGIN, 200, bytes(32)))),
    "another tree of this size": (CheckpointError, "FORKED", made.cosigned(Checkpoint(made.ORIGIN, 300, bytes(32)))),
    "ahead of what is published": (CheckpointError, "was cut, or is an old copy", made.cosigned(Checkpoint(made.ORIGIN, 301, AT.root))),
    "another ledger's": (NoteError, "cosigned: ", made.cosigned(Checkpoint("other.example/ledger", 300, AT.root))),
    "the log's line alone": (NoteError, "the vault's cosignature is not under it", _lines(AT, made.log.sign(TEXT))),
    "the log's two lines": (NoteError, "the vault's cosignature is not", _lines(AT, made.log.sign(TEXT), made.post_quantum.cosign(TEXT, 1))),
    "the vault's line alone": (NoteError, "not signed by the log's own key", _lines(AT, made.vault.cosign(TEXT, 1))),
    "another key under the vault's name": (NoteError, "the vault's cosignature is not", _lines(AT, made.log.sign(TEXT), other.cosign(TEXT, 1))),
    "the vault's line of another text": (
        NoteError, "does not verify", _lines(AT, made.log.sign(TEXT), made.vault.cosign(made.ledger(299).checkpoint().marshal(), 1)),
    ),
    "an empty ledger": (CheckpointError, "empty ledger", made.cosigned(made.ledger(0).checkpoint())),
    "no note": (NoteError, "cosigned: ", TEXT),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_is_refused(name: str) -> None:
    kind, says, text = FALSE[name]
    with pytest.raises(kind, match=says):
        run(text)


def test_what_cannot_be_read() -> None:
    with pytest.raises(NoteError, match="not UTF-8"):
        run(b"\xff")

    def unreachable(path: str) -> bytes:
        if path == "cosigned":
            raise PermissionError(path)
        return LEDGER.files[path]

    with pytest.raises(TileError, match="cosigned: cannot be read"):
        audit.audit(unreachable, made.verifiers, None)


def test_it_is_read_before_the_checkpoint() -> None:
    """The publisher writes it after: whoever reads the other way round would take a ledger that has just grown for a cut one."""
    read: list[str] = []

    def fetch(path: str) -> bytes:
        read.append(path)
        return LEDGER.files[path]

    audit.audit(fetch, made.verifiers, None)
    assert read.index("cosigned") < read.index("checkpoint")


def test_the_key_is_that_of_the_charter_in_force_at_its_last_entry() -> None:
    """A vault that was given another key: what it confirmed before stays so."""
    houses = KeyholderKeys(
        desk=sample.key("desk"),
        log=made.log.vkey,
        message=sample.key("keyholder"),
        ml_dsa=made.post_quantum.vkey,
        operator=sample.key("operator"),
    )

    def charter(version: int, previous: bytes, cosigner: str) -> bytes:
        stewards = [made.steward.public_key().public_bytes_raw()]
        vault = VaultKeys(cosigner=cosigner, message=sample.key("vault"))
        return encode(
            sample.charter(
                version=version, previous=previous, keyholder=houses, stewards=stewards, vault=vault, delay=60
            )
        )

    first = charter(1, bytes(32), other.vkey)
    second = charter(2, made.charter_hash(first), made.vault.vkey)
    ledger = made.Ledger()
    start = made.START
    items: list[entry.Entry] = [made.charter_entry(first, start, start), made.charter_entry(second, start, start + 60)]
    items += [entry.HeartbeatEntry(v=1, time=start + seconds) for seconds in (59, 60)]
    notes = []
    for item in items:
        ledger.append([entry.encode(item)])
        text = ledger.checkpoint().marshal()
        lines = [made.log.sign(text), made.vault.cosign(text, 1)], [made.log.sign(text), other.cosign(text, 1)]
        notes.append([_lines(ledger.checkpoint(), *signed) for signed in lines])
    ledger.publish()
    for at, new in ((0, False), (1, False), (2, False), (3, True)):
        found = run(notes[at][not new], ledger.files).confirmed
        assert found is not None
        assert found.size == at + 1
        with pytest.raises(NoteError, match="the vault's cosignature is not under it"):
            run(notes[at][new], ledger.files)


def test_by_itself() -> None:
    at = made.ledger(100).checkpoint()
    note = confirm.read((LEDGER.files | {"cosigned": made.cosigned(at).encode()}).__getitem__)
    assert note is not None
    assert confirm.claimed(note) == at
    log, _, vault = made.verifiers
    assert confirm.confirm(FETCH, note, [log, vault], AT) == at
    assert confirm.vaults([*made.verifiers, verifier(other.vkey)], made.ORIGIN) == [vault, verifier(other.vkey)]
