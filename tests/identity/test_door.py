"""The door itself (service/identity/door.py): what it keeps, within which bounds, and when it looks again."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.identity import forge
from tests.identity.forge import NOW, ORIGIN
from tests.identity.refusals import refused

from strongroom.errors import StoreError
from strongroom.service.identity import door as doors
from strongroom.service.identity import jwks, proof, token
from strongroom.service.identity.caller import Caller
from strongroom.service.identity.door import Door, Facts
from strongroom.service.identity.passkey import web_origin

SIGNER, KEY = forge.es256(), forge.es256()
PROVIDER = forge.provider(SIGNER)


class Front:
    """A door whose room says ``facts``, or fails; and whose provider's keys are known."""

    def __init__(self) -> None:
        self.now, self.looked, self.fails = NOW, 0, False
        self.facts = Facts(b"first", {"city": PROVIDER}, {})
        run: Any = self._run
        self.door = Door(ORIGIN, run, lambda: self.now, os.urandom)
        known = self.door.keyring._of(PROVIDER)
        known.keys = jwks.pinned(json.dumps({"keys": [{**SIGNER.jwk, "kid": "k1"}]}).encode(), PROVIDER)
        known.fetched = NOW + 10_000

    async def _run(self, _: Callable[[Any], Any]) -> Facts:
        self.looked += 1
        await asyncio.sleep(0)
        if self.fails:
            raise StoreError("the disk is gone")
        return self.facts

    def admit(self, text: str, **claims: Any) -> Awaitable[Caller]:
        said = {"iat": self.now, "jti": os.urandom(8).hex(), **claims}
        return self.door.admit("GET", "/v1/budgets", [f"DPoP {text}"], [forge.proof(KEY, text, **said)])


def test_a_token_is_verified_once_and_its_proof_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    def counted(*args: Any) -> token.Verified:
        verified.append("")
        return real(*args)

    real = token.verify
    monkeypatch.setattr(token, "verify", counted)

    async def story() -> None:
        front, text = Front(), forge.token(SIGNER, KEY.jkt)
        first = await front.admit(text)
        for _ in range(5):
            assert await front.admit(text) is first
        with refused("proof-time"):
            await front.admit(text, iat=NOW - proof.AGE - 1)
        assert len(verified) == 1
        front.facts = Facts(b"second", {"city": PROVIDER}, {})
        front.now += doors.LOOK_AGAIN
        await front.admit(text)
        assert len(verified) == 2

    asyncio.run(story())


def test_what_is_kept_dies_in_time_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MOST_TOKENS", 3)

    async def story() -> None:
        front = Front()
        texts = [forge.token(SIGNER, KEY.jkt, n=at) for at in range(5)]
        for text in texts:
            await front.admit(text)
        assert len(front.door._known) == 3
        front.now += 300 + token.SKEW
        with refused("token-expired"):
            await front.admit(texts[-1])
        assert len(front.door._known) == 2

    asyncio.run(story())


def test_one_looks_for_all_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        front, text = Front(), forge.token(SIGNER, KEY.jkt)
        await front.admit(text)
        assert front.looked == 1
        front.now += doors.LOOK_AGAIN
        await asyncio.gather(*[front.admit(text) for _ in range(20)])
        assert front.looked == 2
        front.fails = True
        front.now += doors.LOOK_AGAIN
        for _ in range(2):
            with pytest.raises(StoreError):
                await front.admit(text)
        front.fails = False
        await front.admit(text)

    asyncio.run(story())


def test_callers_are_told_apart_and_not_named() -> None:
    async def story() -> None:
        front = Front()
        one, same, other = [await front.admit(forge.token(SIGNER, KEY.jkt, sub=sub)) for sub in ("li", "li", "wang")]
        assert one.subject == same.subject != other.subject
        assert (await Front().admit(forge.token(SIGNER, KEY.jkt, sub="li"))).subject != one.subject

    asyncio.run(story())


def test_origins_are_written_as_browsers_do() -> None:
    assert web_origin("https://Records.example:443/vault") == "https://records.example"
    assert web_origin("https://records.example:7443") == "https://records.example:7443"
    assert web_origin("http://127.0.0.1:80") == "http://127.0.0.1"
