"""One parser under fuzzing: what it reads, what writes it, what it may raise, and what holds for every input."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fuzz.quoting import quoted
from fuzz.seeds import CORPUS, kept
from strongroom.errors import StrongroomError

Seeds = Callable[[], Iterable[bytes]]

MOST_SECONDS = 5.0
"""Of processor time for one input: far above what any takes, far below what a runaway pattern takes."""


class Broken(AssertionError):
    """A parser broke one of the rules."""


@dataclass(frozen=True)
class Target:
    """``read`` hands bytes to a parser and gives what it made of them; ``write`` is the other way, where there is one.

    ``of``: the parsers (functions, methods, codecs) that the seeds come through. ``errors``: what may be raised.
    ``silent``: an error's text quotes nothing of the input. ``weight``: the share of the tests' mutations that it gets;
    less than 1 where one input takes long.
    """

    name: str
    read: Callable[[bytes], Any]
    seeds: Seeds
    of: tuple[object, ...]
    write: Callable[[Any], bytes] | None = None
    errors: type[StrongroomError] | tuple[type[StrongroomError], ...] = StrongroomError
    silent: bool = True
    weight: float = 1.0

    def corpus(self) -> list[bytes]:
        """The seeds, and what lies in ``fuzz/corpus/NAME``: inputs that once broke it. Raises ``Broken`` when there is none."""
        found = list(self.seeds())
        if (CORPUS / self.name).is_dir():
            found += kept(self.name)
        if not found:
            raise Broken(f"{self.name}: no seeds, so nothing would be tested")
        return list(dict.fromkeys(found))

    def check(self, data: bytes) -> bool:
        """Whether ``data`` was accepted. Raises ``Broken``, or whatever the parser should not have raised."""
        began = time.thread_time()
        try:
            found = self.read(data)
        except self.errors as error:
            self.tells_nothing(str(error), data)
            return False
        finally:
            self._in_time(time.thread_time() - began, data)
        if self.write is not None:
            again = self.write(found)
            if again != data:
                raise Broken(f"{self.name}: accepted, and written otherwise: {again!r}")
        return True

    def _in_time(self, seconds: float, data: bytes) -> None:
        if seconds > MOST_SECONDS:
            raise Broken(f"{self.name}: {seconds:.1f} s for {len(data):,} bytes")

    def tells_nothing(self, text: str, data: bytes) -> None:
        """Raises ``Broken`` when ``text`` may not quote ``data`` and does."""
        if self.silent and (found := quoted(text, data)):
            raise Broken(f"{self.name}: the error quotes {found!r} of the input: {text}")


def text_of(data: bytes) -> str:
    """``data`` as a parser of text may meet it: what is not UTF-8 becomes lone surrogates, as in command lines."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The other way."""
    return text.encode("utf-8", "surrogateescape")
