"""Sealing to a public key (SPEC 1.5), and the evidence of an ask that is sealed so (SPEC 7.1)."""

from __future__ import annotations

import hmac
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import by_hand, made

from strongroom.errors import SealError
from strongroom.seal import hpke, private

SEED = made.draw("epoch key", 96)
EVIDENCE = b'{"ask":"...","private":"..."}'
COMMITMENT = made.draw("commitment", 32)


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_the_suite_is_the_one_of_the_specification(plaintext: bytes, info: bytes) -> None:
    sealed = hpke.encrypt(made.PRIVATE.public, info, plaintext)
    assert len(sealed) == len(plaintext) + hpke.OVERHEAD
    assert by_hand.decrypt(SEED, info, sealed) == plaintext
    assert hpke.decrypt(made.PRIVATE, info, sealed) == plaintext


SEALED = hpke.encrypt(made.PRIVATE.public, b"info", b"plaintext")


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    if bit == 1119 * 8 + 7:
        # The top bit of an X25519 public value is ignored in the exchange, but the combiner hashes it.
        changed[0] ^= 1
    with pytest.raises(SealError):
        hpke.decrypt(made.PRIVATE, b"info", bytes(changed))


@given(st.binary(max_size=1300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SealError):
        hpke.decrypt(made.PRIVATE, b"", data)


def test_other_key_or_info_opens_nothing() -> None:
    with pytest.raises(SealError):
        hpke.decrypt(hpke.private_from(made.draw("another", 96)), b"info", SEALED)
    with pytest.raises(SealError):
        hpke.decrypt(made.PRIVATE, b"inf", SEALED)


def test_keys_that_are_none() -> None:
    public = made.PRIVATE.public
    assert len(public) == hpke.PUBLIC_SIZE
    # ML-KEM coefficients past the modulus; an X25519 key of small order.
    for bad in (b"", public[:-1], b"\xff" * 1184 + public[1184:], public[:1184] + bytes(32)):
        with pytest.raises(SealError):
            hpke.encrypt(bad, b"", b"")
    with pytest.raises(SealError):
        hpke.private_from(bytes(95))


def test_evidence() -> None:
    """Whether it is what the commitment says is for whoever knows its format; here it is bound to that commitment."""
    sealed = _sealed(EVIDENCE)
    assert private.open_private(made.PRIVATE, made.ROOM, COMMITMENT, sealed) == EVIDENCE
    assert len(_sealed(EVIDENCE * 40)) == len(sealed)
    for room, commitment, data in (
        (bytes(16), COMMITMENT, sealed), (made.ROOM, bytes(32), sealed), (made.ROOM, COMMITMENT, b"\3" + sealed[1:]),
        (made.ROOM, COMMITMENT, b""), (bytes(15), COMMITMENT, sealed), (made.ROOM, bytes(31), sealed),
        (made.ROOM, COMMITMENT, b"\1" + sealed[1:]), (made.ROOM, COMMITMENT, sealed[:1190]),
        (made.ROOM, COMMITMENT, sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):  # fmt: skip
        with pytest.raises(SealError):
            private.open_private(made.PRIVATE, room, commitment, data)


def _sealed(evidence: bytes) -> bytes:
    return private.seal_private(made.PRIVATE.public, made.ROOM, COMMITMENT, evidence, os.urandom)


def test_evidence_of_several_under_one_secret_opens_each_alone_and_as_no_others() -> None:
    sealer = private.PrivateSealer(made.PRIVATE.public, made.ROOM, os.urandom)
    other = bytes(31) + b"\1"
    one, two, again = sealer.seal(COMMITMENT, EVIDENCE), sealer.seal(other, b"{}"), sealer.seal(COMMITMENT, b"{}")
    assert private.open_private(made.PRIVATE, made.ROOM, COMMITMENT, one) == EVIDENCE
    assert private.open_private(made.PRIVATE, made.ROOM, other, two) == b"{}"
    # The same ask again, with another countersignature maybe: one key, another nonce.
    assert private.open_private(made.PRIVATE, made.ROOM, COMMITMENT, again) == b"{}"
    assert one[1169:1181] != again[1169:1181]
    with pytest.raises(SealError):
        private.open_private(made.PRIVATE, made.ROOM, COMMITMENT, two)


def test_evidence_by_the_specification() -> None:
    """SPEC 7.1 by hand, so that an auditor's own program opens it."""
    sealed = _sealed(EVIDENCE)
    secret = by_hand.decrypt(SEED, b"strongroom/v1 private-halves\0" + made.ROOM, sealed[1:1169])
    key = hmac.digest(secret, b"strongroom/v1 private-half\0" + made.ROOM + COMMITMENT, "sha256")
    padded = AESGCM(key).decrypt(sealed[1169:1181], sealed[1181:], None)
    assert (sealed[:1], len(padded)) == (b"\2", 2048)
    assert padded == EVIDENCE + b"\x80" + bytes(2047 - len(EVIDENCE))
