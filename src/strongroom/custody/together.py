"""Steps of many driven together: what they have to say goes to the keyholder in one request (SPEC.md section 8.11).

What costs the same for one as for many is done once: storing the evidence, the request's signature, the key that the answer is sealed to, the
checkpoint and its cosignature. Each goes on for itself with its own answer, and an error of one harms no other.

A ``Group`` does no I/O but on the room's own store: whoever drives it sends ``body`` and brings the answer, and may do other things meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from strongroom.canonical import encode
from strongroom.custody import evidence
from strongroom.custody.mirror import Fetch
from strongroom.custody.receipt import verify_refusal
from strongroom.custody.room import Room
from strongroom.custody.steps import Say, Settled, Steps, of_ask
from strongroom.errors import FormatError, ProofError, Refused, StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.keyholder.client import problem
from strongroom.ledger import checkpoint
from strongroom.seal import series

PATH = "/v1/together"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of steps."""

    value: T


class Asking(Generic[T]):
    """One's steps, and where they are. ``said``: what they wait for an answer to; None when ``done``, which raises what they raised."""

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self.said: tuple[Say, bytes] | None = None
        self.ended: Done[T] | Exception | None = None
        self.go(None)

    def go(self, answer: Settled | StrongroomError | None) -> None:
        """Go on with an answer, until they say something more or end."""
        self.said = None
        try:
            if isinstance(answer, StrongroomError):
                say = self._steps.throw(answer)
            elif answer is None:
                say = next(self._steps)
            else:
                say = self._steps.send(answer)
            self.said = say, encode(protocol.part(say.kind, **of_ask(say.signed), **say.members))
        except StopIteration as done:
            self.ended = Done(done.value)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is this one's alone
            self.ended = error


class Group:
    """Several who wait for an answer, in one request. Raises ``StoreError`` when their evidence cannot be stored: then nothing is to be said."""

    def __init__(self, room: Room, askings: Sequence[Asking[Any]]) -> None:
        self._room, self.askings = room, askings
        said = [one.said for one in askings if one.said is not None]
        assert len(said) == len(askings)
        evidence.keep(room, [say.signed for say, _ in said])
        self._seed = room.fresh()
        known = room.often()
        self._have: int = known["have"]
        parts = [msgspec.Raw(text) for _, text in said]
        self.body = encode(protocol.Together(**known, fresh=self._seed.public, parts=parts))

    def settle(self, answer: bytes, fetch: Fetch | None = None) -> list[Settled | StrongroomError]:
        """What each is answered, all of it taken into the mirror first. ``fetch``: how entries are had that the answer should have brought and
        did not; over ``room.client`` unless told otherwise. Raises ``LedgerError``, ``SealError`` or ``FormatError`` when the answer
        is none: then nothing of it may be used."""
        room = self._room
        said = protocol.given_together.parse(answer)
        about = protocol.group_about(room.keys.room, hashlib.sha256(self.body).digest())
        opened = series.open_one(self._seed, protocol.series_info(room.keys.room), about, said.sealed)
        answers = protocol.part_answers.parse(opened).answers
        if len(answers) != len(self.askings):
            raise FormatError("the keyholder's answer has not one answer for each ask")
        at = room.mirror.accept(said.checkpoint, said.entries, self._have, fetch or room.fetch)
        asked = [one.said[0] for one in self.askings if one.said is not None]
        return [self._settled(say, one, said.checkpoint, at) for say, one in zip(asked, answers, strict=True)]

    def _settled(
        self, say: Say, one: protocol.PartAnswer, signed: str, at: checkpoint.Checkpoint
    ) -> Settled | StrongroomError:
        if isinstance(one, protocol.NotGiven):
            return self._refused(say, one, at)
        if not isinstance(one, _ANSWER[say.kind]):
            return FormatError("the keyholder's answer is one to another request")
        # Of any other ask there is one entry, so an earlier one can only be its own, answered again. Of a window there are several.
        if isinstance(say.signed.ask, asks.Windowed) and one.index < self._have:
            return ProofError(f"the receipt is of entry {one.index}; want one from {self._have} on")
        try:
            # Made here rather than sent: the mirror holds the entry, and its own tiles gave the root that is signed.
            receipt = self._room.mirror.receipt(one.index, at.size, signed)
        except StrongroomError as error:
            return error
        if isinstance(one, protocol.Given):
            return Settled(one.index, receipt, shares=one.shares, whos=one.whos)
        if isinstance(one, protocol.GivenToken):
            return Settled(one.index, receipt, token=one.token)
        if isinstance(one, protocol.GivenTokens):
            return Settled(one.index, receipt, tokens=one.tokens)
        return Settled(one.index, receipt)

    def _refused(self, say: Say, one: protocol.NotGiven, at: checkpoint.Checkpoint) -> StrongroomError:
        error = problem(one.code, one.detail, one.after)
        if not isinstance(error, Refused) or one.index is None:
            return error
        if one.index >= at.size:
            return ProofError(f"the refusal is said to be entry {one.index}, and the ledger has {at.size}")
        try:
            verify_refusal(self._room, one.index, say.signed.text)
        except StrongroomError as false:
            return false
        error.entry = one.index
        return error


def drive(room: Room, steps: Iterable[Steps[T]]) -> list[Done[T] | Exception]:
    """Go through all of them, over ``room.client``, for one who waits; what came of each."""
    askings = [Asking(one) for one in steps]
    while waiting := [one for one in askings if one.said is not None][: protocol.MAX_PARTS]:
        answers: Sequence[Settled | StrongroomError]
        try:
            group = Group(room, waiting)
            answers = group.settle(room.client.send(PATH, group.body))
        except StrongroomError as error:
            answers = [error] * len(waiting)
        for one, answer in zip(waiting, answers, strict=True):
            one.go(answer)
    return [one.ended for one in askings if one.ended is not None]


_ANSWER: dict[type[protocol.Whole], type[protocol.PartAnswer]] = {
    protocol.Disclose: protocol.Given,
    protocol.Find: protocol.GivenToken,
    protocol.Intake: protocol.GivenTokens,
    protocol.Refusal: protocol.Entered,
}
