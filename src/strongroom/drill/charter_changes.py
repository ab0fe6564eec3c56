"""Charters that differ in one point, which would change what is sealed already, or whose it is (part of ``promise_broken``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from strongroom.catalog.model import Charter, Holding

Change: TypeAlias = Callable[[Charter], Charter]


def _holding(name: str, change: Callable[[Holding], Holding]) -> Change:
    return lambda charter: msgspec.structs.replace(
        charter, holdings=dict(charter.holdings) | {name: change(charter.holdings[name])}
    )


def _field(holding: str, name: str, **changes: Any) -> Change:
    def change(one: Holding) -> Holding:
        changed = msgspec.structs.replace(one.fields[name], **changes)
        return msgspec.structs.replace(one, fields=dict(one.fields) | {name: changed})

    return _holding(holding, change)


def _compartment(holding: str, name: str, **changes: Any) -> Change:
    def change(one: Holding) -> Holding:
        changed = msgspec.structs.replace(one.compartments[name], **changes)
        return msgspec.structs.replace(one, compartments=dict(one.compartments) | {name: changed})

    return _holding(holding, change)


def _without(charter: Charter) -> Charter:
    """Without health codes, and what is for them."""
    named = "health-codes"
    purposes = {
        name: msgspec.structs.replace(
            one,
            reads={holding: fields for holding, fields in one.reads.items() if holding != named},
            finds={holding: kinds for holding, kinds in one.finds.items() if holding != named},
        )
        for name, one in charter.purposes.items()
        if set(one.reads) - {named}
    }
    holdings = {name: one for name, one in charter.holdings.items() if name != named}
    buckets = {name: one for name, one in charter.buckets.items() if name != named}
    return msgspec.structs.replace(charter, purposes=purposes, holdings=holdings, buckets=buckets)


def _renamed(charter: Charter) -> Charter:
    holdings = {("clients" if name == "patients" else name): one for name, one in charter.holdings.items()}
    buckets = {("clients" if name == "patients" else name): one for name, one in charter.buckets.items()}
    purposes = {
        name: msgspec.structs.replace(
            one, reads={("clients" if held == "patients" else held): fields for held, fields in one.reads.items()}
        )
        for name, one in charter.purposes.items()
    }
    return msgspec.structs.replace(charter, holdings=holdings, buckets=buckets, purposes=purposes)


def _fewer(charter: Charter) -> Charter:
    """Without a compartment, its fields, and the questions about them."""
    asked = charter.purposes["ask-age"]
    checks = {"residents": {name: tests for name, tests in asked.checks["residents"].items() if name != "born"}}
    purposes = dict(charter.purposes) | {"ask-age": msgspec.structs.replace(asked, checks=checks)}

    def change(one: Holding) -> Holding:
        fields = {name: field for name, field in one.fields.items() if field.compartment != "birth"}
        left = {name: each for name, each in one.compartments.items() if name != "birth"}
        return msgspec.structs.replace(one, fields=fields, compartments=left)

    return _holding("residents", change)(msgspec.structs.replace(charter, purposes=purposes))


def _bucket(charter: Charter) -> Charter:
    own = dict(charter.buckets["residents"]) | {"resident-id": os.urandom(32)}
    return msgspec.structs.replace(charter, buckets=dict(charter.buckets) | {"residents": own})


SEALED: dict[str, Change] = {
    "without a holding": _without,
    "with a holding renamed": _renamed,
    "without a compartment": _fewer,
    "without a field": _holding(
        "residents",
        lambda one: msgspec.structs.replace(one, fields={n: f for n, f in one.fields.items() if n != "sex"}),
    ),
    "with a compartment renumbered": _compartment("residents", "birth", number=9),
    "with a compartment of another person": _compartment("calls", "call", person="caller"),
    "with a field moved": _field("residents", "born", compartment="identity"),
    "with a field of another type": _field("residents", "email", type="text"),
    "with an enum turned round": _field("residents", "sex", values=["other", "male", "female"]),
    "with telephone numbers of another country": _field("residents", "phone", region="US"),
    "with another bucket root": _bucket,
}
"""Each is good but for that."""
