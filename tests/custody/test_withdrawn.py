"""A record is withdrawn on the keyholder's signed word alone: a refusal says `erased`, and proves nothing (SPEC.md section 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from tests.custody.life import mandate
from tests.world import World

from strongroom.canonical import encode
from strongroom.custody import asking
from strongroom.custody.intake.feed import Eraser
from strongroom.custody.intake.window import Errand
from strongroom.errors import KeyholderUnavailable, ProofError, Refused
from strongroom.keyholder import protocol


def forget(town: World, handles: Sequence[bytes]) -> None:
    list(asking.erase(town.room, mandate(town, "forget"), handles))


@contextmanager
def between(town: World, **answers: Callable[[bytes], bytes]) -> Iterator[None]:
    """Somebody answers a path of the keyholder's in its stead; the bytes are those of the request."""

    def transport(path: str, signature: bytes, body: bytes) -> bytes:
        answer = answers.get(path.removeprefix("/v1/"))
        return answer(body) if answer else town.transport(path, signature, body)

    town.room.client._transport = transport
    yield
    town.room.client._transport = town.transport


def erased(body: bytes) -> bytes:
    raise Refused("erased", "a record of the ask was erased")


@pytest.mark.parametrize("count", [1, 2])
def test_a_refusal_alone_withdraws_nothing(town: World, count: int) -> None:
    handles = sorted(one.handle for one in town.take_in(count))
    number, size = town.room.holding("residents"), town.keyholder.book.size
    with between(town, erase=erased), pytest.raises(Refused, match="erased"):
        forget(town, handles)
    assert town.keyholder.book.size == size
    assert sorted(town.room.store.latest_versions(number, handles)) == handles
    forget(town, handles)
    assert town.room.store.latest_versions(number, handles) == {}


def test_nor_with_a_certificate_of_another_record(town: World) -> None:
    """The word is good, of somebody who was erased; or nobody says a word."""
    gone, kept = (one.handle for one in town.take_in(2))
    forget(town, [gone])

    def of_the_other(body: bytes) -> bytes:
        asked = protocol.REQUESTS["/v1/certify"].parse(body)
        assert isinstance(asked, protocol.Certify)
        assert asked.records == [kept]
        other = protocol.Certify(**town.room.common(), holding="residents", records=[gone])
        path, other_body = "/v1/certify", encode(other)
        signature = protocol.sign_request(town.room.keys.room, path, other_body, town.room.keys.message)
        return town.transport(path, signature, other_body)

    def nobody(body: bytes) -> bytes:
        raise KeyholderUnavailable("no keyholder answers")

    number = town.room.holding("residents")
    with between(town, erase=erased, certify=of_the_other), pytest.raises(ProofError, match="not of these records"):
        forget(town, [kept])
    with between(town, erase=erased, certify=nobody), pytest.raises(KeyholderUnavailable):
        forget(town, [kept])
    assert town.room.store.latest_versions(number, [kept])


def test_a_feed_does_not_pass_over_who_is_still_there(town: World) -> None:
    handles = [one.handle for one in town.take_in(3)]
    number = town.room.holding("residents")
    errand = Errand(town.asker("rui"), "forget", "feed-1", "following what the register says is gone")
    tokens = [row.tokens[:16] for row in town.room.store.latest(number, handles)]
    with between(town, erase=erased), pytest.raises(Refused, match="erased"):
        Eraser(town.room, "residents", errand).erase(tokens)
    assert len(town.room.store.latest_versions(number, handles)) == 3
    Eraser(town.room, "residents", errand).erase(tokens)
    assert town.room.store.latest_versions(number, handles) == {}
