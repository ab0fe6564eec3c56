"""The vault's front door: from a request's headers to who calls (SPEC.md section 10.3).

What was verified once about a token is kept until the token dies, the charter changes or its signer is withdrawn; the proof is
verified for every request.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from strongroom.catalog.model import Provider, RosterLine
from strongroom.custody.room import Room
from strongroom.service.identity import issuer, jose, proof, token
from strongroom.service.identity.caller import ANYBODY, Caller, IdentityRefused, refuse
from strongroom.service.identity.issuer import Issuer
from strongroom.service.identity.keyring import Keyring
from strongroom.service.identity.once import Once

T = TypeVar("T")

LOOK_AGAIN = 2
"""Seconds for which the charter in force and its roster are taken to be what they were."""
MOST_TOKENS = 10_000


class Run(Protocol):
    """Does work that wants the room, on a thread that has it (``service.vault.Vault.run``)."""

    def __call__(self, work: Callable[[Room], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True)
class Facts:
    """What the charter in force says: its hash, who may give tokens, and reader -> line of the roster."""

    charter: bytes
    providers: Mapping[str, Provider]
    roster: Mapping[bytes, RosterLine]


def facts_of(room: Room) -> Facts:
    rules = room.rules()
    return Facts(rules.enacted.hash, rules.charter.providers, rules.roster)


@dataclass(frozen=True, slots=True)
class _Known:
    charter: bytes
    token: token.Verified
    caller: Caller


class Door:
    """``origin``: the vault's address as clients write it. Belongs to one event loop; to be closed there.

    ``development``: nobody is asked for anything. That is for loopback alone, which whoever starts the server sees to.
    """

    def __init__(
        self,
        origin: str,
        run: Run,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        *,
        development: bool = False,
    ) -> None:
        self.origin, self.development = origin.rstrip("/"), development
        self.run, self.clock, self.random, self.started = run, clock, random, clock()
        self.issuer = Issuer(self.origin, random)
        self.keyring = Keyring(clock)
        self._own: Mapping[str, Provider] = {issuer.NAME: self.issuer.provider}
        self._pseudonyms = random(32)
        self._used = Once(self.started, random)
        self._keys = proof.Keys()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._facts: Facts | None = None
        self._looked = 0

    async def close(self) -> None:
        await self.keyring.close()

    async def facts(self) -> Facts:
        now = self.clock()
        if self._facts is None or not 0 <= now - self._looked < LOOK_AGAIN:
            before, self._looked = self._looked, now  # meanwhile the others go on with what is known
            try:
                self._facts = await self.run(facts_of)
            except BaseException:
                self._looked = before
                raise
        return self._facts

    async def line(self, reader: bytes) -> RosterLine | None:
        """The reader's line in the roster in force."""
        return (await self.facts()).roster.get(reader)

    async def admit(self, method: str, path: str, authorizations: Sequence[str], proofs: Sequence[str]) -> Caller:
        """Who sends a request of ``method`` to ``path``, by all its headers ``Authorization`` and ``DPoP``. Raises
        ``IdentityRefused``."""
        if self.development:
            return ANYBODY
        text = _token(authorizations)
        facts = await self.facts()
        name = jose.digest(text)
        known = self._known.get(name)
        if known is None or known.charter != facts.charter:
            known = await self._verified(text, facts)
            self._keep(name, known)
        else:
            self._still(name, known, facts)
        found = self.prove(proofs, method, path, name, known.token.bound)
        assert found.key == known.caller.confirmation
        return known.caller

    def prove(self, proofs: Sequence[str], method: str, path: str, name: str | None, bound: str | None) -> proof.Proof:
        """The request's one proof, for the token with the digest ``name``, used up. Raises ``IdentityRefused`` (``proof-...``)."""
        if len(proofs) != 1:
            refuse("proof-missing", "want one header DPoP")
        now = self.clock()
        found = proof.verify(
            proofs[0], method=method, address=self.origin + path, token=name, bound=bound, now=now, keys=self._keys
        )
        if not self._used.use(found.name, found.made, found.made + proof.AGE, now):
            refuse("proof-replayed")
        return found

    async def _verified(self, text: str, facts: Facts) -> _Known:
        read = token.read(text)
        providers = facts.providers or self._own
        name = token.provider(read, providers)
        of = providers[name]
        if of is self.issuer.provider:
            found = token.verify(read, name, of, self.issuer.key, self.clock())
            reader = bytes.fromhex(found.subject)
            caller = Caller(self._pseudonym(found), found.role, found.unit, reader, found.bound, found.how)
            # Since it was given, its reader may have left, or be another's colleague now.
            caller.may_ask(reader, facts.roster.get(reader))
            return _Known(facts.charter, found, caller)
        key = await self.keyring.key(of, read.named)
        found = token.verify(read, name, of, key, self.clock())
        caller = Caller(self._pseudonym(found), found.role, found.unit, b"", found.bound, f"provider {name}")
        return _Known(facts.charter, found, caller)

    def _keep(self, name: str, known: _Known) -> None:
        self._known[name] = known
        if len(self._known) > MOST_TOKENS:
            self._known.popitem(last=False)

    def _still(self, name: str, known: _Known, facts: Facts) -> None:
        """Raises ``IdentityRefused`` where what was verified before is no longer so."""
        try:
            token.current(known.token, self.clock())
            if known.token.provider != issuer.NAME:
                self.keyring.still(facts.providers[known.token.provider], known.token.signer)
        except IdentityRefused:
            self._known.pop(name, None)
            raise
        self._known.move_to_end(name)

    def _pseudonym(self, found: token.Verified) -> str:
        whom = f"{found.provider}\0{found.subject}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._pseudonyms, whom, hashlib.sha256).hex()[:16]


def _token(authorizations: Sequence[str]) -> str:
    if not authorizations:
        refuse("token-missing")
    scheme, _, text = authorizations[0].partition(" ")
    # A bearer token would be good for whoever finds it in a log.
    if len(authorizations) != 1 or scheme.lower() != "dpop" or not text.isascii():
        refuse("token-missing", "want one header Authorization, of the scheme DPoP")
    return text
