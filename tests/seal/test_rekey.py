"""Resealing: what stays opens as before, what was erased is gone with the old secrets (SPEC 3.3, 3.7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import CommitmentError, SealError
from strongroom.seal import body, slot
from strongroom.seal.batch import Column, seal_records
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.columns import split, xor
from strongroom.seal.mac import keyed

COMPARTMENTS = (1, 3)
ids = st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=6, unique=True)
secrets = st.binary(min_size=32, max_size=32)


@dataclass(frozen=True)
class State:
    """A batch as the vault has it, and its secret as the keyholder opens it, after so many resealings."""

    secret: bytes
    deltas: dict[bytes, bytes]
    """place → delta, of the members that stayed."""


def taken_in(handles: list[bytes]) -> tuple[State, dict[bytes, list[body.Slot]]]:
    batch, texts = made.new(), [made.text({"of": handle.hex()}) for handle in handles]
    columns = [Column(n, 64, texts, [who(handle, n) for handle in handles]) for n in COMPARTMENTS]
    rows = seal_records(batch, made.KEYS, handles, [1] * len(handles), columns, made.stream("nonces"))
    first = State(made.opened(batch.close(made.PRIVATE.public)), {place(handle): b"" for handle in handles})
    return first, {handle: body.parse(data) for handle, _, data in rows}


def who(handle: bytes, compartment: int) -> bytes:
    return made.draw(f"who of {handle.hex()} {compartment}", 16)


def place(handle: bytes) -> bytes:
    return slot.places([handle], [1])[0]


def drawn(n: int) -> bytes:
    """A secret that the keyholder draws for the n-th resealing: never one that was there before."""
    return made.draw(f"batch secret {n}", 32)


def resealed(before: State, new: bytes, gone: set[bytes]) -> State:
    stay = [one for one in before.deltas if one not in gone]
    return State(
        new, dict(zip(stay, slot.rekey(before.secret, new, stay, [before.deltas[one] for one in stay]), strict=True))
    )


def shares(secret: bytes, delta: bytes, handle: bytes, slots: list[body.Slot]) -> list[bytes]:
    count = len(slots)
    masked = b"".join(one.masked for one in slots)
    numbers = [one.compartment for one in slots]
    found = slot.release([secret], [0] * count, handle * count, [1] * count, numbers, masked, delta * count)
    return split(found[1], 32)


def opens(handle: bytes, slots: list[body.Slot], given_out: list[bytes]) -> bool:
    for one, share in zip(slots, given_out, strict=True):
        try:
            found = open_compartment(made.KEYS, share, handle, 1, one.compartment, one.blob)
        except CommitmentError:
            return False
        assert found == {"of": handle.hex()}
    return True


@settings(max_examples=40)
@given(ids, st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=3))
def test_what_stays_opens_and_what_went_does_not(handles: list[bytes], steps: list[set[int]]) -> None:
    """Chains of one to three: whoever has the newest secret and every row and delta that ever was."""
    first, stored = taken_in(handles)
    states = [first]
    for n, gone in enumerate(steps):
        states.append(resealed(states[-1], drawn(n), {place(handles[i]) for i in gone if i < len(handles)}))
    last = states[-1]
    ever = {delta for state in states for delta in state.deltas.values()}
    for handle in handles:
        delta = last.deltas.get(place(handle))
        if delta is not None:
            found = shares(last.secret, delta, handle, stored[handle])
            assert found == shares(first.secret, b"", handle, stored[handle]), "nothing is sealed anew"
            assert opens(handle, stored[handle], found)
        else:
            assert not any(
                opens(handle, stored[handle], shares(last.secret, one, handle, stored[handle])) for one in ever
            )


@settings(max_examples=40)
@given(ids.filter(lambda found: len(found) > 1))
def test_nothing_at_hand_adds_up_to_what_was_erased(handles: list[bytes]) -> None:
    """Each delta, each secret that still opens, and each sum of two of them, in the place of what is gone."""
    first, stored = taken_in(handles)
    gone = handles[0]
    states = [first, resealed(first, drawn(0), {place(gone)})]
    states.append(resealed(states[-1], drawn(1), set()))
    (lost,) = slot.record_secrets(keyed(first.secret), [place(gone)])
    at_hand = [one for state in states[1:] for one in state.deltas.values()]
    at_hand += [one for state in states[1:] for one in slot.record_secrets(keyed(state.secret), places(handles))]
    at_hand += [state.secret for state in states[1:]]
    sums = {*at_hand, *(xor(one, two) for one in at_hand for two in at_hand)}
    assert lost not in sums
    assert not any(state.deltas.get(place(gone)) for state in states[1:])
    kept = handles[1]
    assert opens(kept, stored[kept], shares(states[-1].secret, states[-1].deltas[place(kept)], kept, stored[kept]))


def places(handles: list[bytes]) -> list[bytes]:
    return slot.places(handles, [1] * len(handles))


def test_a_copy_of_before_opens_while_its_key_lives() -> None:
    """An erasure is final when the old key is destroyed, and not before: this is what a backup still has until then."""
    handles = [made.draw(f"handle {i}", 16) for i in range(3)]
    first, stored = taken_in(handles)
    second = resealed(first, drawn(0), {place(handles[0])})
    assert opens(handles[0], stored[handles[0]], shares(first.secret, b"", handles[0], stored[handles[0]]))
    third = resealed(second, drawn(1), {place(handles[1])})
    old = second.deltas[place(handles[1])]
    assert opens(handles[1], stored[handles[1]], shares(second.secret, old, handles[1], stored[handles[1]]))
    assert not opens(handles[1], stored[handles[1]], shares(third.secret, old, handles[1], stored[handles[1]]))


@given(secrets, secrets, ids)
def test_rekeying_is_undone_by_rekeying_back(old: bytes, new: bytes, handles: list[bytes]) -> None:
    named = places(handles)
    there = slot.rekey(old, new, named)
    back = slot.rekey(new, old, named, there)
    assert back == [bytes(32)] * len(named)
    assert slot.record_secrets(keyed(new), named, there) == slot.record_secrets(keyed(old), named)
    assert slot.rekey(old, new, named, [b""] * len(named)) == there == slot.rekey(old, new, named, back)


@given(secrets, ids, st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=4, unique=True))
def test_each_version_has_a_secret_of_its_own(b: bytes, handles: list[bytes], versions: list[int]) -> None:
    named = list(chain.from_iterable(slot.places([one] * len(versions), versions) for one in handles))
    found = slot.record_secrets(keyed(b), named)
    assert len({*found, b, slot.held(b)}) == len(named) + 2
    assert {len(one) for one in found} == {32}
    for one, two in pairwise(found):
        assert slot.share(one, bytes(16), 1) != slot.share(two, bytes(16), 1)
        assert slot.unmask(one, bytes(16), 1) != slot.unmask(two, bytes(16), 1)


@given(secrets, st.integers(1, 65535), st.integers(1, 65535), st.binary(min_size=16, max_size=16))
def test_masks_and_shares_are_of_one_compartment_and_person(secret: bytes, one: int, two: int, person: bytes) -> None:
    assert (slot.unmask(secret, person, one) == slot.unmask(secret, person, two)) is (one == two)
    assert (slot.share(secret, person, one) == slot.share(secret, person, two)) is (one == two)
    assert slot.share(secret, person, one) != slot.share(secret, bytes(16), one) or not any(person)
    assert slot.unmask(secret, slot.unmask(secret, person, one), one) == person


def test_misshapen_secrets_and_deltas_are_refused() -> None:
    named = places([bytes(16), b"a" * 16])
    for bad in (
        lambda: slot.rekey(bytes(31), bytes(32), named),
        lambda: slot.rekey(bytes(32), bytes(31), named),
        lambda: slot.rekey(bytes(32), bytes(32), named, [bytes(32)]),
        lambda: slot.rekey(bytes(32), bytes(32), named, [bytes(32), bytes(31)]),
        lambda: slot.held(bytes(31)),
        lambda: slot.share(bytes(31), bytes(16), 1),
        lambda: slot.share(bytes(32), bytes(15), 1),
        lambda: slot.share(bytes(32), bytes(16), 0),
        lambda: slot.unmask(bytes(32), bytes(15), 1),
        lambda: slot.unmask(bytes(32), bytes(16), 65536),
        lambda: slot.places([bytes(15)], [1]),
        lambda: slot.places([bytes(16)], [0]),
        lambda: slot.places([bytes(16)], [2**32]),
        lambda: slot.places([bytes(16)], [1, 2]),
    ):
        with pytest.raises(SealError):
            bad()
