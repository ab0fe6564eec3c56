"""Finds, disclosures and checks. What is sent is the signed ask alone (``gate.ask.Evidence``); what it wants stands in it."""

from __future__ import annotations

import msgspec

from strongroom.api.base import Answer, Entry, Handle, Receipt, Values


class Found(Answer):
    """The records that have the identifier; none when nobody has. That it was asked is an entry either way."""

    records: list[Handle]
    entry: Entry
    receipt: Receipt


class Disclosure(Answer):
    """One record: the fields that were asked for, masked as the purpose says."""

    handle: Handle
    fields: Values = msgspec.field(default_factory=dict)


class Disclosed(Answer):
    """The records of the ask, in its order, read under one entry."""

    records: list[Disclosure]
    entry: Entry
    receipt: Receipt


class Checks(Answer, omit_defaults=False):
    """Whether the test holds of one record; null where it has no value that could tell."""

    handle: Handle
    answer: bool | None


class Checked(Answer):
    """The records of the ask, in its order, asked about under one entry."""

    records: list[Checks]
    entry: Entry
    receipt: Receipt
