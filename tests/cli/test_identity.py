"""What the command line does for the vault's front door: codes for passkeys, a provider's keys to be pinned."""

from __future__ import annotations

import json
import time

from tests.cli.session import Session
from tests.identity import forge, oidc

from strongroom.client import device
from strongroom.custody.room import Room
from strongroom.service.identity import credentials
from strongroom.service.identity.credentials import Credential


def test_a_code_for_a_passkey_and_the_end_of_passkeys(alone: Session) -> None:
    reader = device.load(alone.room / "people" / "ana.device").reader
    ran = alone.run("reader", "passkey", "ana", "--json")
    assert ran.code == 0, ran.err
    code = json.loads(ran.out)["code"]
    shown = alone.run("reader", "passkey", reader.hex())
    assert "ana" not in shown.out
    assert code not in shown.out
    again = next(line.split()[1] for line in shown.out.splitlines() if line.startswith("code"))
    room = Room(alone.room / "vault")
    try:
        notes, now = room.store.notes, int(time.time())
        credentials.check_code(notes, reader, again, now)
        kept = b"".join(path.read_bytes() for path in (alone.room / "vault").glob("vault.db*"))
        assert f"passkey-code:{reader.hex()}".encode() in kept
        assert not any(word.replace("-", "").encode() in kept.replace(b"-", b"") for word in (code, again))
        credentials.add(notes, reader, [], Credential(id=b"1", public=b"2", count=0))
        ran = alone.run("reader", "passkey", "ana", "--forget")
        assert "1 passkey of ana forgotten" in ran.out
        assert credentials.of(notes, reader) == []
    finally:
        room.close()


def test_nobody_of_another_roster_gets_a_code(alone: Session) -> None:
    device.create(alone.room / "people" / "stranger.device", "stranger", lambda count: b"\5" * count)
    for name in ("stranger", "0" * 32, "nobody", "../ana"):
        ran = alone.run("reader", "passkey", name)
        assert ran.code == 1
        assert "Traceback" not in ran.err
        assert ran.out == ""


def test_a_provider_s_keys_are_shown_as_a_charter_pins_them(alone: Session) -> None:
    first, second = forge.es256(), forge.rsa_("PS256")
    with oidc.running("urn:x", [], ("first", first), ("second", second)) as city:
        ran = alone.run("charter", "provider", city.issuer, "--json")
        assert ran.code == 0, ran.err
        assert [(key["kid"], key["thumbprint"]) for key in json.loads(ran.out)["keys"]] == [
            ("first", first.jkt),
            ("second", second.jkt),
        ]
        assert second.jkt in alone.run("charter", "provider", city.issuer).out
    ran = alone.run("charter", "provider", city.issuer)
    assert (ran.code, ran.out) == (1, "")
    assert "its keys cannot be had" in ran.err
    assert "https://" in alone.run("charter", "provider", "ftp://login.example").err
