"""The door before a real provider's tokens, over real HTTP: what is let in, and what is turned away with which code."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from tests.identity import forge, house, oidc
from tests.identity.forge import Signer
from tests.identity.house import House
from tests.identity.oidc import Client, Oidc
from tests.world import World

from strongroom.client.login import JWT_BEARER, ProofKey
from strongroom.service.identity import keyring, proof
from strongroom.service.identity.caller import ANYBODY

AUDIENCE = "urn:riverton:records"
CLERK = Client("desk-4", forge.es256(), "clerk", "registry")
JUDGE = Client("court", forge.eddsa(algorithm="Ed25519"), "judge", "court")
NOBODY = Client("nobody", forge.es256(), "", "")
FIRST, SECOND, THIRD = forge.es256(), forge.rsa_("PS256"), forge.es256()


@pytest.fixture(scope="module")
def shared() -> Iterator[Oidc]:
    with oidc.running(AUDIENCE, [CLERK, JUDGE, NOBODY], ("first", FIRST)) as found:
        yield found


@pytest.fixture
def city(shared: Oidc, town: World) -> Oidc:
    """The provider that the room's charter names, with two of its keys pinned; it signs with the first."""
    shared.use(("first", FIRST))
    pinned = forge.provider(FIRST, SECOND, issuer=shared.issuer, audience=AUDIENCE)
    house.name_providers(town, city=pinned)
    return shared


async def token_of(city: Oidc, client: Client, key: ProofKey, resource: str = AUDIENCE) -> str:
    """Log ``client`` in at the provider, by private_key_jwt and with a proof."""
    endpoint = f"{city.issuer}/token"
    now = int(key._clock())
    said = {
        "iss": client.name,
        "sub": client.name,
        "aud": city.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": os.urandom(8).hex(),
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": client.key.compact({}, said),
        "scope": "records",
        "resource": resource,
    }
    async with aiohttp.ClientSession() as session:
        headers = {"DPoP": key.proof("POST", endpoint)}
        async with session.post(endpoint, data=form, headers=headers) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status == 200, found
    assert found["token_type"] == "DPoP"
    return str(found["access_token"])


def test_a_clerk_is_let_in_and_may_ask_as_one(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key, me = vault.key(), f"{vault.origin}/v1/me"
            token = await token_of(city, CLERK, key)
            for query in ("", "?asks_as=ana"):
                headers = {"Authorization": f"DPoP {token}", "DPoP": key.proof("GET", me, token)}
                status, said, _ = await vault.get(f"/v1/me{query}", headers)
                assert (status, said["role"], said["unit"], said["how"]) == (200, "clerk", "registry", "provider city")
                assert said["reader"] == ""
                assert "desk" not in said["subject"]

    asyncio.run(story())


def test_a_stolen_device_key_wants_its_owner_s_token_and_the_other_way_round(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key, me = vault.key(), f"{vault.origin}/v1/me"
            clerk, judge = await token_of(city, CLERK, key), await token_of(city, JUDGE, key)
            for token, name in ((clerk, "rui"), (clerk, "eva"), (judge, "ana")):
                headers = {"Authorization": f"DPoP {token}", "DPoP": key.proof("GET", me, token)}
                status, said, _ = await vault.get(f"/v1/me?asks_as={name}", headers)
                assert (status, said) == (403, {"code": "identity"})
            # And the device key alone gets no token here: the provider gives them.
            assert await vault.log_in("ana", key) == (400, {"code": "grant"})

    asyncio.run(story())


async def tried(vault: House, city: Oidc, **change: Any) -> str:
    """What becomes of a clerk's request with one thing changed about it."""
    key, me = vault.key(), f"{vault.origin}/v1/me"
    token = await token_of(city, change.pop("client", CLERK), key, change.pop("resource", AUDIENCE))
    by, method = change.pop("by", key), change.pop("method", "GET")
    proven = by.proof(method, change.pop("address", me), change.pop("of", token))
    vault.ahead = change.pop("ahead", 0)
    assert not change
    try:
        return await vault.code(token, proven)
    finally:
        vault.ahead = 0


def test_each_thing_that_may_be_wrong_is_refused_with_its_code(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            assert await tried(vault, city) == "fine"
            assert await tried(vault, city, resource="urn:other") == "token-audience"
            assert await tried(vault, city, client=NOBODY) == "token-claims"
            assert await tried(vault, city, ahead=400) == "token-expired"
            assert await tried(vault, city, ahead=-400) == "token-early"
            assert await tried(vault, city, ahead=proof.AGE + 1) == "proof-time"
            assert await tried(vault, city, by=vault.key()) == "proof-key"
            assert await tried(vault, city, method="POST") == "proof-method"
            assert await tried(vault, city, address=f"{vault.origin}/v1/you") == "proof-address"
            assert await tried(vault, city, address="https://elsewhere.example/v1/me") == "proof-address"
            assert await tried(vault, city, of="another token") == "proof-token"
            assert await tried(vault, city, of="") == "proof-token"

    asyncio.run(story())


def test_what_is_used_again_is_refused(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key = vault.key()
            token = await token_of(city, CLERK, key)
            proven = key.proof("GET", f"{vault.origin}/v1/me", token)
            assert [await vault.code(token, proven) for _ in range(3)] == ["fine", "proof-replayed", "proof-replayed"]
            # Of many at once, one.
            proven = key.proof("GET", f"{vault.origin}/v1/me", token)
            codes = await asyncio.gather(*[vault.code(token, proven) for _ in range(20)])
            assert sorted(codes) == ["fine"] + ["proof-replayed"] * 19

    asyncio.run(story())


def test_headers_that_say_nothing_too_much_or_something_else(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key, me = vault.key(), f"{vault.origin}/v1/me"
            token = await token_of(city, CLERK, key)
            good = ("DPoP", key.proof("GET", me, token))
            for headers, code in (
                ([], "token-missing"),
                ([good], "token-missing"),
                ([("Authorization", f"Bearer {token}")], "token-missing"),
                ([("Authorization", f"Bearer {token}"), good], "token-missing"),
                ([("Authorization", f"DPoP {token}"), ("Authorization", f"DPoP {token}"), good], "token-missing"),
                ([("Authorization", f"DPoP {token}")], "proof-missing"),
                ([("Authorization", f"DPoP {token}"), good, good], "proof-missing"),
                ([("Authorization", "DPoP"), good], "token-malformed"),
                ([("Authorization", "DPoP a.b.c"), good], "token-malformed"),
            ):
                status, said, challenge = await vault.get("/v1/me", list(headers))
                assert (status, said) == (401, {"code": code}), headers
                assert challenge.startswith("DPoP ")
                assert 'algs="ES256 Ed25519 EdDSA PS256 RS256"' in challenge
                assert ("error=" in challenge) == (code != "token-missing")

    asyncio.run(story())


def test_a_rotated_key_is_fetched_and_a_withdrawn_or_unpinned_one_is_not_believed(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key, me = vault.key(), f"{vault.origin}/v1/me"
            old = await token_of(city, CLERK, key)
            assert await vault.code(old, key.proof("GET", me, old)) == "fine"

            city.use(("second", SECOND), ("first", FIRST))
            new = await token_of(city, CLERK, key)
            # Unknown keys are not a way to have the provider asked without end.
            assert await vault.code(new, key.proof("GET", me, new)) == "token-key"
            vault.ahead += keyring.PAUSE
            assert await vault.code(new, key.proof("GET", me, new)) == "fine"
            assert await vault.code(old, key.proof("GET", me, old)) == "fine"

            city.use(("third", THIRD), ("second", SECOND))
            vault.ahead += keyring.PAUSE
            unpinned = await token_of(city, CLERK, key)
            assert await vault.code(unpinned, key.proof("GET", me, unpinned)) == "token-key"
            # That asked the provider again, which has withdrawn the first key meanwhile.
            assert await vault.code(new, key.proof("GET", me, new)) == "fine"
            assert await vault.code(old, key.proof("GET", me, old)) == "token-key"

    asyncio.run(story())


def test_another_issuer_s_token_is_refused_though_it_is_of_the_same_make(city: Oidc, town: World) -> None:
    async def story() -> None:
        with oidc.running(AUDIENCE, [CLERK], ("first", FIRST)) as other:
            async with house.opened(town) as vault:
                assert await tried(vault, other) == "token-issuer"

    asyncio.run(story())


def test_a_charter_that_names_another_provider_ends_the_first_one_s_tokens(city: Oidc, town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key, me = vault.key(), f"{vault.origin}/v1/me"
            token = await token_of(city, CLERK, key)
            assert await vault.code(token, key.proof("GET", me, token)) == "fine"
            house.name_providers(town, city=forge.provider(THIRD, issuer=city.issuer, audience=AUDIENCE))
            vault.ahead += 2
            assert await vault.code(token, key.proof("GET", me, token)) == "token-key"
            house.name_providers(town)
            vault.ahead += 2
            assert await vault.code(token, key.proof("GET", me, token)) == "token-issuer"

    asyncio.run(story())


def test_a_provider_that_is_down_leaves_its_keys_good_for_an_hour(town: World) -> None:
    async def story() -> None:
        with oidc.running(AUDIENCE, [CLERK], ("first", FIRST)) as city:
            house.name_providers(town, city=forge.provider(FIRST, issuer=city.issuer, audience=AUDIENCE))
            async with house.opened(town) as vault:
                # Tokens of five minutes cannot show an hour: the token is made for the end of it.
                key, me = vault.key(), f"{vault.origin}/v1/me"
                token = await token_of(city, CLERK, key)
                assert await vault.code(token, key.proof("GET", me, token)) == "fine"
                city.stop()
                fetched = vault.clock()
                vault.ahead = keyring.FRESH - 10
                assert await vault.code(token, key.proof("GET", me, token)) == "fine"
                late = _made_later(city, key, fetched + keyring.GOOD)
                vault.ahead = keyring.GOOD - 10
                assert await vault.code(late, key.proof("GET", me, late)) == "fine"
                vault.ahead = keyring.GOOD + 1
                assert await vault.code(late, key.proof("GET", me, late)) == "provider"
                unseen = _made_later(city, key, fetched + keyring.GOOD, "another")
                assert await vault.code(unseen, key.proof("GET", me, unseen)) == "provider"

    asyncio.run(story())


def _made_later(city: Oidc, key: ProofKey, now: int, subject: str = "desk-4", by: Signer = FIRST) -> str:
    """What the provider would give then."""
    said = {"iss": city.issuer, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 300}
    return forge.token(by, key.thumbprint, {"kid": "first"}, **said)


def test_in_development_nobody_is_asked(town: World) -> None:
    async def story() -> None:
        async with house.opened(town, development=True) as vault:
            status, said, _ = await vault.get("/v1/me?asks_as=ana", {})
            assert (status, said["how"]) == (200, ANYBODY.how)

    asyncio.run(story())
