"""Passkeys, for small rooms: people log in with what unlocks their own device (W3C Web Authentication, by ``webauthn``).

Who was given a one-time code on the vault's own machine puts a passkey on their line of the roster, and from then on
comes in by it alone. The device key still signs every ask.

No state but what the store keeps and what was used lately: a challenge carries its own date, and a mark by which we know it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import structs
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from strongroom.service.identity import credentials, jose
from strongroom.service.identity.caller import refuse
from strongroom.service.identity.credentials import Notes
from strongroom.service.identity.once import Once

CHALLENGE_LIFE = 120
_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_PORTS = {"http": ":80", "https": ":443"}


class Ceremonies:
    """``address``: the vault's as browsers know it. Passkeys are bound to its host."""

    def __init__(self, address: str, since: int, random: Callable[[int], bytes]) -> None:
        self._origin, self._host, self._random = web_origin(address), urlsplit(address).hostname or "", random
        self._secret = random(32)
        self._used = Once(since, random, most=1 << 16)

    def offer(self, notes: Notes, reader: bytes, code: str, now: int) -> str:
        """What ``navigator.credentials.create`` wants (PublicKeyCredentialCreationOptionsJSON), for who has the code. Raises
        ``IdentityRefused`` (``passkey-code``)."""
        credentials.check_code(notes, reader, code, now)
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name="Strongroom",
            user_id=reader,
            user_name=reader.hex(),  # the roster has no names
            challenge=self._challenge("create", reader, now),
            timeout=CHALLENGE_LIFE * 1000,
            exclude_credentials=[
                structs.PublicKeyCredentialDescriptor(id=one.id) for one in credentials.of(notes, reader)
            ],
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            supported_pub_key_algs=_ALGORITHMS,
        )
        return webauthn.options_to_json(options)

    def enrol(self, notes: Notes, reader: bytes, code: str, answer: Any, now: int) -> bytes:
        """Keep the passkey that was made for ``offer``, and use up the code. Returns its id. Raises ``IdentityRefused``."""
        known = credentials.of(notes, reader)
        credentials.check_code(notes, reader, code, now)
        challenge = self._check_challenge(answer, "create", reader, now)
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
                supported_pub_key_algs=_ALGORITHMS,
            )
        except Exception:  # noqa: BLE001 - whatever its decoders raise on hostile bytes is one refusal
            refuse("passkey")
        new = credentials.Credential(id=made.credential_id, public=made.credential_public_key, count=made.sign_count)
        credentials.add(notes, reader, known, new)
        return made.credential_id

    def ask(self, now: int) -> str:
        """What ``navigator.credentials.get`` wants (PublicKeyCredentialRequestOptionsJSON). It names nobody: whose passkey it is
        the answer says."""
        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=self._challenge("get", b"", now),
            timeout=CHALLENGE_LIFE * 1000,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def login(self, notes: Notes, answer: Any, now: int) -> bytes:
        """The reader (16 bytes) whose passkey answered ``ask``. Raises ``IdentityRefused``."""
        challenge = self._check_challenge(answer, "get", b"", now)
        reader = _bytes_in(answer, "response", "userHandle")
        id = _bytes_in(answer, "rawId")
        one = next((one for one in credentials.of(notes, reader) if one.id == id), None)
        if one is None:
            refuse("passkey")
        try:
            found = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=one.public,
                credential_current_sign_count=0,  # ``credentials.count`` looks at it
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - whatever its decoders raise on hostile bytes is one refusal
            refuse("passkey")
        expires = int.from_bytes(challenge[:4], "big")
        if not self._used.use(challenge.hex(), expires - CHALLENGE_LIFE, expires, now):
            refuse("passkey-challenge")
        credentials.count(notes, reader, one, found.new_sign_count)
        return reader

    def _challenge(self, kind: str, reader: bytes, now: int) -> bytes:
        open_ = (now + CHALLENGE_LIFE).to_bytes(4, "big") + self._random(12)
        return open_ + self._mark(kind, reader, open_)

    def _mark(self, kind: str, reader: bytes, open_: bytes) -> bytes:
        return hmac.digest(self._secret, kind.encode() + b"\0" + reader + open_, "sha256")[:16]

    def _check_challenge(self, answer: Any, kind: str, reader: bytes, now: int) -> bytes:
        """The challenge that ``answer`` says it is to: ours, for this, and not too old. That it is signed is for later."""
        try:
            said = msgspec.json.decode(_bytes_in(answer, "response", "clientDataJSON"))
        except (ValueError, RecursionError):
            refuse("passkey")
        found = _bytes_in(said, "challenge")
        if (
            len(found) != 32
            or not hmac.compare_digest(found[16:], self._mark(kind, reader, found[:16]))
            or int.from_bytes(found[:4], "big") < now
        ):
            refuse("passkey-challenge")
        return found


def web_origin(address: str) -> str:
    """Scheme, host and port as browsers write them (RFC 6454 section 6.1)."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(_PORTS[parts.scheme])}"


def _bytes_in(value: Any, *path: str) -> bytes:
    for member in path:
        value = value.get(member) if isinstance(value, dict) else None
    try:
        return jose.unbase64(value) if isinstance(value, str) else refuse("passkey")
    except ValueError:
        refuse("passkey")
