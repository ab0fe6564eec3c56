"""What the vault's front door costs a request: ``python -m bench.identity`` (docs/decisions/0032-who-calls.md).

Processor time of ``door.admit`` alone, in one process and in turn; in a server that does other things between, caches are colder.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from joserfc import jwk, jws

from strongroom.canonical import encode
from strongroom.catalog.model import Provider
from strongroom.service.identity import jose
from strongroom.service.identity.door import Door, Facts

ORIGIN = "https://records.example"
COUNT = 2000
KEYS = {"ES256": ("EC", "P-256"), "Ed25519": ("OKP", "Ed25519"), "RS256": ("RSA", 2048)}


def signed(algorithm: str, key: Any, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jws.serialize_compact({"alg": algorithm, **header}, encode(claims), key, algorithms=[algorithm])


def generated(algorithm: str) -> Any:
    kind, size = KEYS[algorithm]
    return jwk.generate_key(kind, size)  # type: ignore[call-overload]


def tokens(signer: Any, bound: str, count: int, now: int) -> list[str]:
    said = {
        "iss": "https://login.example",
        "aud": ORIGIN,
        "sub": "somebody",
        "iat": now,
        "exp": now + 3600,
        "role": "clerk",
        "unit": "registry",
        "cnf": {"jkt": bound},
    }
    return [signed("RS256", signer, {"typ": "at+jwt", "kid": "k1"}, {**said, "jti": str(at)}) for at in range(count)]


def proofs(algorithm: str, key: Any, of: Sequence[str], now: int) -> list[str]:
    head = {"typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    return [
        signed(
            algorithm,
            key,
            head,
            {
                "htm": "POST",
                "htu": f"{ORIGIN}/v1/finds",
                "iat": now,
                "jti": os.urandom(16).hex(),
                "ath": jose.digest(token),
            },
        )
        for token in of
    ]


async def admitted(door: Door, given: Sequence[str], proven: Sequence[str]) -> float:
    """Microseconds of one."""
    began = time.process_time()
    for token, proof in zip(given, proven, strict=True):
        await door.admit("POST", "/v1/finds", [f"DPoP {token}"], [proof])
    return (time.process_time() - began) / len(given) * 1e6


def verified(algorithm: str, key: Any) -> float:
    """The same of a signature alone."""
    public = jws.JWSRegistry.algorithms[algorithm]
    text = os.urandom(500)
    signature = public.sign(text, key)
    began = time.process_time()
    for _ in range(COUNT):
        assert public.verify(text, signature, key)
    return (time.process_time() - began) / COUNT * 1e6


async def main() -> None:
    signer = generated("RS256")
    public = jose.Key(jwk.import_key(signer.as_dict(private=False)), ("RS256",), signer.thumbprint())
    provider = Provider(
        issuer="https://login.example",
        audience=ORIGIN,
        keys=[jose.unbase64(public.thumbprint)],
        role="role",
        unit="unit",
    )
    print("key       token known   token new   signature alone   (us)")
    for algorithm in KEYS:
        now = int(time.time())
        run: Any = _facts(Facts(b"", {"city": provider}, {}))
        door = Door(ORIGIN, run, lambda now=now: now, os.urandom)  # type: ignore[misc]
        known = door.keyring._of(provider)  # noqa: SLF001 - there is no provider to ask
        known.keys, known.fetched = {"k1": public}, now
        key = generated(algorithm)
        new = tokens(signer, key.thumbprint(), COUNT, now)
        cold = await admitted(door, new, proofs(algorithm, key, new, now))
        same = new[-1:] * COUNT
        warm = await admitted(door, same, proofs(algorithm, key, same, now))
        print(f"{algorithm:8} {warm:12.0f} {cold:11.0f} {verified(algorithm, key):17.0f}")


def _facts(found: Facts) -> Callable[[Any], Any]:
    async def run(_: Any) -> Facts:
        return found

    return run


if __name__ == "__main__":
    asyncio.run(main())
