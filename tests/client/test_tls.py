"""A vault behind TLS: believed when its certificate is vouched for by who was named, and not spoken to otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.client.served import WHY, Resident, Served, serving
from tests.serving.certificates import Authority

from strongroom.client.memory import InMemory
from strongroom.errors import KeyholderUnavailable


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def behind_tls(served: Served, authority: Authority) -> Iterator[Served]:
    """A second vault process of the same room."""
    certificate, key = authority.sign("vault")
    config = authority.directory / "strongroom.toml"
    config.write_text(f'[vault]\ntls-certificate = "{certificate}"\ntls-key = "{key}"\n')
    with serving(served.root, "--config", str(config)) as found:
        yield replace(found, address=f"https://{found.address.partition('://')[2]}")


def test_both_rooms_by_the_authority_that_was_named(
    behind_tls: Served, authority: Authority, residents: list[Resident]
) -> None:
    person, ca = residents[0], authority.file
    with behind_tls.room("ana", InMemory(), ca_file=ca) as room:
        answer = room.disclose("residents", "confirm", [person.handle], ["name"], **WHY)
        (exported,) = room.export("residents", "extract", ["name"], 1, records=[person.handle], **WHY)

    async def asked() -> str | None:
        async with behind_tls.aroom("ana", InMemory(), ca_file=ca) as room:
            return (await room.disclose("residents", "confirm", [person.handle], ["name"], **WHY)).records[
                person.handle
            ]["name"]

    assert answer.records[person.handle]["name"] == asyncio.run(asked()) == person.values["name"]
    assert exported.records[person.handle]["name"] == person.values["name"]


def test_nobody_else_is_believed(behind_tls: Served, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").file
    for ca in (stranger, None):
        with (
            behind_tls.room("ana", InMemory(), ca_file=ca) as room,
            pytest.raises(KeyholderUnavailable, match="want ca_file="),
        ):
            room.charter()

    async def asked() -> None:
        async with behind_tls.aroom("ana", InMemory(), ca_file=stranger) as room:
            await room.charter()

    with pytest.raises(KeyholderUnavailable, match="want ca_file="):
        asyncio.run(asked())
