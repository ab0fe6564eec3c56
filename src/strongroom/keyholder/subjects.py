"""The person concerned at the keyholder: desk, enrolment, every read of me (SPEC.md section 8.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strongroom.canonical import Record, encode
from strongroom.errors import Refused
from strongroom.keyholder import protocol
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import checkpoint, note, tag
from strongroom.seal import hpke

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

CODE_SECONDS = 900
WRONG_CODES_A_MINUTE = 30_000
"""From anybody: so few that a code of 50 bits is not guessed in its 900 s (once in 2 * 10^9 codes), so many that who wants to
shut others out must keep the whole keyholder busy. Not counted by device: a new device key costs nothing."""


def admit(keyholder: Keyholder, request: protocol.Admit, work: Work, now: int) -> Finish:
    """The desk has verified who stands before it: keep the code's hash with that person's who."""
    if request.kind not in keyholder.charter.buckets.get(request.holding, {}):
        raise Refused("holding", "the holding has no such kind of identifier")
    if not keyholder.store.add_code(request.code, request.holding, request.kind, request.who, now + CODE_SECONDS):
        # The desk's own request, sent again by whoever overheard it, would make a used code good once more.
        raise Refused("used", "this code was given before; draw another")
    return lambda: protocol.Done(done=True)


def enrol(keyholder: Keyholder, request: protocol.Enrol, work: Work, now: int) -> Finish:
    """Bind the subject's device to the person the code stands for. Raises ``Refused`` (``code``)."""
    recent = keyholder.wrong_codes
    while recent and recent[0] <= now - 60:
        recent.popleft()
    if len(recent) >= WRONG_CODES_A_MINUTE:
        raise Refused("code", "too many wrong codes; wait a minute")
    found = keyholder.store.take_code(protocol.code_hash(request.code), now)
    if found is None:
        recent.append(now)
        raise Refused("code", "the code is wrong, used or older than 15 minutes; ask the desk for a new one")
    keyholder.store.add_subject(request.device, *found)
    holding, kind, who = found
    first = protocol.chain_hash(tag.chain_key(keyholder.keys.tag, keyholder.holding_id(holding), who, 1))
    return lambda: protocol.Enrolled(chain=first, holding=holding, kind=kind)


def reads(keyholder: Keyholder, request: protocol.Reads, work: Work, now: int) -> Finish:
    """All chains of this device's person, with the signed count at a published size. Raises ``Refused`` (``device``)."""
    people = keyholder.store.subject(request.device)
    if not people:
        raise Refused("device", "this device is not enrolled; ask the desk for a code")

    def finish() -> Record:
        published = keyholder.publish(now)
        at = checkpoint.parse(note.parse_note(published).text)
        chains = []
        for holding, kind, who in people:
            holding_id = keyholder.holding_id(holding)
            # A person without a read has a chain too: its count is a statement.
            for generation, count in enumerate(_counts(keyholder, holding_id, who), 1):
                key = tag.chain_key(keyholder.keys.tag, holding_id, who, generation)
                chains.append(protocol.Chain(holding=holding, kind=kind, generation=generation, key=key, count=count))
        stated = [
            protocol.StatedChain(
                chain=protocol.chain_hash(item.key),
                count=item.count,
                generation=item.generation,
                holding=item.holding,
                kind=item.kind,
            )
            for item in chains
        ]
        statement = encode(
            protocol.Statement(
                chains=stated, device=request.device, room=keyholder.room, root=at.root, size=at.size, time=now, v=1
            )
        )
        inner = protocol.ReadsInner(
            chains=chains,
            checkpoint=published,
            signature=keyholder.keys.message.sign(protocol.statement_message(statement)),
            statement=statement.decode(),
        )
        sealed = hpke.encrypt(request.fresh, protocol.reads_info(keyholder.room, work.body), encode(inner))
        return protocol.SealedReads(sealed=sealed)

    return finish


def _counts(keyholder: Keyholder, holding: bytes, who: bytes) -> list[int]:
    """How many tags a person has in each generation, from the first on."""
    known, found = dict(keyholder.store.chain_counts(holding, who)), []
    for generation in range(1, keyholder.generation() + 1):
        key, count = tag.chain_key(keyholder.keys.tag, holding, who, generation), known.get(generation, 0)
        # Numbers given in time that was lost are known by their tags alone.
        while keyholder.store.lost(tag.tag(key, count + 1)):
            count += 1
        found.append(count)
    return found
