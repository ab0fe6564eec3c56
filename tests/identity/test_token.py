"""Access tokens (service/identity/token.py), and which of a provider's keys may sign them (service/identity/jwks.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.identity import forge
from tests.identity.forge import ISSUER, NOW, Signer
from tests.identity.refusals import refused

from strongroom.errors import FormatError
from strongroom.service.identity import jwks, token
from strongroom.service.identity.caller import IdentityRefused

SIGNER = forge.rsa_("PS256")
JKT = forge.es256().jkt
PROVIDER = forge.provider(SIGNER)


def key_set(*signers: Signer, **more: Any) -> bytes:
    keys = [{**one.jwk, "kid": f"k{at}", **more} for at, one in enumerate(signers, 1)]
    return json.dumps({"keys": keys}).encode()


KEYS = jwks.pinned(key_set(SIGNER), PROVIDER)


def check(text: str, now: int = NOW) -> token.Verified:
    read = token.read(text)
    name = token.provider(read, {"city": PROVIDER})
    return token.verify(read, name, PROVIDER, KEYS[read.named], now)


def test_what_a_token_says() -> None:
    found = check(forge.token(SIGNER, JKT))
    assert (found.provider, found.subject, found.role, found.unit) == ("city", "somebody", "clerk", "registry")
    assert (found.bound, found.signer, found.expires) == (JKT, SIGNER.jkt, NOW + 300)


def test_lists_of_one_are_taken_as_many_providers_write_them() -> None:
    found = check(forge.token(SIGNER, JKT, aud=["urn:another", forge.ORIGIN], role=["clerk"]))
    assert found.role == "clerk"


def test_clocks_may_differ_a_little() -> None:
    text = forge.token(SIGNER, JKT, nbf=NOW)
    check(text, NOW + 300 + token.SKEW - 1)
    check(text, NOW - token.SKEW)
    with refused("token-expired"):
        check(text, NOW + 300 + token.SKEW)
    with refused("token-early"):
        check(text, NOW - token.SKEW - 1)


def none(_: Signer) -> str:
    return f"{forge.base64url(json.dumps({'alg': 'none', 'typ': 'at+jwt', 'kid': 'k1'}).encode())}.e30."


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("token-issuer", lambda by: forge.token(by, JKT, iss="https://login.example/")),
        ("token-audience", lambda by: forge.token(by, JKT, aud="https://other.example")),
        ("token-audience", lambda by: forge.token(by, JKT, aud=[])),
        ("token-early", lambda by: forge.token(by, JKT, nbf=NOW + 3600)),
        ("token-early", lambda by: forge.token(by, JKT, iat=NOW + 3600)),
        ("token-unbound", lambda by: forge.token(by, JKT, cnf=None)),
        ("token-unbound", lambda by: forge.token(by, "short")),
        ("token-claims", lambda by: forge.token(by, JKT, role=None)),
        ("token-claims", lambda by: forge.token(by, JKT, role=["clerk", "judge"])),
        ("token-claims", lambda by: forge.token(by, JKT, unit={"name": "registry"})),
        ("token-claims", lambda by: forge.token(by, JKT, unit="")),
        ("token-signature", lambda _: forge.token(forge.rsa_("PS256"), JKT)),
        ("token-signature", lambda by: forge.token(by, JKT, {"alg": "RS256"})),
        ("token-signature", lambda by: forge.token(by, JKT, {"alg": "ES256"})),
        ("token-malformed", none),
        ("token-malformed", lambda by: forge.token(by, JKT, {"alg": "HS256"})),
        ("token-malformed", lambda by: forge.token(by, JKT, {"typ": "JWT"})),
        ("token-malformed", lambda by: forge.token(by, JKT, {"kid": None})),
        ("token-malformed", lambda by: forge.token(by, JKT, {"kid": 1})),
        ("token-malformed", lambda by: forge.token(by, JKT, {"jwk": by.jwk})),
        ("token-malformed", lambda by: forge.token(by, JKT, {"crit": ["exp"]})),
        ("token-malformed", lambda by: forge.token(by, JKT, {"x5u": "https://elsewhere.example/"})),
        ("token-malformed", lambda by: forge.token(by, JKT, exp=None)),
        ("token-malformed", lambda by: forge.token(by, JKT, exp="never")),
        ("token-malformed", lambda by: by.compact({"typ": "at+jwt", "kid": "k1"}, [])),
        ("token-malformed", lambda by: forge.token(by, JKT, pad="x" * token.MOST)),
        ("token-malformed", lambda by: forge.token(by, JKT) + ".e30"),
    ],
)
def test_a_token_of_another_form_or_making_is_refused(code: str, make: Callable[[Signer], str]) -> None:
    with refused(code):
        check(make(SIGNER))


@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=4))
def test_a_token_changed_anywhere_is_refused(at: int, by: bytes) -> None:
    text = forge.token(SIGNER, JKT).encode()
    place = at % len(text)
    other = text[:place] + by + text[place + len(by) :]
    if other == text:
        return
    with pytest.raises((IdentityRefused, KeyError)):  # a key that nobody has: the keyring's to refuse
        check(other.decode("latin-1"))


# --- a provider's keys ---


def test_only_pinned_keys_are_taken() -> None:
    other = forge.es256()
    assert list(jwks.pinned(key_set(other, SIGNER), PROVIDER)) == ["k2"]
    assert jwks.pinned(key_set(other), PROVIDER) == {}


def test_keys_of_other_kinds_are_passed_over() -> None:
    strange: list[Any] = [
        forge.es256(ec.SECP384R1).jwk,
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA"},
        [],
        None,
        SIGNER.private,
    ]
    document = json.dumps({"keys": [*strange, {**SIGNER.jwk, "kid": "k"}]}).encode()
    assert list(jwks.pinned(document, PROVIDER)) == ["k"]


def test_a_key_to_encrypt_to_or_for_another_algorithm_signs_nothing() -> None:
    assert jwks.pinned(key_set(SIGNER, use="enc"), PROVIDER) == {}
    assert jwks.pinned(key_set(SIGNER, alg="RSA-OAEP"), PROVIDER) == {}
    key = jwks.pinned(key_set(SIGNER, alg="RS256"), PROVIDER)["k1"]
    read = token.read(forge.token(SIGNER, JKT))
    with refused("token-signature"):
        token.verify(read, "city", PROVIDER, key, NOW)


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b'{"keys": 1}', b"[" * 100_000, json.dumps({"keys": [{}] * 101}).encode()],
    ids=["empty", "list", "number", "deep", "many"],
)
def test_what_is_no_set_of_keys_is_refused(document: bytes) -> None:
    with pytest.raises(FormatError):
        jwks.pinned(document, PROVIDER)


def test_two_pinned_keys_under_one_name_are_refused() -> None:
    other = forge.es256()
    with pytest.raises(FormatError, match="two keys"):
        jwks.pinned(key_set(SIGNER, other, kid="same"), forge.provider(SIGNER, other))


def discovered(issuer: str, **members: Any) -> str:
    return jwks.where(json.dumps({"issuer": issuer, **members}).encode(), issuer)


def test_keys_are_fetched_where_the_discovery_document_says() -> None:
    assert jwks.discovery("https://a.example/x/") == "https://a.example/x/.well-known/openid-configuration"
    assert discovered(ISSUER, jwks_uri="https://keys.example/set") == "https://keys.example/set"
    assert discovered("http://127.0.0.1:1", jwks_uri="http://127.0.0.1:1/set") == "http://127.0.0.1:1/set"


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example/set",
        "http://127.0.0.1/set",
        "file:///etc/passwd",
        "ftp://a/",
        "//a",
        "",
        "https://",
        "https://[",
    ],
)
def test_keys_are_fetched_from_nowhere_else(address: str) -> None:
    with pytest.raises(FormatError):
        discovered(ISSUER, jwks_uri=address)


@pytest.mark.parametrize("document", [b"", b"{}", b'{"issuer":"https://b.example","jwks_uri":"https://b.example/"}'])
def test_a_discovery_document_that_is_none_or_another_s_is_refused(document: bytes) -> None:
    with pytest.raises(FormatError):
        jwks.where(document, ISSUER)
