"""Steps driven for one who asks alone and waits for the answer (SPEC.md sections 8.1, 8.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from strongroom.canonical import encode
from strongroom.custody import evidence
from strongroom.custody.room import Room
from strongroom.custody.steps import Say, Settled, Steps, of_ask
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.seal import hpke

T = TypeVar("T")


def drive(room: Room, steps: Steps[T], *, keep: bool = True) -> T:
    """Go through all steps, over ``room.client``. ``keep``: store the evidence first, unless that is done already. Raises what they raise."""
    try:
        say = next(steps)
        while True:
            try:
                settled = _said(room, say, keep)
            except StrongroomError as error:
                say = steps.throw(error)
            else:
                say = steps.send(settled)
    except StopIteration as done:
        found: T = done.value
        return found


def _said(room: Room, say: Say, keep: bool) -> Settled:
    if keep:
        evidence.keep(room, [say.signed])
    return _ASK[say.kind](room, say)


def _refusal(room: Room, say: Say) -> Settled:
    known = room.common()
    request = protocol.Refusal(**known, **of_ask(say.signed), **say.members)
    answer = protocol.written.parse(room.client.call("/v1/refusal", request))
    return Settled(room.settle(answer.receipt, answer.entries, known["have"]), answer.receipt)


def _find(room: Room, say: Say) -> Settled:
    given, have, entries = _sealed(room, "/v1/find", say, protocol.token)
    return Settled(room.settle(given.receipt, entries, have), given.receipt, token=given.token)


def _disclose(room: Room, say: Say) -> Settled:
    given, have, entries = _sealed(room, "/v1/disclose", say, protocol.shares)
    index = room.settle(given.receipt, entries, have)
    return Settled(index, given.receipt, shares=given.shares, whos=given.whos)


def _sealed(room: Room, path: str, say: Say, codec: Any) -> tuple[Any, int, list[str]]:
    """What was sealed to a key of this request's own, the mirror's size before it, and the ledger from there on."""
    seed = hpke.private_from(room.random(96))
    known = room.common()
    members: dict[str, Any] = {**known, **of_ask(say.signed), **say.members, "fresh": seed.public}
    body = encode(say.kind(**members))
    answer = protocol.sealed_answer.parse(room.client.send(path, body))
    opened = hpke.decrypt(seed, protocol.answer_info(room.keys.room, body), answer.sealed)
    return codec.parse(opened), known["have"], answer.entries


_ASK: dict[type[protocol.Whole], Callable[[Room, Say], Settled]] = {
    protocol.Disclose: _disclose,
    protocol.Find: _find,
    protocol.Refusal: _refusal,
}
