"""A keyholder that leaves one of its checks out, or writes what it should not."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.drill.weak.base import SameNumber, Weaken, instead, nothing

from strongroom.catalog import charter as charters
from strongroom.custody import opening
from strongroom.errors import Refused, SealError
from strongroom.gate import ask as asks
from strongroom.gate import permit
from strongroom.keyholder import checks, life, office, protocol, reading, routes
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.epochs import Epochs
from strongroom.keyholder.store import Store
from strongroom.seal import batch, slot
from strongroom.seal.columns import split


def unchecked(name: str) -> Weaken:
    """What one check of the keyholder's table finds wrong is let through."""

    def patch_check(patch: pytest.MonkeyPatch) -> None:
        honest = getattr(checks, name)

        def weak(case: checks.Case, facts: checks.Facts) -> None:
            with suppress(Refused):
                honest(case, facts)

        weak.__name__ = name
        patch.setattr(checks, name, weak)

    return patch_check


# --- the request -----------------------------------------------------------------------------------------------------------
def any_signer(code: str) -> Weaken:
    """Requests of one door are not held to their signature."""
    honest = protocol.verify_request

    def weak(room: bytes, path: str, body: bytes, signature: bytes, key: bytes, wanted: str) -> None:
        if wanted != code:
            honest(room, path, body, signature, key, wanted)

    return lambda patch: patch.setattr(protocol, "verify_request", weak)


def any_subject(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "subject", lambda self, device: [("residents", "resident-id", bytes(16))])


def any_columns(patch: pytest.MonkeyPatch) -> None:
    def columns(case: checks.Case, facts: checks.Facts) -> None:
        if isinstance(case.request, protocol.Slots):
            case.handles = split(case.request.handles, 16)
            count = len(case.handles)
            case.versions = (slot.u32s(case.request.versions) * count)[:count]
            case.compartments = (slot.u16s(case.request.compartments) * count)[:count]

    patch.setattr(checks, "columns", columns)


def any_members(patch: pytest.MonkeyPatch) -> None:
    """Requests are taken as they come, with what is missing made up."""

    def parse(data: bytes) -> protocol.Disclose:
        found = {name: value for name, value in msgspec.json.decode(data).items() if name in names}
        return msgspec.convert({"cosignature": ""} | found, protocol.Disclose)

    names = set(protocol.Disclose.__struct_fields__)
    patch.setitem(protocol.REQUESTS, "/v1/disclose", SimpleNamespace(parse=parse))


def any_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Clock, "now", lambda self, last: max(int(self._wall()), last))


# --- the ask ---------------------------------------------------------------------------------------------------------------
def any_ask(patch: pytest.MonkeyPatch) -> None:
    """Neither the ask's form nor its action is looked at."""

    def ask(case: checks.Case, facts: checks.Facts) -> None:
        case.ask = msgspec.json.decode(case.request.ask, type=asks.Ask)
        case.ask_hash = asks.ask_hash(case.request.ask.encode())

    patch.setattr(checks, "ask", ask)


def any_reader(patch: pytest.MonkeyPatch) -> None:
    def reader(case: checks.Case, facts: checks.Facts) -> None:
        case.line = facts.roster.get(case.ask.reader) or next(iter(facts.roster.values()))

    patch.setattr(checks, "reader", reader)


def any_charter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(charters, "verify", nothing)


def identical_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protocol, "IDENTICAL_SECONDS", 10**6)


def permitted(code: str) -> Weaken:
    """The charter's rules without the one of that code."""
    honest = permit.permitted

    def weak(charter: Any, ask: asks.Ask, line: Any) -> permit.Permit:
        try:
            return honest(charter, ask, line)
        except Refused as refusal:
            if refusal.code != code:
                raise
            purpose = charter.purposes.get(ask.purpose) or charter.purposes["confirm"]
            return permit.Permit(purpose, frozenset(range(1, 9)), {})

    return lambda patch: patch.setattr(permit, "permitted", weak)


def any_second(patch: pytest.MonkeyPatch) -> None:
    """Whoever is said to have countersigned has done so, and is one who may."""

    def countersignatures(case: checks.Case, facts: checks.Facts) -> None:
        officer = next(line for line in facts.roster.values() if line.role == "officer")
        case.others = {one.reader: officer for one in case.request.countersignatures}

    patch.setattr(checks, "countersignatures", countersignatures)


# --- what is sealed --------------------------------------------------------------------------------------------------------
def any_epoch(patch: pytest.MonkeyPatch) -> None:
    honest = Epochs.secret

    def weak(self: Epochs, *given: Any) -> bytes:
        try:
            return honest(self, *given)
        except Refused as refusal:
            if refusal.code != "epoch":
                raise
            return bytes(32)

    unchecked("epoch")(patch)
    patch.setattr(Epochs, "secret", weak)


def any_batch(patch: pytest.MonkeyPatch) -> None:
    honest = batch.open_batch_secret

    def weak(*given: Any) -> bytes:
        try:
            return honest(*given)
        except SealError:
            return bytes(32)

    patch.setattr(batch, "open_batch_secret", weak)


def any_resealing(patch: pytest.MonkeyPatch) -> None:
    """To whatever epoch is asked for."""
    patch.setattr(office, "check_epoch", nothing)


def any_newest(patch: pytest.MonkeyPatch) -> None:
    """Whatever version is told as the newest."""
    route = routes.ROUTES["/v1/supersede"]

    def weak(*given: Any) -> Any:
        try:
            return route.handler(*given)
        except Refused:
            return lambda: protocol.Done(done=True)

    patch.setitem(routes.ROUTES, "/v1/supersede", replace(route, handler=weak))


def same_secret(patch: pytest.MonkeyPatch) -> None:
    """A batch of which a record was erased keeps its secret when it is resealed, and every delta is nought."""
    before: dict[bytes, bytes] = {}

    def rekey(old: bytes, new: bytes, places: Any, deltas: Any = ()) -> list[bytes]:
        before[new] = old
        return slot.rekey(old, old, places, deltas)

    def seal(public: bytes, bound: batch.Bound, b: bytes) -> bytes:
        return batch.seal_batch_secret(public, bound, before.get(b, b))

    patch.setattr(life, "slot", instead(slot, rekey=rekey))
    patch.setattr(life, "batch", instead(batch, seal_batch_secret=seal))


# --- what the keyholder writes -----------------------------------------------------------------------------------------------
def tags_of_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "_number", lambda keyholder, holding, whos: sorted(os.urandom(16) for _ in whos))


def one_tag_a_person(patch: pytest.MonkeyPatch) -> None:
    """Who is meant twice in one record has one tag of it; and the vault takes what comes."""
    honest = reading._number
    patch.setattr(reading, "_number", lambda keyholder, holding, whos: honest(keyholder, holding, sorted(set(whos))))
    patch.setattr(opening, "tags", lambda holding, pieces: SameNumber())


def share_in_status(patch: pytest.MonkeyPatch) -> None:
    """The keyholder tells in its status what it gave first."""
    given: list[bytes] = []
    give, status = reading._give, office.status

    def remember(keyholder: Any, case: checks.Case, work: Any, index: int) -> Any:
        given[:] = given or ([case.shares[:32]] if case.shares else [])
        return give(keyholder, case, work, index)

    patch.setattr(reading, "_give", remember)
    patch.setattr(
        office, "status", lambda keyholder, now: msgspec.structs.replace(status(keyholder, now), charter=given[0])
    )
