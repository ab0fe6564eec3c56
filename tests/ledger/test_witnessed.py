"""Who has cosigned a published ledger, how long ago, and what a verifier makes of it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from tests.ledger import made

from strongroom.errors import CheckpointError, NoteError, QuorumError
from strongroom.ledger import audit, note, policy, proof, witnessed
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import Cosigner, MLDSACosigner
from strongroom.ledger.policy import Policy

NOW = made.START + 10_000_000
ONE, TWO = (Cosigner(f"w{n}.example", Ed25519PrivateKey.from_private_bytes(bytes([60 + n]) * 32)) for n in range(2))
THREE = MLDSACosigner("w2.example", MLDSA44PrivateKey.from_seed_bytes(b"\x70" * 32))
COSIGNERS: list[Cosigner | MLDSACosigner] = [ONE, TWO, THREE]
TRUSTED = [note.verifier(one.vkey) for one in COSIGNERS]
LOG = [note.verifier(made.log.vkey)]


def two_of_three(log: str = "") -> Policy:
    lines = [f"witness w{n} {one.vkey}" for n, one in enumerate(COSIGNERS)]
    return policy.parse("".join(f"{line}\n" for line in [*([log] if log else []), *lines, "group q 2 w0 w1 w2", "quorum q"]).encode())  # fmt: skip


def signed(at: Checkpoint, *times: int | None) -> str:
    """By the log, and by each witness that has a time."""
    text = at.marshal()
    lines = [one.cosign(text, time) for one, time in zip(COSIGNERS, times, strict=False) if time is not None]
    return f"{text}\n{made.log.sign(text)}{''.join(lines)}"


def audited(ledger: made.Ledger, wanted: Policy | None = None) -> audit.Audit:
    return audit.audit(ledger.files.__getitem__, LOG, None, policy=wanted or two_of_three())


def publish(ledger: made.Ledger, *times: int | None, before: Checkpoint | None = None) -> None:
    ledger.files["checkpoint"] = signed(ledger.checkpoint(), *(times if before is None else ())).encode()
    if before is not None:
        ledger.files["witnessed"] = signed(before, *times).encode()


def test_a_quorum_under_the_checkpoint() -> None:
    ledger = made.ledger(20)
    publish(ledger, NOW - 50, None, NOW - 20)
    found = audited(ledger)
    assert found.witnessed.size == found.size == 20
    assert found.witnessed.times == {TRUSTED[0]: NOW - 50, TRUSTED[2]: NOW - 20}
    assert found.quorum(NOW) == NOW - 50
    assert found.quorum(NOW - 50 + found.fresh) == NOW - 50
    with pytest.raises(QuorumError, match="old"):
        found.quorum(NOW - 50 + found.fresh + 1)
    # Dated ahead of whoever looks, a cosignature is none: it would be fresh for as long as it liked.
    assert found.quorum(NOW - 20 - witnessed.AHEAD_SECONDS) == NOW - 50
    with pytest.raises(QuorumError, match="not the quorum"):
        found.quorum(NOW - 21 - witnessed.AHEAD_SECONDS)


def test_less_than_a_quorum() -> None:
    ledger = made.ledger(20)
    for times in ((), (NOW,), (None, NOW), (None, None, NOW)):
        publish(ledger, *times)
        with pytest.raises(QuorumError):
            audited(ledger).quorum(NOW)
    # Whom nobody wants, nobody misses.
    assert audited(ledger, policy.NOBODY).quorum(NOW) == 2**53
    # The later of two lines of one key counts.
    publish(ledger, NOW - 100, NOW - 10)
    text = ledger.files["checkpoint"].decode() + ONE.cosign(ledger.checkpoint().marshal(), NOW - 5)
    ledger.files["checkpoint"] = text.encode()
    assert audited(ledger).quorum(NOW) == NOW - 10


def test_what_was_witnessed_before() -> None:
    """The checkpoint is newer than its cosignatures; the file beside it says what the quorum has seen."""
    old, ledger = made.ledger(20), made.ledger(70)
    publish(ledger, NOW, NOW, before=old.checkpoint())
    found = audited(ledger)
    assert (found.size, found.witnessed.size, found.quorum(NOW)) == (70, 20, NOW)
    # Short of a quorum it is not taken for one, and what stands under the checkpoint is told.
    publish(ledger, NOW, before=old.checkpoint())
    assert (audited(ledger).witnessed.size, audited(ledger).witnessed.times) == (70, {})
    # Where the checkpoint itself has one, that is what counts.
    publish(ledger, NOW, NOW, before=old.checkpoint())
    ledger.files["checkpoint"] = signed(ledger.checkpoint(), None, NOW, NOW).encode()
    assert audited(ledger).witnessed.size == 70


def test_a_ledger_that_the_witnesses_have_not_seen() -> None:
    ledger = made.ledger(70)
    for at, reason in (
        (made.ledger(300).checkpoint(), "it was cut"),
        (Checkpoint(made.ORIGIN, 20, b"\1" * 32), "FORKED"),
        (Checkpoint(made.ORIGIN, 70, b"\1" * 32), "FORKED"),
    ):
        publish(ledger, NOW, NOW, before=at)
        with pytest.raises(CheckpointError, match=reason):
            audited(ledger)


def test_what_is_no_cosignature() -> None:
    ledger = made.ledger(20)
    good = signed(ledger.checkpoint(), NOW, NOW)
    other = signed(made.ledger(70).checkpoint(), NOW, NOW)
    # The witnesses' lines from under another checkpoint.
    bent = good.rpartition("\n\n")[0] + "\n\n" + made.log.sign(ledger.checkpoint().marshal())
    bent += "".join(line + "\n" for line in other.splitlines() if "w0.example" in line)
    for path in ("checkpoint", "witnessed"):
        publish(ledger)
        ledger.files[path] = bent.encode()
        with pytest.raises(NoteError, match="does not verify"):
            audited(ledger)
    # Without the log's own signature a quorum speaks for nobody.
    publish(ledger)
    text = ledger.checkpoint().marshal()
    ledger.files["witnessed"] = f"{text}\n{ONE.cosign(text, NOW)}{TWO.cosign(text, NOW)}".encode()
    with pytest.raises(NoteError, match="witnessed"):
        audited(ledger)
    for data in (b"", b"\xff", b"nothing\n"):
        ledger.files["witnessed"] = data
        with pytest.raises(NoteError):
            audited(ledger)


def test_a_receipt_carries_the_cosignatures() -> None:
    """Out of the published files, for whoever is offline: under what the quorum has cosigned, where that has the entry."""
    old, ledger = made.ledger(20), made.ledger(300)
    publish(ledger, NOW, NOW, before=old.checkpoint())
    for index, size in ((0, 20), (19, 20), (20, 300), (299, 300)):
        receipt = proof.parse(audit.prove(ledger.files.__getitem__, index).marshal())
        assert proof.verify(receipt, ledger.entries[index], LOG).size == size
        seen = witnessed.opened(receipt.checkpoint, LOG, two_of_three())
        assert two_of_three().met(seen.times) is (size == 20)
    # A quorum under the checkpoint itself is no worse.
    ledger.files["checkpoint"] = ledger.files["witnessed"] = signed(ledger.checkpoint(), NOW, NOW).encode()
    assert audit.prove(ledger.files.__getitem__, 5).checkpoint == ledger.files["checkpoint"].decode()


def test_a_verifier_brings_its_own_policy() -> None:
    ledger = made.ledger(20)
    publish(ledger, NOW, NOW)
    mine = policy.parse(f"witness w {THREE.vkey}\nquorum w\n".encode())
    with pytest.raises(QuorumError):
        audited(ledger, mine).quorum(NOW)
    assert witnessed.claimed(ledger.files["checkpoint"].decode()) == ledger.checkpoint()
