"""A service's login by its device key (service/identity/assertion.py)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.identity import forge
from tests.identity.forge import NOW, ORIGIN
from tests.identity.refusals import refused

from strongroom.catalog.model import RosterLine
from strongroom.client.device import Device
from strongroom.client.login import token_request
from strongroom.service.identity import assertion

ENDPOINT = f"{ORIGIN}/v1/token"
DEVICE = Device("nightly", Ed25519PrivateKey.generate())
SIGNER = forge.eddsa(DEVICE.key)
ROSTER = {DEVICE.reader: RosterLine(key=DEVICE.public, role="clerk", unit="registry")}


def check(text: str, now: int = NOW) -> assertion.Assertion:
    return assertion.verify(text, roster=ROSTER, audience=ENDPOINT, now=now)


def made(header: dict[str, Any] | None = None, **claims: Any) -> str:
    me = DEVICE.reader.hex()
    said = {"iss": me, "sub": me, "aud": ENDPOINT, "iat": NOW, "exp": NOW + 60, "jti": "one"}
    return SIGNER.compact(header or {}, {**said, **claims})


def test_an_assertion_holds_with_each_name_of_its_type() -> None:
    for typ in (None, "JWT", "client-authentication+jwt"):
        found = check(made({"typ": typ}))
        assert (found.reader, found.made, found.expires) == (DEVICE.reader, NOW, NOW + 60)


def test_the_client_s_own_assertions_hold_and_differ() -> None:
    drawn = iter(range(100))
    forms = [token_request(DEVICE, ENDPOINT, lambda count: bytes([next(drawn)] * count), NOW) for _ in range(2)]
    names = {check(form["client_assertion"]).name for form in forms}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("code", "header", "claims"),
    [
        ("assertion-audience", {}, {"aud": ORIGIN}),
        ("assertion-audience", {}, {"aud": "https://elsewhere.example/v1/token"}),
        ("assertion-malformed", {}, {"aud": [ENDPOINT]}),
        ("assertion-malformed", {}, {"iss": "0" * 32}),
        ("assertion-malformed", {}, {"jti": ""}),
        ("assertion-malformed", {}, {"iat": None}),
        ("assertion-malformed", {"typ": "dpop+jwt"}, {}),
        ("assertion-malformed", {"typ": "at+jwt"}, {}),
        ("assertion-malformed", {"alg": "none"}, {}),
        ("assertion-malformed", {"jwk": SIGNER.jwk}, {}),
        ("assertion-signature", {"alg": "ES256"}, {}),
        ("assertion-reader", {}, {"iss": "0" * 32, "sub": "0" * 32}),
        ("assertion-reader", {}, {"iss": DEVICE.reader.hex().upper(), "sub": DEVICE.reader.hex().upper()}),
        ("assertion-reader", {}, {"iss": "ana", "sub": "ana"}),
        ("assertion-time", {}, {"exp": NOW}),
        ("assertion-time", {}, {"exp": NOW + assertion.LIFE + 1}),
        ("assertion-time", {}, {"iat": NOW - assertion.LIFE - 1}),
        ("assertion-time", {}, {"iat": NOW + assertion.AHEAD + 1, "exp": NOW + 100}),
    ],
)
def test_an_assertion_that_is_wrong_in_one_point_is_refused(
    code: str, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    with refused(code):
        check(made(header, **claims))


def test_another_device_s_assertion_is_refused() -> None:
    other, me = forge.eddsa(), DEVICE.reader.hex()
    said = {"iss": me, "sub": me, "aud": ENDPOINT, "iat": NOW, "exp": NOW + 60, "jti": "one"}
    with refused("assertion-signature"):
        check(other.compact({}, said))
