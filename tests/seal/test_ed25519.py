"""Keys made once are the keys; what is none is refused each time."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from strongroom.seal.ed25519 import public_key


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary())
def test_each_key_verifies_its_own_signatures_and_no_others(seed: bytes, other: bytes, message: bytes) -> None:
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    for one in (seed, other, seed):
        key = public_key(Ed25519PrivateKey.from_private_bytes(one).public_key().public_bytes_raw())
        if one == seed:
            key.verify(signature, message)
        else:
            with pytest.raises(InvalidSignature):
                key.verify(signature, message)


def test_what_is_no_key_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="32 bytes"):
            public_key(bytes(31))
