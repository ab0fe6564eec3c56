"""What the client does, without doing it: generators that yield what is to be sent and are given what came.

``Room`` and ``AsyncRoom`` drive the same generators, the one by ``http.client``, the other by ``aiohttp``
(docs/decisions/0034-client.md). Everything that is decided is decided here and in ``core``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from strongroom.errors import KeyholderUnavailable

T = TypeVar("T")

MOST_BYTES = 300 * 2**20
"""Of one answer that is no stream: 1,000 records, each with the largest image there is."""
ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
LONGEST_WAIT = 10.0
"""Seconds. Who says that it takes longer is not waited for."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is below the room's address. Driven to an ``Answer``; raises ``Broken``."""

    method: str
    path: str
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    most: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Stream:
    """The same, whose answer comes in lines: driven to an ``Answer``, whose body is empty where its status is 200."""

    call: Call


@dataclass(frozen=True, slots=True)
class NextLine:
    """Driven to the next line of the stream, without its end; None behind the last. Raises ``Broken``."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Driven to None after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Do:
    """Driven to what ``work`` returns or raises. It may wait for a disk, or for another process."""

    work: Callable[[], Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Give:
    """One of many results, for the caller at once."""

    item: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` by lower-case name. ``again``: the call was sent more than once before this came."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    again: bool = False


UNTRUSTED = "its certificate is not one that is believed here: want ca_file= of whoever signed it, and the name that stands in it"


class Broken(Exception):
    """No whole answer came. The text names what happened, and nothing that was sent. ``sent``: the request may have arrived;
    ``lasting``: it will be no better in a moment."""

    def __init__(self, text: str, *, sent: bool, lasting: bool = False) -> None:
        super().__init__(text)
        self.sent, self.lasting = sent, lasting


Flow: TypeAlias = Generator[Any, Any, T]


@dataclass(frozen=True, slots=True)
class Patience:
    """When to send again what broke off. ``clock``: POSIX seconds; ``chance``: [0, 1), so that clients that were cut off together
    do not come back together."""

    clock: Callable[[], float]
    chance: Callable[[], float]

    def send(self, call: Call, until: float, *, twice: bool = True) -> Flow[Answer]:
        """The answer to ``call``. Until the POSIX second ``until`` the identical one is sent again, at most ``ATTEMPTS`` times in all,
        where the connection broke or the vault says that it cannot now; where it is not ``twice`` safe, only as long as it
        cannot have arrived. Raises ``KeyholderUnavailable``."""
        for attempt in range(1, ATTEMPTS + 1):
            answer: Answer | None = None
            broken = Broken("", sent=True)
            try:
                answer = yield call
            except Broken as error:
                broken = error
            if answer is not None and not _later(answer):
                return replace(answer, again=answer.again or attempt > 1)
            pause = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE) * (0.5 + self.chance())
            pause = max(pause, _retry_after(answer))
            last = attempt == ATTEMPTS or pause > LONGEST_WAIT or self.clock() + pause > until
            if last or broken.lasting or (broken.sent and not twice):
                if answer is not None:
                    return answer
                raise KeyholderUnavailable(f"the vault did not answer: {broken}") from None
            yield Pause(pause)
        raise AssertionError("unreachable")


def _later(answer: Answer) -> bool:
    """The vault, or what stands before it, cannot now: whether the ask was carried out is not said. 409: the same request is
    still under way."""
    if "retry-after" in answer.headers:
        return answer.status in (409, 502, 503, 504)
    return answer.status in (503, 504)


def _retry_after(answer: Answer | None) -> float:
    """Seconds; a date, which few send, is passed over."""
    text = answer.headers.get("retry-after", "") if answer else ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0.0


def token_dropped(headers: object) -> bool:
    """Whether what makes a request's headers can get another token (``login.Login``), now that the vault does not take this one."""
    forget = getattr(headers, "forget", None)
    if forget is None:
        return False
    forget()
    return True
