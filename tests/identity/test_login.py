"""Rooms without a provider (service/identity/login.py): tokens of the vault's own, to a device or to a passkey, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from typing import Any

import pytest
from tests.identity import forge, house
from tests.identity.authenticator import PRESENT, Authenticator
from tests.identity.house import House
from tests.world import World

from strongroom.client.login import token_request
from strongroom.custody import ceremony, readers
from strongroom.service.identity import credentials, issuer, passkey
from strongroom.service.identity.login import PASSKEY

TOKEN = "/v1/token"


def test_a_device_gets_a_token_that_is_good_for_its_own_asks(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            key, me = vault.key(), f"{vault.origin}/v1/me"
            status, said = await vault.log_in("ana", key)
            assert (status, said["token_type"], said["expires_in"]) == (200, "DPoP", 600)
            token = said["access_token"]

            async def as_(name: str) -> tuple[int, Any]:
                headers = {"Authorization": f"DPoP {token}", "DPoP": key.proof("GET", me, token)}
                status, said, _ = await vault.get(f"/v1/me?asks_as={name}", headers)
                return status, said

            status, said = await as_("ana")
            assert (status, said["role"], said["how"]) == (200, "clerk", "device")
            assert said["reader"] == town.key_of("ana").reader.hex()
            assert await as_("rui") == (403, {"code": "identity"})
            # A colleague of the same role and unit is another reader all the same.
            _add(town, "bea", "clerk", "registry")
            vault.ahead += 2
            assert await as_("bea") == (403, {"code": "identity"})
            vault.ahead += issuer.LIFE + 60
            assert (await as_("ana"))[1] == {"code": "token-expired"}

    asyncio.run(story())


def _add(town: World, name: str, role: str, unit: str) -> None:
    town.room.sync()
    steward = ceremony.load_steward(town.root / "steward" / "steward.key")
    readers.add(town.room, steward, town.root / "people" / f"{name}.device", name, role, unit, os.urandom)


def test_a_token_of_a_vault_that_was_started_again_is_good_no_more(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as before, house.opened(town) as after:
            key = before.key()
            token = (await before.log_in("ana", key))[1]["access_token"]
            after.door.issuer.provider = before.door.issuer.provider  # the same address, other keys
            after.door._own = {"": before.door.issuer.provider}
            assert await before.code(token, key.proof("GET", f"{before.origin}/v1/me", token)) == "fine"
            assert await after.code(token, key.proof("GET", f"{after.origin}/v1/me", token)) == "token-signature"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("grant", {"grant_type": "password"}),
        ("grant", {"grant_type": None}),
        ("grant", {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}),
        ("assertion-malformed", {"client_assertion": None}),
        ("assertion-malformed", {"client_assertion": "a.b.c"}),
        ("passkey", {"grant_type": PASSKEY}),
        ("passkey", {"grant_type": PASSKEY, "assertion": "[]"}),
        ("passkey", {"grant_type": PASSKEY, "assertion": "[" * 15_000}),
        ("passkey", {"grant_type": PASSKEY, "assertion": '{"response":{"clientDataJSON":"bnVsbA"}}'}),
    ],
)
def test_a_request_for_a_token_that_is_none(town: World, code: str, change: dict[str, str | None]) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            endpoint = vault.origin + TOKEN
            form: dict[str, Any] = token_request(town.key_of("ana"), endpoint, os.urandom, vault.clock())
            form = {name: value for name, value in {**form, **change}.items() if value is not None}
            _, said = await vault.post(TOKEN, data=form, headers={"DPoP": vault.key().proof("POST", endpoint)})
            assert said == {"code": code}

    asyncio.run(story())


def test_assertions_and_proofs_are_good_once_and_bodies_are_forms(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            endpoint, key = vault.origin + TOKEN, vault.key()
            form = token_request(town.key_of("ana"), endpoint, os.urandom, vault.clock())

            async def post(proof: str | None, **content: Any) -> Any:
                headers = {"DPoP": proof} if proof else {}
                return (await vault.post(TOKEN, headers={**headers, **content.pop("headers", {})}, **content))[1]

            proof = key.proof("POST", endpoint)
            assert "access_token" in await post(proof, data=form)
            assert await post(proof, data=form) == {"code": "proof-replayed"}
            assert await post(key.proof("POST", endpoint), data=form) == {"code": "assertion-replayed"}
            assert await post(None, data=form) == {"code": "proof-missing"}
            assert await post(key.proof("GET", endpoint), data=form) == {"code": "proof-method"}
            form_type = {"Content-Type": "application/x-www-form-urlencoded"}
            for code, content in (
                ("media-type", {"json": form}),
                ("malformed", {"data": [*form.items(), ("grant_type", "client_credentials")]}),
                ("too-large", {"data": b"x" * 70_000, "headers": form_type}),
                ("malformed", {"data": b"\xff", "headers": form_type}),
            ):
                assert await post(key.proof("POST", endpoint), **content) == {"code": code}

    asyncio.run(story())


def test_clients_find_out_where_tokens_are_given(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            _, resource, _ = await vault.get("/.well-known/oauth-protected-resource", {})
            assert resource["authorization_servers"] == [resource["resource"]] == [vault.origin]
            _, server, _ = await vault.get("/.well-known/oauth-authorization-server", {})
            assert server["token_endpoint"] == vault.origin + TOKEN
            signer = forge.es256()
            house.name_providers(town, city=forge.provider(signer))
            vault.ahead += 2
            _, resource, _ = await vault.get("/.well-known/oauth-protected-resource", {})
            assert resource["authorization_servers"] == [forge.ISSUER]
            assert (await vault.get("/.well-known/oauth-authorization-server", {}))[1] == {"code": "grant"}

    asyncio.run(story())


# --- passkeys ---


class Desk:
    """A person at a browser: enrols and logs in with an authenticator."""

    def __init__(self, vault: House, name: str) -> None:
        self.vault, self.device = vault, vault.town.key_of(name)
        self.key = Authenticator(vault.origin)

    def draw(self) -> str:
        return credentials.draw_code(
            self.vault.town.room.store.notes, self.device.reader, self.vault.clock(), os.urandom
        )

    async def offer(self, code: str) -> tuple[int, Any]:
        return await self.vault.post("/v1/passkeys/offers", json={"reader": self.device.reader.hex(), "code": code})

    async def keep(self, code: str, made: Any) -> tuple[int, Any]:
        said = {"reader": self.device.reader.hex(), "code": code, "credential": made}
        return await self.vault.post("/v1/passkeys", json=said)

    async def enrol(self) -> tuple[int, Any]:
        code = self.draw()
        return await self.keep(code, self.key.create((await self.offer(code))[1]))

    async def challenge(self) -> Any:
        return (await self.vault.post("/v1/passkeys/challenges"))[1]

    async def log_in(self, answer: Any = None) -> Any:
        """The token, or the code of the refusal."""
        answer = answer or self.key.get(await self.challenge())
        proof = self.vault.key().proof("POST", self.vault.origin + TOKEN)
        form = {"grant_type": PASSKEY, "assertion": json.dumps(answer)}
        status, said = await self.vault.post(TOKEN, data=form, headers={"DPoP": proof})
        return said["access_token"] if status == 200 else said["code"]


def test_a_passkey_logs_in_and_from_then_on_it_alone(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            desk, key = Desk(vault, "ana"), vault.key()
            assert (await vault.log_in("ana", key))[0] == 200
            status, said = await desk.enrol()
            assert (status, said) == (201, {"passkey": desk.key.id.hex()})
            for _ in range(2):
                form = {"grant_type": PASSKEY, "assertion": json.dumps(desk.key.get(await desk.challenge()))}
                headers = {"DPoP": key.proof("POST", vault.origin + TOKEN)}
                status, said = await vault.post(TOKEN, data=form, headers=headers)
                token = said["access_token"]
                headers = {
                    "Authorization": f"DPoP {token}",
                    "DPoP": key.proof("GET", f"{vault.origin}/v1/me", token),
                }
                status, said, _ = await vault.get("/v1/me?asks_as=ana", headers)
                assert (status, said["how"], said["reader"]) == (200, "passkey", desk.device.reader.hex())
            # A stolen device key is not a way round it.
            assert await vault.log_in("ana", key) == (400, {"code": "grant"})
            assert credentials.forget(town.room.store.notes, desk.device.reader) == 1
            assert (await vault.log_in("ana", key))[0] == 200
            assert await desk.log_in() == "passkey"

    asyncio.run(story())


def test_a_code_is_one_reader_s_good_once_and_for_an_hour(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            ana, eva = Desk(vault, "ana"), Desk(vault, "eva")
            code = ana.draw()
            assert (await eva.offer(code))[1] == {"code": "passkey-code"}
            assert (await ana.offer("AAAAA-AAAAA-AAAAA-AAAAA"))[1] == {"code": "passkey-code"}
            status, options = await ana.offer(code.lower().replace("-", ""))
            assert status == 200
            assert options["authenticatorSelection"]["userVerification"] == "required"
            made = ana.key.create(options)
            assert (await eva.keep(code, made))[1] == {"code": "passkey-code"}
            # Two at once with one code: one passkey.
            other = Authenticator(vault.origin).create(options)
            both = await asyncio.gather(ana.keep(code, made), ana.keep(code, other))
            assert sorted(status for status, _ in both) == [201, 401]
            assert len(credentials.of(town.room.store.notes, ana.device.reader)) == 1
            late, later = eva.draw(), eva.draw()
            assert (await eva.offer(late))[1] == {"code": "passkey-code"}
            vault.ahead += credentials.CODE_LIFE + 1
            assert (await eva.offer(later))[1] == {"code": "passkey-code"}

    asyncio.run(story())


def test_an_enrolment_that_is_wrong_in_one_point_is_refused(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            ana, eva = Desk(vault, "ana"), Desk(vault, "eva")
            code = ana.draw()
            options = (await ana.offer(code))[1]
            good = ana.key.create(options)
            for code_of, made in (
                ("passkey", Authenticator("https://elsewhere.example").create(options)),
                ("passkey", replace(ana.key, flags=PRESENT).create(options)),
                ("passkey", Authenticator(vault.origin).create({**options, "rp": {"id": "elsewhere.example"}})),
                ("passkey", {**good, "id": "AAAA", "rawId": "AAAA"} | {"type": "password"}),
                ("passkey", {**good, "response": {**good["response"], "attestationObject": "oWNmbXQ"}}),
                ("passkey", {**good, "response": {**good["response"], "attestationObject": "_" * 4000}}),
                ("passkey", {}),
                ("passkey-challenge", ana.key.create({**options, "challenge": forge.base64url(os.urandom(32))})),
                ("passkey-challenge", ana.key.create({**options, "challenge": (await ana.challenge())["challenge"]})),
            ):
                assert (await ana.keep(code, made))[1] == {"code": code_of}
            # A challenge is for the reader it was given to.
            hers = eva.draw()
            assert (await eva.keep(hers, good))[1] == {"code": "passkey-challenge"}
            vault.ahead += passkey.CHALLENGE_LIFE + 1
            assert (await ana.keep(code, good))[1] == {"code": "passkey-challenge"}
            vault.ahead -= 10
            assert (await ana.keep(code, good))[0] == 201

    asyncio.run(story())


def test_a_login_that_is_wrong_in_one_point_is_refused(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            ana, eva = Desk(vault, "ana"), Desk(vault, "eva")
            await ana.enrol()
            await eva.enrol()
            answer = ana.key.get(await ana.challenge())
            assert "." in await ana.log_in(answer)
            assert await ana.log_in(answer) == "passkey-challenge"

            options = await ana.challenge()
            stranger = Authenticator(vault.origin, user=ana.device.reader)
            assert await ana.log_in(stranger.get(options)) == "passkey"
            assert await ana.log_in(replace(stranger, id=ana.key.id, count=9).get(options)) == "passkey"
            assert await ana.log_in(replace(ana.key, user=eva.device.reader).get(options)) == "passkey"
            assert await ana.log_in(replace(ana.key, flags=PRESENT).get(options)) == "passkey"
            assert await ana.log_in(replace(ana.key, origin="https://elsewhere.example").get(options)) == "passkey"
            assert await ana.log_in(ana.key.get({**options, "rpId": "elsewhere.example"})) == "passkey"
            enrolment = replace(ana.key).create({**options, "rp": {"id": "127.0.0.1"}, "user": {"id": ""}})
            assert await ana.log_in(enrolment) == "passkey"
            made_up = {**options, "challenge": forge.base64url(os.urandom(32))}
            assert await ana.log_in(ana.key.get(made_up)) == "passkey-challenge"
            late = ana.key.get(await ana.challenge())
            vault.ahead += passkey.CHALLENGE_LIFE + 1
            assert await ana.log_in(late) == "passkey-challenge"

    asyncio.run(story())


def test_a_copy_is_found_by_its_count_and_what_never_counts_is_taken(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            ana, eva = Desk(vault, "ana"), Desk(vault, "eva")
            await ana.enrol()
            copy = replace(ana.key)
            assert "." in await ana.log_in()
            assert "." in await ana.log_in()
            assert await ana.log_in(copy.get(await ana.challenge())) == "passkey-count"
            eva.key.counts = False
            await eva.enrol()
            assert "." in await eva.log_in()
            assert "." in await eva.log_in()

    asyncio.run(story())


def test_who_left_the_roster_logs_in_and_enrols_no_more(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            ana, eva, key = Desk(vault, "ana"), Desk(vault, "eva"), vault.key()
            await ana.enrol()
            code = eva.draw()
            made = eva.key.create((await eva.offer(code))[1])
            token = await ana.log_in()
            gone = {ana.device.public, eva.device.public}
            steward = ceremony.load_steward(town.root / "steward" / "steward.key")
            left = [line for line in ceremony.latest_roster(town.room) if line.key not in gone]
            ceremony.amend(town.room, steward, lambda old: old, left)
            vault.ahead += 2
            assert await ana.log_in() == "assertion-reader"
            assert (await eva.keep(code, made))[1] == {"code": "assertion-reader"}
            assert (await vault.log_in("eva", key))[1] == {"code": "assertion-reader"}
            assert await vault.code(token, key.proof("GET", f"{vault.origin}/v1/me", token)) == "identity"

    asyncio.run(story())


def test_a_room_with_a_provider_has_no_passkeys(town: World) -> None:
    async def story() -> None:
        async with house.opened(town) as vault:
            desk = Desk(vault, "ana")
            await desk.enrol()
            house.name_providers(town, city=forge.provider(forge.es256()))
            vault.ahead += 2
            assert await desk.challenge() == {"code": "grant"}
            assert (await desk.offer("AAAAA"))[1] == {"code": "grant"}

    asyncio.run(story())
