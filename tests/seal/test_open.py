"""What was sealed opens with its own share, unchanged and in its own place, and in no other way (SPEC 3.3, 3.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import CommitmentError, SealError
from strongroom.seal import slot
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.mac import keyed
from strongroom.seal.person import HoldingKeys

texts = st.text(st.characters(codec="utf-8"), max_size=300)
fields = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True), st.none() | texts, min_size=1, max_size=6
)
ids = st.binary(min_size=16, max_size=16)

ONE = made.seal(
    {"name": "Ada Lovelace", "phone": None},
    who=made.draw("who", 16), handle=made.draw("handle", 16), version=3, compartment=7,
)  # fmt: skip


def opened(one: made.Sealed, *, keys: HoldingKeys = made.KEYS, share: bytes | None = None) -> dict[str, str | None]:
    share = one.share() if share is None else share
    return open_compartment(keys, share, one.handle, one.version, one.compartment, one.slot.blob)


@given(fields, ids, ids, st.integers(1, 2**32 - 1), st.integers(1, 2**16 - 1))
def test_round_trip(values: dict[str, str | None], who: bytes, handle: bytes, version: int, compartment: int) -> None:
    one = made.seal(values, who=who, handle=handle, version=version, compartment=compartment)
    assert opened(one) == values
    whos, shares = slot.release([one.batch], [0], handle, [version], [compartment], one.slot.masked)
    assert (whos, shares) == ([who], one.share())
    assert slot.unmask(one.secret, one.slot.masked, compartment) == who


@given(st.integers(0, len(ONE.slot.blob) * 8 - 1))
def test_every_flipped_bit_of_the_blob_is_noticed(bit: int) -> None:
    changed = bytearray(ONE.slot.blob)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        opened(replace(ONE, slot=ONE.slot._replace(blob=bytes(changed))))


@given(st.integers(0, 32 * 8 - 1))
def test_every_flipped_bit_of_the_share_is_another_share(bit: int) -> None:
    changed = bytearray(ONE.share())
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CommitmentError):
        opened(ONE, share=bytes(changed))


@pytest.mark.parametrize(
    "relabelled",
    [
        replace(ONE, who=made.draw("somebody else", 16)),
        replace(ONE, handle=made.draw("another handle", 16)),
        replace(ONE, version=ONE.version + 1),
        replace(ONE, compartment=ONE.compartment + 1),
        replace(ONE, batch=made.draw("another batch", 32)),
    ],
    ids=["person", "handle", "version", "compartment", "batch"],
)
def test_a_relabelled_slot_does_not_open(relabelled: made.Sealed) -> None:
    """Whatever the keyholder is told a slot is, it makes the share of that and of nothing else."""
    (secret,) = slot.record_secrets(
        keyed(relabelled.batch), slot.places([relabelled.handle], [relabelled.version])
    )  # fmt: skip
    with pytest.raises(CommitmentError):
        opened(replace(relabelled, secret=secret))


def released(one: made.Sealed, masked: bytes, delta: bytes = b"") -> tuple[bytes, bytes]:
    (who,), share = slot.release([one.batch], [0], one.handle, [one.version], [one.compartment], masked, delta)
    return who, share


def test_a_slot_masked_for_another_person_yields_a_share_that_opens_nothing() -> None:
    """What a custodian would do to hide a read: put another person's mask on a stored slot."""
    other = made.draw("somebody else", 16)
    who, share = released(ONE, slot.unmask(ONE.secret, other, ONE.compartment))
    assert who == other
    with pytest.raises(CommitmentError):
        opened(ONE, share=share)


@given(st.binary(min_size=32, max_size=32).filter(any), ids)
def test_a_delta_that_the_keyholder_did_not_give_opens_nothing(delta: bytes, masked: bytes) -> None:
    assert released(ONE, ONE.slot.masked, bytes(32)) == (ONE.who, ONE.share()), "zeros stand for none"
    for w in (ONE.slot.masked, masked):
        _, share = released(ONE, w, delta)
        with pytest.raises(CommitmentError):
            opened(ONE, share=share)


def test_the_right_share_in_another_place_fails() -> None:
    """The check does not hold the address; the associated data does."""
    for moved in (
        replace(ONE, handle=made.draw("another handle", 16)),
        replace(ONE, version=4),
        replace(ONE, compartment=8),
    ):
        with pytest.raises(SealError, match="moved"):
            opened(moved, share=ONE.share())


@pytest.mark.parametrize(
    "keys",
    [
        HoldingKeys(made.draw("other KH", 32), made.ROOM, made.HOLDING),
        HoldingKeys(made.draw("KH", 32), made.draw("other room", 16), made.HOLDING),
        HoldingKeys(made.draw("KH", 32), made.ROOM, made.draw("other holding", 16)),
    ],
    ids=["key", "room", "holding"],
)
def test_other_keys_open_nothing(keys: HoldingKeys) -> None:
    with pytest.raises(SealError):
        opened(ONE, keys=keys)


@given(st.binary(max_size=200))
def test_any_bytes_for_a_blob_are_refused(data: bytes) -> None:
    with pytest.raises(SealError):
        opened(replace(ONE, slot=ONE.slot._replace(blob=data)))


def test_no_repr_shows_a_secret() -> None:
    for thing in (made.KEYS, made.PRIVATE):
        text = repr(thing)
        for secret in (made.draw("KH", 32), made.KEYS.seal, made.KEYS.nobody):
            assert repr(secret)[2:-1] not in text
    assert "key" not in repr(made.PRIVATE)
