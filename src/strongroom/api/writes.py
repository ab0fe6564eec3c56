"""Taking in, correcting, erasing, and taking out. Those that come in streams are lines of JSON, told apart by ``type``."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from strongroom.api.base import Answer, Count, Day, Entries, Entry, Handle, Receipt, Request, Values
from strongroom.api.problem import Problem, Row
from strongroom.gate.ask import Evidence

MOST_RECORDS = 10_000
"""Records of one request that is no stream, and of one batch of a stream."""
MOST_HANDLES = 100_000
"""Records that an export names."""


class Records(Request):
    """New records under a signed ask of action ``intake``, which may serve for several requests until it ends. All of them
    are taken in, or none."""

    ask: Evidence
    records: Annotated[list[Values], msgspec.Meta(min_length=1, max_length=MOST_RECORDS)]


class Stored(Answer):
    """``records``: a handle for each record, in their order. The receipt proves the last entry."""

    records: list[Handle]
    entries: Entries
    receipt: Receipt


class RecordsHead(Request):
    """First line of records that come as lines of JSON; each line after it is one record: an object of field -> text or
    null. The answer is to be read while the lines are sent."""

    ask: Evidence


class StoredBatch(Answer, tag="stored"):
    """Some of the lines are taken in. ``rows``: numbers of their lines, counted from 1 behind the head; ``records``: a
    handle for each. The receipt proves the last entry."""

    rows: list[Count]
    records: list[Handle]
    entries: Entries
    receipt: Receipt


class LeftOut(Answer, tag="left-out"):
    """Lines that are no records of the holding, and why; the others are taken in."""

    rows: list[Row]


class RecordsEnd(Answer, tag="end"):
    """Last line, where all went well: how many lines were taken in and left out."""

    stored: Count
    left_out: Count


class Broken(Answer, tag="problem"):
    """Last line of a stream that ends early. What was said before it stands."""

    problem: Problem


StoredLine: TypeAlias = StoredBatch | LeftOut | RecordsEnd | Broken
"""A line of the answer to streamed records. Without ``end`` or ``problem`` as the last one it was cut short."""


class Correction(Request):
    """``ask``: of action ``correct``. ``intake``: one of action ``intake`` for as many identifiers as the records have (a
    record has one for each identifier field), which are indexed anew; absent where the holding has none."""

    ask: Evidence
    intake: Evidence | None = None


class Version(Answer):
    """A record and the number of its newest version."""

    handle: Handle
    version: Count


class Corrected(Answer):
    """``indexed``: entries that say that identifiers were indexed."""

    records: list[Version]
    entry: Entry
    receipt: Receipt
    indexed: Entries


class Erased(Answer):
    """Nothing of these records is given again. ``final``: the day on which the last key is destroyed that could have opened
    them, if no legal hold stands."""

    records: list[Handle]
    final: Day
    entry: Entry
    receipt: Receipt


class Export(Request):
    """``ask``: of action ``export``. ``records``: which; all of the holding where it is absent."""

    ask: Evidence
    records: Annotated[list[Handle], msgspec.Meta(min_length=1, max_length=MOST_HANDLES)] | None = None


class Exported(Answer, tag="record", omit_defaults=False):
    """One record: the ask's fields, masked as the purpose says."""

    handle: Handle
    fields: Values


class ExportBatch(Answer, tag="batch"):
    """The ``records`` lines before this one were given under this entry."""

    records: Count
    entry: Entry
    receipt: Receipt


class ExportEnd(Answer, tag="end"):
    """Last line of a whole export. ``left_out``: records that were not given since their day has come, or they are erased."""

    records: Count
    left_out: Count
    entries: Entries


ExportLine: TypeAlias = Exported | ExportBatch | ExportEnd | Broken
"""A line of an export. Without ``end`` or ``problem`` as the last one it was cut short."""
