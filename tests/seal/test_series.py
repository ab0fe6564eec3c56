"""Messages under one secret: each opens alone, with its key, for what it is for, and not when one bit is another."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import by_hand

from strongroom.errors import SealError
from strongroom.seal import hpke
from strongroom.seal.mac import mac
from strongroom.seal.series import SeriesSealer, open_one

KEY, OTHER = hpke.private_from(bytes(range(96))), hpke.private_from(bytes(range(1, 97)))
INFO = b"strongroom/v1 answers\0" + bytes(16)
SEALER = SeriesSealer(KEY.public, INFO, os.urandom)


@given(st.lists(st.tuples(st.binary(), st.binary()), max_size=4))
def test_each_opens_alone_in_any_order(messages: list[tuple[bytes, bytes]]) -> None:
    sealed = [SEALER.seal(about, text) for about, text in messages]
    for (about, text), one in reversed(list(zip(messages, sealed, strict=True))):
        assert open_one(KEY, INFO, about, one) == text


def test_nothing_but_what_it_was_sealed_to_opens_it() -> None:
    sealed = SEALER.seal(b"this", b"text")
    for key, info, about in ((OTHER, INFO, b"this"), (KEY, b"x", b"this"), (KEY, INFO, b"that"), (KEY, INFO, b"")):
        with pytest.raises(SealError):
            open_one(key, info, about, sealed)


@given(st.integers(0, 1168 + 12 + 16 + 4 - 1), st.integers(1, 255))
def test_a_changed_one_does_not_open(at: int, change: int) -> None:
    bent = bytearray(SEALER.seal(b"this", b"text"))
    bent[at] ^= change
    with pytest.raises(SealError):
        open_one(KEY, INFO, b"this", bytes(bent))


@given(st.integers(0, 1168 + 12 + 16 + 4 - 1))
def test_a_cut_one_does_not_open(size: int) -> None:
    with pytest.raises(SealError):
        open_one(KEY, INFO, b"this", SEALER.seal(b"this", b"text")[:size])


def test_it_is_what_the_specification_says() -> None:
    """SPEC 8.11, put together by hand."""
    about = b"strongroom/v1 answer-together\0" + bytes(16) + bytes(32)
    sealed = SEALER.seal(about, b"text")
    secret = by_hand.decrypt(bytes(range(96)), INFO, sealed[:1168])
    assert len(secret) == 32
    assert AESGCM(by_hand.mac(secret, about)).decrypt(sealed[1168:1180], sealed[1180:], b"") == b"text"


def test_two_of_the_same_are_not_the_same() -> None:
    assert SEALER.seal(b"this", b"text")[1168:] != SEALER.seal(b"this", b"text")[1168:]


def test_another_series_has_another_secret() -> None:
    assert SeriesSealer(KEY.public, INFO, os.urandom).seal(b"", b"")[:1168] != SEALER.seal(b"", b"")[:1168]


def test_a_secret_of_another_length_is_none() -> None:
    short = hpke.encrypt(KEY.public, INFO, bytes(31)) + bytes(1)
    nonce = bytes(12)
    with pytest.raises(SealError):
        open_one(KEY, INFO, b"", short + nonce + AESGCM(mac(bytes(31), b"")).encrypt(nonce, b"", None))


def test_a_key_that_is_none() -> None:
    with pytest.raises(SealError):
        SeriesSealer(bytes(1215), INFO, os.urandom)
