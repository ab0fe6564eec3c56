"""The keys of the charter's providers, as they publish them now: fetched, kept, and dropped when they are withdrawn.

A shell around ``jwks``. A key is taken from what its provider publishes and the charter pins, both: the charter alone cannot
know that a key was withdrawn this morning, and the provider alone could be made to publish a thief's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from strongroom.catalog.model import Provider
from strongroom.errors import FormatError, InputError
from strongroom.service.identity import jose, jwks
from strongroom.service.identity.caller import refuse

log = logging.getLogger("strongroom.identity")

FRESH = 300
"""Seconds after which a provider's keys are asked for again."""
GOOD = 3600
"""Seconds for which keys stay good whose provider does not answer. It gives no new tokens meanwhile either."""
PAUSE = 10
"""Seconds between two attempts, whoever asks: tokens with made-up keys must not become a flood at the provider."""
_MOST_BYTES = 256 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass
class _Known:
    keys: dict[str, jose.Key] = field(default_factory=dict)
    fetched: int = -GOOD
    tried: int = -PAUSE
    task: asyncio.Task[None] | None = None


class Keyring:
    """``clock`` gives whole seconds. Belongs to one event loop; to be closed there."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, tuple[bytes, ...]], _Known] = {}
        self._session: aiohttp.ClientSession | None = None

    async def key(self, provider: Provider, named: str) -> jose.Key:
        """The key that a token names. Raises ``IdentityRefused``: ``token-key``, or ``provider`` where none are known."""
        known = self._of(provider)
        if named not in known.keys or self._clock() - known.fetched >= GOOD:
            await self._renewed(provider, known)
        if self._clock() - known.fetched >= GOOD:
            refuse("provider")
        found = known.keys.get(named)
        if found is None:
            refuse("token-key")
        self._keep_fresh(provider, known)
        return found

    def still(self, provider: Provider, thumbprint: str) -> None:
        """Raises ``IdentityRefused`` unless the key of a token that was verified before may still be believed."""
        known = self._of(provider)
        self._keep_fresh(provider, known)
        if self._clock() - known.fetched >= GOOD:
            refuse("provider")
        if all(key.thumbprint != thumbprint for key in known.keys.values()):
            refuse("token-key")

    async def close(self) -> None:
        for known in self._known.values():
            if known.task is not None:
                known.task.cancel()
                await asyncio.gather(known.task, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _of(self, provider: Provider) -> _Known:
        # By issuer and pins: a charter that pins otherwise begins anew.
        return self._known.setdefault((provider.issuer, tuple(provider.keys)), _Known())

    def _keep_fresh(self, provider: Provider, known: _Known) -> None:
        if self._clock() - known.fetched >= FRESH:
            self._begin(provider, known)

    async def _renewed(self, provider: Provider, known: _Known) -> None:
        task = self._begin(provider, known)
        if task is not None:
            await asyncio.shield(task)  # whoever waits may go away; the others still want it

    def _begin(self, provider: Provider, known: _Known) -> asyncio.Task[None] | None:
        """The attempt that is under way, else a new one, unless there was one just now."""
        if known.task is None and self._clock() - known.tried >= PAUSE:
            known.tried = self._clock()
            known.task = asyncio.create_task(self._fetch(provider, known))
        return known.task

    async def _fetch(self, provider: Provider, known: _Known) -> None:
        try:
            if self._session is None:
                self._session = _session()
            known.keys = jwks.pinned(await _key_set(self._session, provider.issuer), provider)
            known.fetched = self._clock()
        except _FAILS as error:
            # The issuer is in the public charter; what it answered is not repeated.
            log.warning("keys of %s: %s", provider.issuer, _in_words(error))
        finally:
            known.task = None


async def published(issuer: str) -> list[tuple[str, jose.Key]]:
    """``kid`` and key of each that an issuer publishes to sign with: for who writes a charter. Raises ``InputError``."""
    if not jwks.fetchable(issuer, loopback=True):
        raise InputError("a provider is asked at an https:// address, or at http:// on this machine")
    try:
        async with _session() as session:
            return jwks.published(await _key_set(session, issuer))
    except _FAILS as error:
        raise InputError(f"{issuer}: its keys cannot be had: {_in_words(error)}") from None


_FAILS = (aiohttp.ClientError, TimeoutError, FormatError, OSError)


def _in_words(error: BaseException) -> str:
    return str(error) if isinstance(error, FormatError) else type(error).__name__


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    )


async def _key_set(session: aiohttp.ClientSession, issuer: str) -> bytes:
    return await _get(session, jwks.where(await _get(session, jwks.discovery(issuer)), issuer))


async def _get(session: aiohttp.ClientSession, address: str) -> bytes:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with session.get(address, allow_redirects=False, headers=headers) as answer:
        if answer.status != 200:
            raise FormatError(f"the provider answers {answer.status}")
        found = bytearray()
        async for piece in answer.content.iter_chunked(65536):
            found += piece
            if len(found) > _MOST_BYTES:
                raise FormatError(f"over {_MOST_BYTES} bytes")
    return bytes(found)
