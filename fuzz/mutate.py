"""Inputs that are nearly good ones: bytes cut, doubled and replaced, and members of JSON put wrong where they stand.

Repeatable: the same seed and the same generator give the same inputs, so that a test that fails, fails again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

CANARY = "Qxzarathustra"
"""A word that no source of ours has: where it turns up in an error, the input was quoted."""

_TOKENS = (
    b"", b"\0", b"\n", b"\r\n", b"\n\n", b" ", b"  ", b"\t", b"=", b"+", b"-", b"/", b",", b";", b":", b'"', b'""', b"\\", b"\\u0000",
    b"\\ud800", b"{", b"}", b"[", b"]", b"(", b")", b"*", b"|", b"0", b"00", b"-1", b"+1", b"1_0", b"1e9", b"0.5", b"9" * 20, b"9" * 5000,
    b"18446744073709551616", b"\xff", b"\xfe\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x80", b"\x01", b"null", b"true", b"NaN", b"AAAA",
    b"AA==", b"[" * 3000, b"A" * 5000, CANARY.encode(), b'"' + CANARY.encode() + b'"',
    *(text.encode() for text in ("—", "é", "e\u0301", "１", "Ｘ", "\u200b", "\u202e", "\u200d", "\u2028", "ﬃ", "İ", "𠀀", "欧阳", "\ufdfa")),
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**53, 2**64, 2**70, -(2**70), 0.5, 1e300, "", CANARY, "\0", "A" * 5000, "AAAA", "AA==", "{}", "[]", "\ud800",
    "1", "room", [], [CANARY], [[]], [None], [0], {}, {CANARY: CANARY}, {"": 0}, {"v": 1},
)  # fmt: skip
_DEEP = 4
# The fifth opens a quote in each line, whatever was open before.
_PIECES = (
    b"[", b'{"a":', b'"', b"\\", b'x","\n', b"a", b"9", b" ", b"\n", b"\r", b"\0", b"\xff", b",", b"+", b"=", b"- ", b"a: ", b"{a: ", b"? ", b"&a ",
    b"(", b"\n\n", "— ".encode(), "é".encode(), "欧".encode(), "e\u0301".encode(), "\u200d".encode(),
)  # fmt: skip


def mutations(seeds: Sequence[bytes], drawn: random.Random, count: int) -> Iterator[bytes]:
    """``count`` changes of ``seeds``, each in turn."""
    for number in range(count):
        yield mutated(seeds[number % len(seeds)], seeds, drawn)


def large(seed: bytes, size: int) -> Iterator[bytes]:
    """Inputs of ``size`` bytes that are worst for whoever goes over them again and again, with ``seed`` and without."""
    for piece in _PIECES:
        much = piece * (size // len(piece))
        yield much
        yield seed[: len(seed) // 2] + much + seed[len(seed) // 2 :]
    yield seed * (size // max(1, len(seed)))


def mutated(seed: bytes, others: Sequence[bytes], drawn: random.Random) -> bytes:
    """``seed``, changed at one to three places."""
    if drawn.random() < 0.5 and (found := _json(seed, drawn)) is not None:
        seed = found
        if drawn.random() < 0.7:
            return seed
    for _ in range(drawn.choice((1, 1, 1, 2, 3))):
        seed = _bytes(seed, others, drawn)
    return seed


def _bytes(data: bytes, others: Sequence[bytes], drawn: random.Random) -> bytes:
    start = drawn.randint(0, len(data))
    end = min(len(data), start + drawn.choice((0, 1, 1, 2, 4, 16, 64)))
    way = drawn.randrange(8)
    if way == 0:
        return data[:start] + data[end:]
    if way == 1:
        return data[:start] + data[start:end] * 2 + data[end:]
    if way == 2:
        return data[:start]
    if way == 3 and data:
        at = drawn.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << drawn.randrange(8)]) + data[at + 1 :]
    if way == 4 and others:
        other = drawn.choice(others)
        return data[:start] + other[min(start, len(other)) :]
    if way == 5:
        return data[:start] + drawn.randbytes(drawn.randint(1, 4)) + data[end:]
    return data[:start] + drawn.choice(_TOKENS) + data[end:]


def _json(data: bytes, drawn: random.Random) -> bytes | None:
    """One member put wrong, the rest written canonically; None where ``data`` is no object or list."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict | list) or not value:
        return None
    _put_wrong(value, drawn, 0)
    return _text(value).encode("utf-8", "surrogatepass")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _put_wrong(value: Any, drawn: random.Random, depth: int) -> None:
    at = drawn.choice(list(value)) if isinstance(value, dict) else drawn.randrange(len(value))
    inner = value[at]
    if isinstance(inner, dict | list) and inner and depth < _DEEP and drawn.random() < 0.7:
        _put_wrong(inner, drawn, depth + 1)
        return
    way = drawn.randrange(6)
    if (
        isinstance(inner, str)
        and inner[:1] in ("{", "[")
        and way
        and (told := _json(inner.encode("utf-8", "surrogatepass"), drawn))
    ):
        value[at] = told.decode("utf-8", "surrogatepass")  # JSON within JSON: asks, entries, documents
    elif way == 0:
        del value[at]
    elif way == 1 and isinstance(value, dict):
        value[drawn.choice((CANARY, "", "v", "é", "type", "\0"))] = drawn.choice(_VALUES)
    elif way == 1:
        value.insert(at, inner)
    elif way == 2 and isinstance(inner, str):
        value[at] = _bytes(inner.encode("utf-8", "surrogatepass"), (), drawn).decode("utf-8", "replace")
    elif way == 2 and isinstance(inner, int):
        value[at] = inner + drawn.choice((-1, 1, 2**32, 2**63))
    elif way == 3 and isinstance(value, list):
        drawn.shuffle(value)
    else:
        value[at] = drawn.choice(_VALUES)
