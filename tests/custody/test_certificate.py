"""Certificates from the real keyholder: before the erasure is final, after, and where the keyholder's word does not hold (SPEC.md 8.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.custody.test_upkeep import ROTATION, day, forget, kept, start, to_day
from tests.world import World

from strongroom.canonical import encode
from strongroom.client import certificate as files
from strongroom.client.certificate_page import page
from strongroom.custody import certificate
from strongroom.errors import InputError, Refused, StrongroomError
from strongroom.keyholder import protocol

__all__ = ["start"]


def test_from_erasure_to_final(town: World, start: int) -> None:
    people = town.take_in(4)
    erased = forget(town, people[:2])
    handles = [one.handle for one in people[:2]]
    data, verdict = certificate.issue(town.room, "residents", handles)
    assert files.verify(data, genesis=town.room.anchors.genesis) == verdict
    assert (verdict.final, verdict.final_on) == (False, start + 2 * ROTATION)
    assert {one.entry for one in verdict.records} == {erased.index}
    assert "It is not final yet" in page(verdict, "erased.json")
    to_day(town, start + ROTATION)
    kept(town)
    to_day(town, start + 2 * ROTATION)
    town.tick()
    # The vault has no row of theirs any more, and needs none.
    data, verdict = certificate.issue(town.room, "residents", handles)
    assert files.verify(data, log=town.room.anchors.log) == verdict
    assert (verdict.final, verdict.final_on) == (True, start + 2 * ROTATION)
    text = page(verdict, "erased.json")
    assert text.startswith("# Erased, for good")
    assert town.room.anchors.genesis.hex() in text
    assert text.count("was destroyed") == 2
    assert b"ledger/vault" in data, "the vault's own cosignature goes along"


def test_a_certificate_is_as_old_as_it_says(town: World, start: int) -> None:
    """What came into the ledger after it does not stand in it."""
    people = town.take_in(2)
    forget(town, people[:1])
    real, other = town.room.mirror.accept, town.open_room()

    def late(*given: Any) -> Any:
        at = real(*given)
        town.keyholder.tick()
        other.sync()  # another process of the vault: the mirror is ahead of the certificate by now
        return at

    town.hands.wait(3700)
    with pytest.MonkeyPatch.context() as meanwhile:
        meanwhile.setattr(town.room.mirror, "accept", late)
        data, verdict = certificate.issue(town.room, "residents", [people[0].handle])
    other.close()
    assert verdict.checkpoint.size < town.room.mirror.size
    assert files.verify(data, genesis=town.room.anchors.genesis) == verdict


def test_only_of_what_was_erased(town: World, start: int) -> None:
    people = town.take_in(2)
    forget(town, people[:1])
    for handles in ([people[1].handle], [one.handle for one in people], [bytes(16)]):
        with pytest.raises(Refused, match="record"):
            certificate.issue(town.room, "residents", handles)
    for handles in ([], [n.to_bytes(16, "big") for n in range(1001)]):
        with pytest.raises(InputError, match="1 to 1,000"):
            certificate.issue(town.room, "residents", handles)


def _change(**members: Any) -> Callable[[protocol.Certificate], protocol.Certificate]:
    return lambda said: msgspec.structs.replace(said, **members)


def _records(**members: Any) -> Callable[[protocol.Certificate], protocol.Certificate]:
    return lambda said: msgspec.structs.replace(
        said, records=[msgspec.structs.replace(one, **members) for one in said.records]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_change(room=bytes(16)), "not of these records at this checkpoint"),
        (_change(holding="calls"), "not of these records at this checkpoint"),
        (_change(size=3), "not of these records at this checkpoint"),
        (_change(root=bytes(32)), "not of these records at this checkpoint"),
        (_change(records=[]), "not of these records at this checkpoint"),
        (_records(handle=bytes(16)), "not of these records at this checkpoint"),
        (_records(mark=bytes(16)), "is not the erasure of record"),
        (_records(entry=0), "is not the erasure of record"),
        (_records(entry=10**6), "is not the erasure of record"),
        (_records(epochs=[]), "the ledger does not say so"),
        (_records(epochs=[1]), "keys that the erasure does not"),
    ],
)
def test_a_keyholder_that_signs_what_is_not_so(
    town: World, start: int, change: Callable[[Any], Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = town.take_in(2)
    forget(town, people[:1])

    def transport(path: str, signature: bytes, body: bytes) -> bytes:
        data = town.transport(path, signature, body)
        if path != "/v1/certify":
            return data
        given = protocol.certified.parse(data)
        text = encode(change(protocol.certificate.parse(given.certificate.encode())))
        signed = town.keyholder.keys.message.sign(protocol.certificate_message(text))
        return encode(msgspec.structs.replace(given, certificate=text.decode(), signature=signed))

    monkeypatch.setattr(town.room.client, "_transport", transport)
    with pytest.raises(StrongroomError, match=said):
        certificate.issue(town.room, "residents", [people[0].handle])


def test_a_word_that_nobody_signed(town: World, start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    people = town.take_in(1)
    forget(town, people)

    def transport(path: str, signature: bytes, body: bytes) -> bytes:
        data = town.transport(path, signature, body)
        if path != "/v1/certify":
            return data
        return encode(msgspec.structs.replace(protocol.certified.parse(data), signature=bytes(64)))

    monkeypatch.setattr(town.room.client, "_transport", transport)
    with pytest.raises(StrongroomError, match="not signed by the keyholder"):
        certificate.issue(town.room, "residents", [people[0].handle])


def test_a_hold_puts_the_day_off(town: World, start: int) -> None:
    """The key's day has passed and it is still there: the certificate says so, and does not call anything final."""
    people = town.take_in(1)
    forget(town, people)
    keyholder = town.keyholder
    keyholder.store.hold("residents", "Riverton District Court", (start + 100) * 86400)
    to_day(town, start + 2 * ROTATION + 1)
    town.tick()
    assert day(town) > start + 2 * ROTATION
    _, verdict = certificate.issue(town.room, "residents", [people[0].handle])
    assert (verdict.final, verdict.records[0].pending) == (False, (start + 2 * ROTATION,))
