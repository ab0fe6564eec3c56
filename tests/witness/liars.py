"""What a hostile witness may answer; each is one way to be worth nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from strongroom.ledger import note
from strongroom.witness import request
from strongroom.witness.house import Keys

PLANTED = "planted-words"
"""In what it writes for people: nothing of ours repeats it."""


@dataclass
class Asked:
    """One request to it, the time, its own keys and those of another witness of its name."""

    sent: web.Request
    body: bytes
    now: int
    keys: Keys
    other: Keys

    @property
    def signed(self) -> note.Note:
        return note.parse_note(request.parse(self.body).note)

    @property
    def good(self) -> str:
        return self.keys.ed25519.cosign(self.signed.text, self.now)


def _size(text: str) -> web.Response:
    # As bytes: to a text aiohttp adds a charset, and then it says no size.
    return web.Response(status=409, body=text.encode(), headers={"Content-Type": "text/x.tlog.size"})


def _log_name(asked: Asked) -> web.Response:
    # A line under the log's own name would make every reader refuse what is published.
    return web.Response(text=f"{asked.good}— {asked.signed.signatures[0].name} {asked.good.split(' ')[2]}")


def _redirect(asked: Asked) -> web.Response:
    return web.Response(status=307, headers={"Location": "/elsewhere"}, text=asked.good)


def _broken(asked: Asked) -> web.Response:
    assert asked.sent.transport is not None
    asked.sent.transport.close()
    return web.Response()


def _compressed(asked: Asked) -> web.Response:
    answer = web.Response(text=asked.good)
    answer.enable_compression(web.ContentCoding.gzip)
    return answer


LIES: dict[str, Callable[[Asked], web.Response]] = {
    "wrong key": lambda a: web.Response(text=a.other.ed25519.cosign(a.signed.text, a.now)),
    "other text": lambda a: web.Response(text=a.keys.ed25519.cosign(a.signed.text.replace("/led", "/Led"), a.now)),
    "garbage": lambda _: web.Response(text=f"— {PLANTED} !\n\n\0"),
    "nothing": lambda _: web.Response(text=""),
    "not utf-8": lambda a: web.Response(body=a.good.encode() + b"\xff"),
    "huge": lambda a: web.Response(text=a.good * 10_000),
    "redirect": _redirect,
    "size": lambda _: _size("1\n"),
    "far size": lambda _: _size(f"{2**62}\n"),
    "no number": lambda _: _size("+1\n"),
    "ahead": lambda a: web.Response(text=a.keys.ed25519.cosign(a.signed.text, a.now + 10**6)),
    "undated": lambda a: web.Response(text=a.keys.ml_dsa.cosign(a.signed.text, 0)),
    "broken": _broken,
    "server error": lambda _: web.Response(status=500, text=PLANTED),
    "log's name": _log_name,
    "compressed": _compressed,
}


async def endless(sent: web.Request) -> web.StreamResponse:
    """An answer that does not end."""
    answer = web.StreamResponse()
    await answer.prepare(sent)
    while True:
        await answer.write(bytes(4096))
