"""Logging in, where the room gives its own tokens (SPEC.md section 10.3)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from strongroom.api.base import Answer, Count, Request

Reader = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{32}$", min_length=32, max_length=32, description="A reader of the roster: 32 hex digits."
    ),
]
Code = Annotated[
    str, msgspec.Meta(max_length=40, description="The one-time code, as strongroom reader passkey printed it.")
]


class Token(Answer):
    """An access token (RFC 6749 section 5.1), bound to the key of the proof that came with the request (RFC 9449)."""

    access_token: str
    token_type: str
    expires_in: Count


class Resource(Answer):
    """Who gives tokens for this room, and how they are bound (RFC 9728)."""

    resource: str
    authorization_servers: list[str]
    dpop_bound_access_tokens_required: bool
    dpop_signing_alg_values_supported: list[str]


class Server(Answer):
    """How the room gives its own (RFC 8414)."""

    issuer: str
    token_endpoint: str
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    dpop_signing_alg_values_supported: list[str]


class PasskeyOffer(Request):
    """Asks for what ``navigator.credentials.create`` wants."""

    reader: Reader
    code: Code


class PasskeyEnrolment(Request):
    """``credential``: what ``navigator.credentials.create`` gave, as its ``toJSON`` writes it."""

    reader: Reader
    code: Code
    credential: dict[str, Any]


class Enrolled(Answer):
    """``passkey``: the credential's id in hex."""

    passkey: str
