"""The charters of the room, each proved to be in its ledger, and the one in force (SPEC.md sections 5.4, 6.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.api import facts
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter, Holding
from strongroom.catalog.types import identifier_kinds
from strongroom.client.anchors import Anchors
from strongroom.client.answers import InForce
from strongroom.client.believe import Believer
from strongroom.client.flow import Flow
from strongroom.errors import CheckpointError, EntryError
from strongroom.ledger import entry
from strongroom.ledger.charters import Charters

FRESH_SECONDS = 300
"""For so long no newer charter is looked for, unless one that is known takes effect or the vault says that there is one."""
MAX_TAGS, MAX_SLOTS, MAX_RECORDS = 1_000, 10_000, 1_000
"""What one ask may have (SPEC 5.4, 8.1, 7.2)."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """Those that are proved so far: the chain, each one's entry, and the last one's document."""

    links: Charters
    entries: tuple[int, ...]
    documents: tuple[str, ...]
    looked: float


class Rules:
    """``listed`` gives all charters that the vault tells of, ``receipt`` the proof of an entry."""

    def __init__(
        self,
        anchors: Anchors,
        believer: Believer,
        listed: Callable[[], Flow[list[facts.Charter]]],
        receipt: Callable[[int], Flow[str]],
        clock: Callable[[], float],
    ) -> None:
        self._anchors, self._believer, self._clock = anchors, believer, clock
        self._listed, self._receipt = listed, receipt
        self._chain: _Chain | None = None
        self._parsed: dict[int, Charter] = {}

    def forget(self) -> None:
        """The vault says that another is in force: look before the next ask."""
        chain = self._chain
        if chain is not None:
            self._chain = _Chain(chain.links, chain.entries, chain.documents, float("-inf"))

    def in_force(self) -> Flow[InForce]:
        """By this computer's clock. Raises ``LedgerError`` where the chain of charters does not begin with the one of the anchors,
        or breaks."""
        chain = self._chain
        if chain is None or not 0 <= self._clock() - chain.looked < FRESH_SECONDS:
            chain = self._chain = yield from self._look(chain)
        known = chain.links.known
        # Before any is in force nothing can be asked.
        place = next((at for at in range(len(known) - 1, -1, -1) if known[at].effective <= self._clock()), None)
        if place is None:
            raise CheckpointError("no charter of the room is in force by this computer's clock")
        if place not in self._parsed:
            self._parsed[place] = charters.parse(chain.documents[place].encode())
        return InForce(chain.entries[place], known[place].effective, known[place].hash, self._parsed[place])

    def _look(self, before: _Chain | None) -> Flow[_Chain]:
        """Walks the whole chain once, and then what is new: a chain that breaks is not taken over."""
        links = Charters()
        entries: tuple[int, ...] = ()
        documents: tuple[str, ...] = ()
        listed = yield from self._listed()
        if before is not None:
            if len(listed) < len(before.entries):
                raise CheckpointError("the vault tells of fewer charters than it did")
            if len(listed) == len(before.entries):
                return _Chain(before.links, before.entries, before.documents, self._clock())
        for said in listed:
            text = yield from self._believer.proved(said.entry, (yield from self._receipt(said.entry)))
            item = entry.parse(text)
            if not isinstance(item, entry.CharterEntry):
                raise EntryError(f"entry {said.entry} is no charter")
            if entries and said.entry <= entries[-1]:
                raise EntryError("the charters that the vault tells of do not stand in the ledger's order")
            known = links.add(item)
            if not entries:
                self._verify_first(said.entry, known.hash, item)
            entries, documents = (*entries, said.entry), (*documents, item.document)
        return _Chain(links, entries, documents, self._clock())

    def _verify_first(self, index: int, hash_: bytes, item: entry.CharterEntry) -> None:
        if index != 0 or hash_ != self._anchors.genesis:
            raise CheckpointError(
                "the ledger does not begin with this room's first charter: it is another room's, or forged"
            )
        first = charters.parse(item.document.encode())
        if first.room != self._anchors.room or first.keyholder.log != self._anchors.log:
            raise CheckpointError("the anchors do not belong together: the first charter names another room or log key")


def compartments(holding: Holding, fields: Sequence[str] | None) -> frozenset[int]:
    """Numbers of those in which these fields lie; None: all of the holding."""
    named = holding.fields if fields is None else [name for name in fields if name in holding.fields]
    return frozenset(holding.compartments[holding.fields[name].compartment].number for name in named)


def most(holding: Holding | None, fields: Sequence[str] | None) -> int:
    """Of how many records one ask may be that opens these fields (None: all): its entry has a tag for each person of each record."""
    if holding is None:
        return MAX_RECORDS
    numbers = compartments(holding, fields)
    about = {one.person for one in holding.compartments.values() if one.number in numbers}
    return min(MAX_RECORDS, MAX_TAGS // max(len(about), 1), MAX_SLOTS // max(len(numbers), 1))


def identifiers(holding: Holding) -> int:
    """How many a record has."""
    return sum(map(len, identifier_kinds(holding).values()))
