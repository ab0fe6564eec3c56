"""Where seeds come from: the vectors and examples that the project publishes anyway, and a few files of their own.

Whatever is missing is an error at once: a fuzz test whose seeds moved away would go on and test nothing.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "fuzz" / "corpus"


@cache
def vector(name: str) -> Any:
    """``vectors/NAME.json``."""
    return json.loads((ROOT / "vectors" / f"{name}.json").read_bytes())


def texts(name: str, member: str, text: str) -> list[bytes]:
    """One text of every case of a vector file: ``member`` is the list, ``text`` what to take of each."""
    return [case[text].encode() for case in vector(name)[member]]


def hexes(name: str, member: str, text: str) -> list[bytes]:
    """The same for bytes, which vectors write in hexadecimal."""
    return [bytes.fromhex(case[text]) for case in vector(name)[member]]


def example(path: str) -> bytes:
    """A file of ``examples/``."""
    return (ROOT / "examples" / path).read_bytes()


def kept(name: str) -> list[bytes]:
    """The files of ``fuzz/corpus/NAME``, by name. Raises ``FileNotFoundError`` when there are none."""
    found = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    if not found:
        raise FileNotFoundError(f"fuzz/corpus/{name} is empty")
    return found
