"""Many asks in one request: each is decided for itself, all are answered together (SPEC.md section 8.11).

What costs the same for one as for many, the vault's signature, the transaction, the checkpoint, the hybrid key and seal, is done once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from strongroom.canonical import Record, encode
from strongroom.errors import FormatError, Refused, StrongroomError
from strongroom.keyholder import protocol, reading
from strongroom.keyholder.work import Finish, Work

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder


def together(keyholder: Keyholder, request: protocol.Together, work: Work, now: int) -> Finish:
    """Decide and write each part. What is wrong with one, a refusal or worse, is its own answer."""
    body_hash = hashlib.sha256(work.body).digest()
    texts = [bytes(part) for part in request.parts]
    parts = zip(texts, _parsed(texts), strict=True)
    decided = [_decide(keyholder, request, body_hash, text, part, now) for text, part in parts]
    return lambda: _give(keyholder, request, body_hash, decided)


def _parsed(texts: list[bytes]) -> Sequence[Record | None]:
    """All of them at once, which costs half; None where one is malformed, and so each has to be looked at for itself."""
    try:
        return protocol.parts.parse_lines(texts)
    except FormatError:
        return [None] * len(texts)


def _decide(
    keyholder: Keyholder, group: protocol.Together, body_hash: bytes, text: bytes, part: Record | None, now: int
) -> reading.Decided | protocol.NotGiven:
    def decide() -> reading.Decided:
        asking = protocol.whole(part or protocol.parts.parse(text), group)
        # Of the part's own text: the identical ask is answered again in whatever group it comes. But one window may have the
        # same identifiers indexed twice, for two records: there it must be the identical group, too.
        named = hashlib.sha256(text + body_hash if isinstance(asking, protocol.Intake) else text)
        return reading.decide(keyholder, asking, named.digest(), now)

    before, _ = keyholder.book.mark()
    try:
        return keyholder.apart(decide)
    except Refused as refusal:
        # One that is an entry was staged just before.
        staged, _ = keyholder.book.mark()
        index = keyholder.book.size + before if staged > before else None
        return protocol.NotGiven(code=refusal.code, detail=refusal.detail, after=refusal.after, index=index)
    except StrongroomError as error:
        return protocol.NotGiven(code=error.code, detail=str(error), after=None, index=None)


def _give(
    keyholder: Keyholder,
    group: protocol.Together,
    body_hash: bytes,
    decided: list[reading.Decided | protocol.NotGiven],
) -> protocol.GivenTogether:
    answers = protocol.PartAnswers(answers=[_answer(keyholder, one) for one in decided])
    sealed = keyholder.series(group.fresh).seal(protocol.group_about(keyholder.room, body_hash), encode(answers))
    return protocol.GivenTogether(
        checkpoint=keyholder.book.note, entries=keyholder.book.entries(group.have, protocol.MAX_TAIL), sealed=sealed
    )


def _answer(keyholder: Keyholder, one: reading.Decided | protocol.NotGiven) -> protocol.PartAnswer:
    if isinstance(one, protocol.NotGiven):
        return one
    case = one.case
    if isinstance(case.request, protocol.Find):
        return protocol.GivenToken(index=one.index, token=reading.token_of(keyholder, case))
    if isinstance(case.request, protocol.Intake):
        return protocol.GivenTokens(index=one.index, tokens=reading.tokens_of(keyholder, case))
    if isinstance(case.request, protocol.Disclose):
        return protocol.Given(index=one.index, shares=case.shares, whos=b"".join(case.whos))
    return protocol.Entered(index=one.index)
