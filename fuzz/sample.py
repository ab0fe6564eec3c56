"""Values of a schema: seeds for every codec there is, made from the types themselves so that none is forgotten."""

from __future__ import annotations

import random
import re
from typing import Any

import msgspec
from msgspec import inspect

from strongroom.canonical import Codec, encode

_TEXTS = (
    "residents", "name", "phone", "room", "", "a", "reader", "holding:residents", "clear", "text:badge", "20/minute",
    "riverton.example", "0123456789", "欧阳娜", "2026-11-23", "reader:" + "0f" * 16, "confirm-identity", "{}", "[]",
)  # fmt: skip
_DEPTH = 8


def seeds_of(codec: Codec[Any], each: int = 4) -> list[bytes]:
    """``each`` values and more of the codec's type, as canonical JSON; for a choice of types ``each`` of every one."""
    kind = inspect.type_info(codec._decoder.type)
    kinds = list(kind.types) if isinstance(kind, inspect.UnionType) else [kind]
    drawn = random.Random(7)
    return [encode(make(one, drawn)) for one in kinds for _ in range(each)]


def blank(kind: type[msgspec.Struct], **members: Any) -> Any:
    """A struct whose members are empty, zero, false or the first choice, but for those given: whatever is added to it."""
    drawn = random.Random(0)
    return kind(**{one.name: _blank(one.type, drawn) for one in msgspec.structs.fields(kind)} | members)


def _blank(kind: Any, drawn: random.Random) -> Any:
    info = inspect.type_info(kind)
    if isinstance(info, inspect.StructType):
        return blank(info.cls)
    if isinstance(info, inspect.StrType) and _fits(info, ""):
        return ""
    if isinstance(info, inspect.IntType):
        return info.ge or 0
    if isinstance(info, inspect.BytesType):
        return bytes(info.min_length or 0)
    if isinstance(info, inspect.BoolType):
        return False
    if isinstance(info, inspect.ListType):
        return []
    if isinstance(info, inspect.DictType):
        return {}
    return info.values[0] if isinstance(info, inspect.LiteralType) else make(info, drawn)


def make(kind: inspect.Type, drawn: random.Random, depth: int = 0) -> Any:
    """A value of ``kind`` in JSON's terms, bytes among them. Raises ``NotImplementedError`` for a type not met so far."""
    if isinstance(kind, inspect.Metadata):
        return make(kind.type, drawn, depth)
    if isinstance(kind, inspect.StructType):
        found = {one.encode_name: make(one.type, drawn, depth + 1) for one in kind.fields}
        return found | ({kind.tag_field: kind.tag} if kind.tag_field else {})
    if isinstance(kind, inspect.UnionType):
        return make(drawn.choice(kind.types), drawn, depth)
    if isinstance(kind, inspect.ListType):
        return [make(kind.item_type, drawn, depth + 1) for _ in range(_count(kind, drawn, depth))]
    if isinstance(kind, inspect.DictType):
        return {
            make(kind.key_type, drawn): make(kind.value_type, drawn, depth + 1)
            for _ in range(_count(kind, drawn, depth))
        }
    return _scalar(kind, drawn)


def _scalar(kind: inspect.Type, drawn: random.Random) -> Any:
    if isinstance(kind, inspect.LiteralType):
        return drawn.choice(kind.values)
    if isinstance(kind, inspect.RawType):
        # JSON that another parser looks at, in a value of its own.
        return msgspec.Raw(drawn.choice([b"{}", b'{"part":"find"}', b"[]", b"0", b'"a"', b"null"]))
    if isinstance(kind, inspect.BoolType):
        return drawn.random() < 0.5
    if isinstance(kind, inspect.NoneType):
        return None
    if isinstance(kind, inspect.IntType):
        least, most = kind.ge or 0, kind.le or 2**53 - 1
        return drawn.choice([least, most, drawn.randint(least, min(most, least + 1000))])
    if isinstance(kind, inspect.BytesType):
        least = kind.min_length or 0
        return drawn.randbytes(least if kind.max_length == least else least + drawn.choice([0, 16, 32]))
    if isinstance(kind, inspect.StrType):
        fits = [text for text in _TEXTS if _fits(kind, text)]
        if fits:
            return drawn.choice(fits)
    raise NotImplementedError(f"no sample for {kind}; teach fuzz/sample.py")


def _fits(kind: inspect.StrType, text: str) -> bool:
    if not (kind.min_length or 0) <= len(text) <= (kind.max_length or len(text)):
        return False
    return kind.pattern is None or re.search(kind.pattern, text) is not None


def _count(kind: inspect.ListType | inspect.DictType, drawn: random.Random, depth: int) -> int:
    least = kind.min_length or 0
    most = min(kind.max_length or least + 2, least + 2) if depth < _DEPTH else least
    return drawn.randint(least, most)
