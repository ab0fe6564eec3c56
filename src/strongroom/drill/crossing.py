"""Every way into a record of one holding, as an ask under whatever purpose (part of ``purpose_crossed``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from strongroom.client.device import Asker, SignedAsk
from strongroom.custody import check, erase, read
from strongroom.custody.admit import admit
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import CASE, REASON, Stage
from strongroom.gate import ask as asks
from strongroom.seal import person

Way: TypeAlias = Callable[[Asker, str], SignedAsk]
"""(who asks, under which purpose) -> the ask, signed."""


class Crossing(Scene):
    """One record of ``holding`` and one ``field`` of it are wanted, whose slot is of compartment ``number``."""

    def __init__(self, stage: Stage, holding: str, field: str, number: int) -> None:
        super().__init__(stage, holding)
        self.asker = cache(stage.asker)
        self.holding, self.field, self.number = holding, field, number
        self.target = self.handles()
        row = stage.people[holding][stage.truth[self.target[0]].number]
        self.person, self.value = row["id-number"] or "", row[field] or ""
        self.inner = person.inners(stage.room.keys.holding(holding), "resident-id", [self.person])[0]

    def ways(self) -> Mapping[str, Way]:
        holding, wanted, target, now = self.holding, [self.field], self.target, self.stage.room.now
        why = (CASE, REASON)
        return {
            "read": lambda by, name: by.disclose(holding, name, target, wanted, *why, now()),
            "look up": lambda by, name: by.find(holding, name, "resident-id", self.person, *why, now()),
            "guess": lambda by, name: by.check(holding, name, target, self.field, "matches", self.value, *why, now()),
            "export": lambda by, name: by.export(holding, name, wanted, 1, now() + 3600, *why, now()),
            "correct": lambda by, name: by.correct(holding, name, target, {self.field: None}, *why, now()),
            "erase": lambda by, name: by.erase(holding, name, target, *why, now()),
        }

    def root(self, signed: SignedAsk) -> Outcome:
        """Past the vault's gate, with the slots or the inner that the ask takes."""
        ask = signed.ask
        if isinstance(ask, asks.FindAsk):
            return self.ask(self.intruder.find(signed, self.inner))
        whole = isinstance(ask, asks.CorrectAsk | asks.EraseAsk)
        every = [slot.compartment for slot in self.stage.truth[self.target[0]].slots]
        pieces = self.pieces(self.target, every if whole else [self.number])
        if isinstance(ask, asks.EraseAsk):
            return self.call("/v1/erase", self.intruder.erase(signed, pieces))
        return self.shares(signed, pieces)

    def vault(self, signed: SignedAsk) -> object:
        """By the honest vault. Raises ``StrongroomError``."""
        room, ask = self.stage.room, signed.ask
        if isinstance(ask, asks.DiscloseAsk):
            return read.disclose(room, signed)
        if isinstance(ask, asks.FindAsk):
            return read.find(room, signed)
        if isinstance(ask, asks.CheckAsk):
            return check.check(room, signed)
        if isinstance(ask, asks.EraseAsk):
            return erase.erase(room, signed)
        # A correction and an export begin with the gate, too; what comes after it is no part of this.
        return admit(room, signed)
