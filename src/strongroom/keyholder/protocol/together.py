"""Many asks in one request: what they have in common once, and of each its part (SPEC.md section 8.11)."""

from __future__ import annotations

from typing import Any, TypeAlias, Union

import msgspec

from strongroom.canonical import Bytes16, Codec, Number, Record
from strongroom.keyholder.protocol.requests import Disclose, Find, Intake, Refusal, Together

Whole: TypeAlias = Disclose | Find | Intake | Refusal


_COMMON = ("have", "root", "time", "cosignature", "fresh")


def _part_of(kind: type[Record]) -> type[Record]:
    """A request as a part: its own members, without what all of a group have in common, and what it is in ``part``."""
    members = [(one.name, one.type) for one in msgspec.structs.fields(kind) if one.name not in _COMMON]
    name = kind.__name__
    made = msgspec.defstruct(
        f"{name}Part", members, bases=(Record,), frozen=True, kw_only=True, tag_field="part", tag=name.lower()
    )
    assert issubclass(made, Record)
    return made


_PARTS: dict[type[Record], type[Record]] = {kind: _part_of(kind) for kind in (Disclose, Find, Intake, Refusal)}
_WHOLE = {part: kind for kind, part in _PARTS.items()}
_MEMBERS = {part: tuple(one.name for one in msgspec.structs.fields(part)) for part in _WHOLE}
_WITH_FRESH = {part: kind is not Refusal for part, kind in _WHOLE.items()}


def part(kind: type[Whole], **members: Any) -> Record:
    """A part that asks what ``kind`` asks; ``members``: its own."""
    return _PARTS[kind](**members)


def whole(part: Record, group: Together) -> Whole:
    """The request that a part of ``group`` stands for, as it would be on its own."""
    kind = type(part)
    known: dict[str, Any] = {name: getattr(part, name) for name in _MEMBERS[kind]}
    if _WITH_FRESH[kind]:
        known["fresh"] = group.fresh
    found = _WHOLE[kind](have=group.have, root=group.root, time=group.time, cosignature=group.cosignature, **known)
    assert isinstance(found, Whole)
    return found


class Given(Record, tag_field="part", tag="disclose"):
    """``index``: of the entry. ``shares`` and ``whos``: as ``answers.Shares``."""

    index: Number
    shares: bytes
    whos: bytes


class GivenToken(Record, tag_field="part", tag="find"):
    index: Number
    token: Bytes16


class GivenTokens(Record, tag_field="part", tag="intake"):
    """``tokens``: as ``answers.Tokens``."""

    index: Number
    tokens: list[bytes]


class Entered(Record, tag_field="part", tag="refusal"):
    index: Number


class NotGiven(Record, tag_field="part", tag="problem"):
    """``code``, ``detail``, ``after``: what the request would have been refused with on its own. ``index``: of the refusal's entry, where there
    is one."""

    code: str
    detail: str
    after: Number | None
    index: Number | None


PartAnswer: TypeAlias = Given | GivenToken | GivenTokens | Entered | NotGiven


class GivenTogether(Record):
    """``entries``: the ledger from ``have`` on, at most 1,000; ``checkpoint``: signed by the log, with all entries of the group in it;
    ``sealed``: a ``PartAnswers``."""

    checkpoint: str
    entries: list[str]
    sealed: bytes


class PartAnswers(Record):
    """One a part, in order."""

    answers: list[PartAnswer]


parts: Codec[Record] = Codec(Union[tuple(_WHOLE)], "part")  # noqa: UP007 - of types that are made
given_together: Codec[GivenTogether] = Codec(GivenTogether, "keyholder's answer")
part_answers: Codec[PartAnswers] = Codec(PartAnswers, "keyholder's answers")
