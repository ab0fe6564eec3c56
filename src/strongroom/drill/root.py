"""Root on the vault takes every ask that a reader signs: it rides on some as they are, and tries a trick on the others."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

from strongroom.client.device import SignedAsk
from strongroom.drill.intruder import Piece, Request, Taken
from strongroom.drill.scene import Scene
from strongroom.drill.stage import Stage
from strongroom.seal import columns

RECORDS = 20
"""In each ask."""

Trick = Callable[[SignedAsk, list[bytes]], None]


class Root:
    """What it has so far. ``reads``: (entry, handle) of every record opened; ``signed``: records that readers signed for.

    By trick: ``tries``, ``beyond`` (records opened that the ask in hand is not for) and ``codes`` of refusals.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage, self.scene = stage, Scene(stage)
        self.intruder = self.scene.intruder
        self.reads: set[tuple[int, bytes]] = set()
        self.signed = 0
        self.tries, self.beyond = Counter[str](), Counter[str]()
        self.codes: dict[str, Counter[str]] = {}
        self._random = Random(7)  # noqa: S311 - which records readers ask for is no secret
        tricks: list[Trick] = [
            self._again, self._relabel, self._swap, self._beside, self._wider, self._forge, self._late,
        ]  # fmt: skip
        # Every second ask is used as it is meant, or the budgets would never be met. First comes what wants a budget.
        self._turns = itertools.cycle([turn for trick in tricks for turn in (trick, self._ride)])

    def next_ask(self) -> None:
        """A reader signs for some records; root does with it what is next."""
        handles = sorted(self._random.sample(self.stage.handles(), RECORDS))
        self.signed += len(handles)
        next(self._turns)(self.stage.ask(handles, name=self._random.choice(["ana", "ben"])), handles)

    def take(
        self, trick: str, request: Request, asked: list[bytes], compartments: tuple[int, ...] = (1,)
    ) -> Taken | None:
        before = self.intruder.refusals.copy()
        taken = self.intruder.take(request)
        self.tries[trick] += 1
        self.codes.setdefault(trick, Counter()).update(self.intruder.refusals - before)
        if taken:
            self.reads |= {(taken.index, one.handle) for one in taken.opened}
            allowed = {(handle, number) for handle in asked for number in compartments}
            self.beyond[trick] += len({(one.handle, one.compartment) for one in taken.opened} - allowed)
        return taken

    def others(self, asked: list[bytes]) -> list[bytes]:
        return sorted(self._random.sample(sorted(set(self.stage.handles()) - set(asked)), len(asked)))

    # --- tricks ----------------------------------------------------------------------------------------------------
    def _ride(self, signed: SignedAsk, handles: list[bytes]) -> None:
        self.take(
            "use an ask as its reader meant it", self.intruder.disclose(signed, self.scene.pieces(handles)), handles
        )

    def _again(self, signed: SignedAsk, handles: list[bytes]) -> None:
        request = self.intruder.disclose(signed, self.scene.pieces(handles))
        first = self.take("use an ask as its reader meant it", request, handles)
        for again in (request, self.intruder.disclose(signed, self.scene.pieces(handles))):
            taken = self.take("use an ask twice", again, handles)
            # The same answer over again is no second read; a second entry or share would be.
            if taken and (first is None or (taken.index, taken.shares) != (first.index, first.shares)):
                self.beyond["use an ask twice"] += len(taken.opened)
        self._aside("use an ask twice", signed, self.others(handles), [])
        self.stage.hands.wait(121)
        self.take("use an ask again after two minutes", request, [])

    def _swap(self, signed: SignedAsk, handles: list[bytes]) -> None:
        self._aside("open other records than asked for", signed, self.others(handles), handles)

    def _beside(self, signed: SignedAsk, handles: list[bytes]) -> None:
        self._aside("open further records beside", signed, [*handles, *self.others(handles)], handles)

    def _aside(self, trick: str, signed: SignedAsk, handles: list[bytes], asked: list[bytes]) -> None:
        self.take(trick, self.intruder.disclose(signed, self.scene.pieces(sorted(handles))), asked)

    def _wider(self, signed: SignedAsk, handles: list[bytes]) -> None:
        request = self.intruder.disclose(signed, self.scene.pieces(handles, (1, 2, 3, 4)))
        self.take("open further compartments", request, handles)

    def _relabel(self, signed: SignedAsk, handles: list[bytes]) -> None:
        """The keyholder sees the records of the ask; half the slots under them are others' and half are put down to others."""
        truth, others = self.stage.truth, self.others(handles)
        pieces: list[Piece] = []
        for handle, other in zip(handles, others, strict=True):
            mine, wanted = self.scene.pieces([handle])[0], self.scene.pieces([other])[0]
            blame = columns.xor(mine.masked, columns.xor(truth[handle].who, truth[other].who))
            pieces.append(replace(wanted, handle=handle) if len(pieces) % 2 else replace(mine, masked=blame))
        self.take("open one person's record as another's", self.intruder.disclose(signed, pieces), [])

    def _forge(self, signed: SignedAsk, handles: list[bytes]) -> None:
        others = self.others(handles)
        wider, earlier = sorted({*handles, *others}), signed.ask.time - 60
        for made, records in (
            (self.scene.tampered(signed, records=others), others),
            (self.scene.tampered(signed, records=wider), wider),
            (self.scene.tampered(signed, time=earlier), handles),
            (self.scene.bent(signed, self.stage.key_of("rui"), records=others), others),
            (replace(signed, signature=bytes(64)), handles),
        ):
            self._aside("sign in a reader's place", made, records, [])

    def _late(self, signed: SignedAsk, handles: list[bytes]) -> None:
        self.stage.hands.wait(121)
        self._aside("keep an ask for later", signed, handles, [])
