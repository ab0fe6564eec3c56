"""Proofs of possession (service/identity/proof.py): what holds, and what is refused with which code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.identity import forge
from tests.identity.forge import NOW, ORIGIN, Signer
from tests.identity.refusals import refused

from strongroom.client.login import ProofKey
from strongroom.service.identity import jose, proof
from strongroom.service.identity.caller import IdentityRefused

ADDRESS = f"{ORIGIN}/v1/budgets"
KEY = forge.es256()
TOKEN = "a.token.of-somebody"


def check(
    text: str,
    *,
    token: str | None = TOKEN,
    bound: str | None = KEY.jkt,
    address: str = ADDRESS,
    keys: proof.Keys | None = None,
) -> proof.Proof:
    return proof.verify(
        text,
        method="GET",
        address=address,
        token=jose.digest(token) if token else None,
        bound=bound,
        now=NOW,
        keys=keys or proof.Keys(),
    )


@pytest.mark.parametrize(
    "signer",
    [forge.es256(), forge.eddsa(), forge.eddsa(algorithm="Ed25519"), forge.rsa_("RS256"), forge.rsa_("PS256")],
    ids=lambda one: one.algorithm,
)
def test_a_proof_by_each_algorithm_holds(signer: Signer) -> None:
    found = check(forge.proof(signer, TOKEN), bound=signer.jkt)
    assert found.key == signer.jkt
    assert found.made == NOW


def test_the_client_s_own_proofs_hold() -> None:
    key = ProofKey(lambda count: b"\7" * count, lambda: float(NOW))
    assert check(key.proof("GET", ADDRESS, TOKEN), bound=key.thumbprint).key == key.thumbprint
    assert check(key.proof("GET", ADDRESS), token=None, bound=None).key == key.thumbprint


def test_addresses_are_compared_as_addresses() -> None:
    for htu in (f"{ADDRESS}?page=2", f"{ADDRESS}#top", "HTTPS://Records.Example:443/v1/budgets"):
        check(forge.proof(KEY, TOKEN, htu=htu))


@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("proof-method", {"htm": "POST"}),
        ("proof-method", {"htm": "get"}),
        ("proof-address", {"htu": f"{ORIGIN}/v1/finds"}),
        ("proof-address", {"htu": "https://elsewhere.example/v1/budgets"}),
        ("proof-address", {"htu": "http://records.example/v1/budgets"}),
        ("proof-address", {"htu": f"{ORIGIN}/v1/x/../budgets"}),
        ("proof-address", {"htu": "https://[/v1/budgets"}),
        ("proof-token", {"ath": forge.base64url(hashlib.sha256(b"another").digest())}),
        ("proof-token", {"ath": None}),
        ("proof-time", {"iat": NOW - proof.AGE - 1}),
        ("proof-time", {"iat": NOW + proof.AHEAD + 1}),
        ("proof-malformed", {"iat": str(NOW)}),
        ("proof-malformed", {"iat": None}),
        ("proof-malformed", {"jti": None}),
        ("proof-malformed", {"jti": ""}),
        ("proof-malformed", {"jti": "j" * 201}),
    ],
)
def test_a_proof_for_something_else_is_refused(code: str, claims: dict[str, Any]) -> None:
    with refused(code):
        check(forge.proof(KEY, TOKEN, **claims))


def none(_: Signer) -> str:
    head = json.dumps({"alg": "none", "typ": "dpop+jwt", "jwk": KEY.jwk}).encode()
    return f"{forge.base64url(head)}.{forge.proof(KEY, TOKEN).split('.')[1]}."


def shared(_: Signer) -> str:
    secret = Signer("HS256", KEY.jwk, lambda data: hashlib.sha256(data).digest(), {})
    return forge.proof(secret, TOKEN)


def changed(signer: Signer) -> str:
    head, _, signature = forge.proof(signer, TOKEN).split(".")
    return f"{head}.{forge.base64url(json.dumps({'htm': 'GET'}).encode())}.{signature}"


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("proof-malformed", none),
        ("proof-malformed", shared),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"typ": "at+jwt"})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"typ": None})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": None})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": key.private})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": {"kty": "oct", "k": "AAAA"}})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": {**key.jwk, "x": key.jwk["y"]}})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": {**key.jwk, "x": key.jwk["x"] + "="}})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": {**key.jwk, "alg": "RS256"}})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jwk": {**key.jwk, "use": "enc"}})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"crit": ["exp"], "exp": NOW})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"b64": False})),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, {"jku": "https://elsewhere.example/keys"})),
        ("proof-malformed", lambda _: forge.proof(forge.es256(ec.SECP384R1), TOKEN)),
        ("proof-malformed", lambda _: forge.proof(forge.rsa_(bits=1024), TOKEN)),
        ("proof-malformed", lambda _: forge.proof(forge.rsa_(exponent=3), TOKEN)),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN) + "=="),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN).rpartition(".")[0]),
        ("proof-malformed", lambda key: forge.proof(key, TOKEN, pad="x" * proof.MOST)),
        ("proof-key", lambda _: forge.proof(forge.es256(), TOKEN)),
        ("proof-signature", changed),
        ("proof-signature", lambda key: forge.proof(forge.eddsa(), TOKEN, {"alg": "ES256", "jwk": key.jwk})),
        ("proof-signature", lambda key: forge.proof(key, TOKEN, {"alg": "EdDSA"})),
    ],
)
def test_a_proof_of_another_form_or_key_is_refused(code: str, make: Callable[[Signer], str]) -> None:
    with refused(code):
        check(make(KEY))


def test_keys_whose_proofs_held_are_remembered_within_bounds() -> None:
    keys = proof.Keys(most=2)
    texts = [forge.proof(one) for one in (forge.eddsa(), forge.eddsa(), forge.eddsa())]
    heads = [text.split(".")[0] for text in texts]
    check(texts[0], token=None, bound=None, keys=keys)
    first = keys.of(heads[0])
    assert keys.of(heads[0]) is first
    for text in texts:
        check(text, token=None, bound=None, keys=keys)
    assert keys.of(heads[0]) is not first
    assert keys.of(heads[2]) is keys.of(heads[2])


def test_what_costs_nothing_to_write_is_not_remembered() -> None:
    """Whoever has no token yet may send proofs too: one that does not hold, or a header of their own length, leaves nothing."""
    keys = proof.Keys()
    padded = forge.proof(KEY, header={"pad": "x" * 1500})
    check(padded, token=None, bound=None, keys=keys)
    for text in (changed(KEY), padded):
        with suppress(IdentityRefused):
            check(text, token=None, bound=None, keys=keys)
        head = text.split(".")[0]
        assert keys.of(head) is not keys.of(head)


@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=4))
def test_a_proof_changed_anywhere_is_refused(at: int, by: bytes) -> None:
    text = forge.proof(KEY, TOKEN).encode()
    place = at % len(text)
    other = text[:place] + by + text[place + len(by) :]
    if other == text:
        return
    with pytest.raises(IdentityRefused):
        check(other.decode("latin-1"))
