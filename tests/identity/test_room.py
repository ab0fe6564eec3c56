"""A whole room that asks who calls: keyholder and vault as processes of their own, a real provider, and the Python client before them."""

from __future__ import annotations

import asyncio
import http.client
import os
import pickle
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.identity import forge, house, oidc
from tests.identity.oidc import Client
from tests.identity.test_oidc import token_of
from tests.service.town import JSON, House, evidence, now
from tests.world import Person, World

from strongroom import Anchors, AsyncRoom, Room
from strongroom.api import writes
from strongroom.client import login
from strongroom.client.device import Asker, Device, load
from strongroom.client.handle import Handle
from strongroom.client.login import Login, ProofKey
from strongroom.custody import keys as vault_keys
from strongroom.custody.room import Room as CharterRoom
from strongroom.errors import Refused

AUDIENCE = "urn:riverton:records"
CLERK = Client("desk-4", forge.es256(), "clerk", "registry")
JUDGE = Client("court", forge.es256(), "judge", "court")
SIGNER = forge.es256()
WHY: Any = {"case": "case-17", "reason": "confirming an application for a passport"}


@dataclass
class Served:
    """A vault that lies beside no keyholder's keys, and so may run as in production."""

    root: Path
    vault: House
    origin: str

    @property
    def anchors(self) -> Anchors:
        known = vault_keys.load_room(self.root / "vault")
        return Anchors(genesis=known.genesis, log=known.log, room=vault_keys.load(self.root / "vault").room)

    def device(self, name: str) -> Device:
        return load(self.root / "people" / f"{name}.device")

    def room(self, name: str, headers: Any, state: Path) -> Room:
        return Room(self.origin, device=self.device(name), anchors=self.anchors, state=state, headers=headers)


@contextmanager
def serving(root: Path) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    origin = f"http://127.0.0.1:{port}"
    apart = root.parent / "vault-alone"
    for name in ("vault", "people", "public"):
        shutil.copytree(root / name, apart / name)
    (apart / "strongroom.toml").write_text(f'[identity]\norigin = "{origin}"\n[vault]\nport = {port}\nadmin-port = 0\n')
    with ExitStack() as ending:
        keyholder = House(root, "keyholder", "keyholder", "--development")
        ending.callback(keyholder.stop)
        known, address = apart / "vault" / "room.json", (root / "keyholder" / "address").read_text().strip()
        known.write_text(known.read_text().replace('"file:../keyholder"', f'"{address}"'))
        vault = House(apart, "vault", "serve")
        ending.callback(vault.stop)
        yield Served(apart, vault, origin)


@pytest.fixture
def root(peopled: Path, tmp_path: Path) -> Path:
    made = tmp_path / "whole"
    shutil.copytree(peopled, made)
    return made


@pytest.fixture
def people(peopled: Path) -> list[Person]:
    found: list[Person] = pickle.loads((peopled / "people.pickle").read_bytes())  # noqa: S301
    return found


@pytest.fixture
def own(root: Path) -> Iterator[Served]:
    """Its charter names no provider."""
    with serving(root) as served:
        yield served


def test_a_device_logs_in_reads_and_goes_on_after_the_vault_was_started_again(
    own: Served, people: list[Person], tmp_path: Path
) -> None:
    ana = login.by_device(own.origin, own.device("ana"))
    one = people[0]
    with own.room("ana", ana, tmp_path / "ana") as room:
        found = room.disclose("residents", "confirm", [one.handle], ["name"], **WHY)
        assert found.records[Handle(one.handle)]["name"] == one.values["name"]
        own.vault.stop()
        own.vault.start()
        found = room.disclose("residents", "confirm", [one.handle], ["name"], **WHY)
        assert found.records[Handle(one.handle)]["name"] == one.values["name"]

    async def again() -> None:
        async with AsyncRoom(
            own.origin, device=own.device("ana"), anchors=own.anchors, state=tmp_path / "again", headers=ana
        ) as room:
            await room.charter()

    asyncio.run(again())
    # Another reader's login is none for this device.
    rui = login.by_device(own.origin, own.device("rui"))
    with own.room("ana", rui, tmp_path / "rui") as room, pytest.raises(Refused, match=r"^identity"):
        room.disclose("residents", "confirm", [one.handle], ["name"], **WHY)
    with own.room("ana", lambda _, __: {}, tmp_path / "none") as room, pytest.raises(Refused, match=r"^token-missing"):
        room.disclose("residents", "confirm", [one.handle], ["name"], **WHY)


def test_an_answer_that_is_kept_is_for_who_may_bring_its_ask(own: Served) -> None:
    """Under an Idempotency-Key, and whoever else has the whole request."""
    known = vault_keys.load(own.root / "vault")
    ruling = known.room, CharterRoom(own.root / "vault").rules().enacted.hash
    signed = Asker(own.device("rui"), *ruling, os.urandom).intake(
        "residents", "register", 2, now() + 3600, WHY["case"], WHY["reason"], now()
    )
    records: list[dict[str, str | None]] = [{"id-number": "11010519491231002X", "name": "Zhuge"}]
    body = msgspec.json.encode(writes.Records(ask=evidence(signed), records=records))

    def post(name: str) -> tuple[int, Any]:
        address = f"{own.origin}/v1/records"
        proved = login.by_device(own.origin, own.device(name))("POST", address)
        headers = JSON | {"Idempotency-Key": "an-answer-that-is-kept-0001"} | dict(proved)
        line = http.client.HTTPConnection(own.vault.host, own.vault.port, timeout=30)
        line.request("POST", "/v1/records", body, headers)
        answer = line.getresponse()
        found = answer.status, msgspec.json.decode(answer.read())
        line.close()
        return found

    status, first = post("rui")
    assert status == 201, first
    assert post("rui") == (201, first)
    status, problem = post("ana")
    assert (status, problem["code"]) == (403, "identity")


def test_the_provider_s_clerk_reads_and_others_are_turned_away_before_anything_is_spent(
    root: Path, people: list[Person], tmp_path: Path
) -> None:
    with oidc.running(AUDIENCE, [CLERK, JUDGE], ("k1", SIGNER)) as city:
        town = World(root)
        house.name_providers(town, city=forge.provider(SIGNER, issuer=city.issuer, audience=AUDIENCE))
        town.close()

        def by(client: Client) -> Login:
            def ask(key: ProofKey) -> tuple[str, float]:
                return asyncio.run(token_of(city, client, key)), 300.0

            return Login(ask)

        one = people[0]
        with serving(root) as served:
            clerk = served.room("ana", by(CLERK), tmp_path / "clerk")
            judge = served.room("ana", by(JUDGE), tmp_path / "judge")
            with clerk, judge:
                before = clerk.budgets("residents", "confirm")
                for ask in (
                    lambda: judge.disclose("residents", "confirm", [one.handle], ["name"], **WHY),
                    lambda: judge.budgets("residents", "confirm"),
                ):
                    with pytest.raises(Refused, match=r"^identity"):
                        ask()
                assert clerk.budgets("residents", "confirm").budgets == before.budgets
                found = clerk.disclose("residents", "confirm", [one.handle], ["name"], **WHY)
                assert found.records[Handle(one.handle)]["name"] == one.values["name"]
            with pytest.raises(Refused, match=r"^grant"):
                login.by_device(served.origin, served.device("ana"))("GET", served.origin)
            assert all(client.name not in served.vault.said() for client in (CLERK, JUDGE))


def test_what_is_public_and_what_is_not(own: Served) -> None:
    where = own.origin.removeprefix("http://")

    def get(path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(where, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("WWW-Authenticate", "")
        finally:
            connection.close()

    for path in ("/openapi.json", "/docs", "/ledger/checkpoint"):
        assert get(path)[0] in (200, 404), path
    for path in ("/v1/room", "/v1/charter", "/v1/charters", "/v1/entries", "/v1/retention", "/v1/receipts/0"):
        status, challenge = get(path)
        assert (status, challenge[:6]) == (401, "DPoP a"), path
