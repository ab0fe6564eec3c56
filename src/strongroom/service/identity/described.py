"""The routes of ``endpoints`` as the OpenAPI document has them, beside those of the table (SPEC.md section 10.1)."""

from __future__ import annotations

from typing import Any

from strongroom.api import identity as api
from strongroom.api.problem import MEDIA_TYPE
from strongroom.service.identity import login
from strongroom.service.identity.caller import CODES
from strongroom.service.identity.endpoints import FORM, JSON, RESOURCE_PATH, SERVER_PATH
from strongroom.service.identity.jose import ALGORITHMS

KINDS = (api.Token, api.PasskeyOffer, api.PasskeyEnrolment, api.Enrolled, api.Resource, api.Server)
_BASE = "https://records.example"
_RESOURCE = {
    "resource": _BASE,
    "authorization_servers": [_BASE],
    "dpop_bound_access_tokens_required": True,
    "dpop_signing_alg_values_supported": list(ALGORITHMS),
}
_SERVER = {
    "issuer": _BASE,
    "token_endpoint": f"{_BASE}{login.TOKEN_PATH}",
    "response_types_supported": [],
    "grant_types_supported": [login.CLIENT_CREDENTIALS, login.PASSKEY],
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "Ed25519"],
    "dpop_signing_alg_values_supported": list(ALGORITHMS),
}
_READER = "9b0d3e5a7c2148f6a1b2c3d4e5f60718"
_CODE = "7ZK4Q-0M2XT-9B8HA-VC3RD"
_OBJECT = {"type": "object"}
_EVERY = {400: ["malformed"], 503: ["busy"], 500: ["defect"]}
_OF_BODY = {408: ["timeout"], 413: ["too-large"], 415: ["media-type"]}
_TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": [login.CLIENT_CREDENTIALS, login.PASSKEY]},
        "client_assertion_type": {"type": "string", "enum": [login.JWT_BEARER]},
        "client_assertion": {"type": "string", "description": "A JWT signed by the reader's device (RFC 7523)."},
        "assertion": {"type": "string", "description": "What navigator.credentials.get gave, as JSON."},
    },
}
_PROOF = {
    "name": "DPoP",
    "in": "header",
    "required": True,
    "description": "Proof of the key that the token is to be bound to (RFC 9449).",
    "schema": {"type": "string"},
}


def paths() -> dict[str, Any]:
    """Path -> item. Schemas are named as those of ``KINDS`` are."""
    form = {
        "grant_type": login.CLIENT_CREDENTIALS,
        "client_assertion_type": login.JWT_BEARER,
        "client_assertion": "...",
    }
    offer = {"reader": _READER, "code": _CODE}
    token = {"access_token": "...", "token_type": "DPoP", "expires_in": 600}
    challenge = {"challenge": "...", "rpId": "records.example", "userVerification": "required"}
    return {
        login.TOKEN_PATH: _item(
            "token",
            "A token of the vault's own, for a device or a passkey; where the charter names a provider, that gives them.",
            ("proof-", "assertion-", "passkey", "grant"),
            (FORM, _TOKEN_FORM, form),
            (200, _ref("Token"), token),
            [_PROOF],
        ),
        "/v1/passkeys/offers": _item(
            "offerPasskey",
            "What a browser makes a passkey from, for who has a reader's one-time code.",
            ("passkey-code", "grant"),
            (JSON, _ref("PasskeyOffer"), offer),
            (200, _OBJECT, {"rp": {"id": "records.example", "name": "Strongroom"}, "challenge": "..."}),
        ),
        "/v1/passkeys": _item(
            "enrolPasskey",
            "Keep the passkey that was made, and use up the code.",
            ("passkey", "assertion-reader", "grant"),
            (JSON, _ref("PasskeyEnrolment"), offer | {"credential": {"id": "...", "type": "public-key"}}),
            (201, _ref("Enrolled"), {"passkey": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}),
        ),
        "/v1/passkeys/challenges": _item(
            "challengePasskey", "What a browser answers with a passkey.", ("grant",), None, (200, _OBJECT, challenge)
        ),
        RESOURCE_PATH: _item(
            "tokenSources",
            "Who gives tokens for this room (RFC 9728).",
            (),
            None,
            (200, _ref("Resource"), _RESOURCE),
            method="get",
        ),
        SERVER_PATH: _item(
            "tokenServer",
            "How the room gives its own tokens (RFC 8414).",
            ("grant",),
            None,
            (200, _ref("Server"), _SERVER),
            method="get",
        ),
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _item(
    name: str,
    summary: str,
    codes: tuple[str, ...],
    body: tuple[str, dict[str, Any], dict[str, Any]] | None,
    answer: tuple[int, dict[str, Any], dict[str, Any]],
    parameters: list[dict[str, Any]] | None = None,
    method: str = "post",
) -> dict[str, Any]:
    """``codes``: what those that it answers begin with; ``body``: media type, schema, example; ``answer``: status, schema, example."""
    made: dict[str, Any] = {"operationId": name, "summary": summary, "parameters": parameters or [], "security": []}
    if body is not None:
        content = {body[0]: {"schema": body[1], "example": body[2]}}
        made["requestBody"] = {"required": True, "content": content}
    by_status = {status: list(known) for status, known in (_EVERY | (_OF_BODY if body else {})).items()}
    for code, (status, _, _) in CODES.items():
        if code.startswith(codes):
            by_status.setdefault(status, []).append(code)
    said = {JSON: {"schema": answer[1], "example": answer[2]}}
    problem = {MEDIA_TYPE: {"schema": _ref("Problem")}}
    made["responses"] = {str(answer[0]): {"description": "Done.", "content": said}} | {
        str(status): {"description": f"Codes: {', '.join(known)}.", "content": problem}
        for status, known in sorted(by_status.items())
    }
    return {method: made}
