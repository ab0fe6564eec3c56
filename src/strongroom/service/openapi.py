"""The OpenAPI 3.1 document, made from the table by which requests are served."""

from __future__ import annotations

import re
from typing import Any, get_origin

import msgspec

from strongroom import __version__
from strongroom.api.problem import MEDIA_TYPE, URN, Problem
from strongroom.service import examples
from strongroom.service.call import JSON, LINES, Route
from strongroom.service.identity import caller, described
from strongroom.service.problems import CODES

_EVERY = ("malformed", "busy", "defect")
_OF_BODY = ("timeout", "too-large", "media-type")
_SAME_ENTRY = {
    "name": "entry",
    "in": "path",
    "required": True,
    "description": "Index of an entry of the ledger.",
    "schema": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
}
_LATER = {
    "Retry-After": {
        "description": "Seconds (RFC 9110, section 10.2.3). With 429 absent where waiting will not help.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Drawn at random by the sender. The same request with the same key is done once, and answered alike for a day; a stream takes none.",
    "schema": {"type": "string", "pattern": '^("[0-9A-Za-z_-]{22,64}"|[0-9A-Za-z_-]{22,64})$'},
}


def document(routes: tuple[Route, ...]) -> bytes:
    """JSON, indented."""
    kinds = [kind for route in routes for kind in (route.body, route.answer) if kind is not None]
    kinds += [kind for route in routes if (of := route.stream) for kind in (of.head, of.line, of.answer)]
    named = [*kinds, *described.KINDS, Problem]
    schemas, components = msgspec.json.schema_components(named, ref_template="#/components/schemas/{name}")
    found = dict(zip(map(_known, named), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    sent, answered = examples.made()
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, found, sent, answered)
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "Strongroom",
            "version": __version__,
            "summary": "The vault of a room.",
            "description": "Every read is an entry in a public ledger, and its answer carries the receipt. Asks are signed by the reader's own device: see docs/api.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths | described.paths(),
        "components": {
            "schemas": _plain(components),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "DPoP",
                    "description": "An access token bound to a key that each request proves (RFC 9449). None is wanted on loopback in development.",
                }
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(made), indent=1)


def _operation(
    route: Route,
    schemas: dict[str, Any],
    sent: dict[str, msgspec.Struct],
    answered: dict[str, list[msgspec.Struct]],
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": list(_parameters(route)),
        "responses": {},
    }
    if route.body is not None:
        content = {
            JSON: {"schema": _plain(schemas[_known(route.body)]), "example": msgspec.to_builtins(sent[route.name])}
        }
        if route.stream:
            lines = [msgspec.to_builtins(sent[route.name])["ask"], *msgspec.to_builtins(sent[route.name])["records"]]
            content[LINES] = {
                # Of lines no schema can tell: this one is of a line, the first of which is a head.
                "schema": {
                    "type": "string",
                    "description": "A first line of schema RecordsHead, then a record a line: an object of field and text or null.",
                },
                "example": _lines([{"ask": lines[0]}, *lines[1:]]),
            }
        made["requestBody"] = {"required": True, "content": content}
    answer = answered[route.name]
    if route.answers_lines:
        said = {LINES: {"schema": _of_lines(schemas, route.answer), "example": _lines(answer)}}
    else:
        said = {JSON: {"schema": _plain(schemas[_known(route.answer)]), "example": msgspec.to_builtins(answer[0])}}
    made["responses"][str(route.status)] = {"description": "Done.", "content": said}
    if route.stream is not None:
        made["responses"]["200"] = {
            "description": "Lines of JSON, to lines of JSON.",
            "content": {
                LINES: {
                    "schema": _of_lines(schemas, route.stream.answer),
                    "example": _lines(answered[f"{route.name}-lines"]),
                }
            },
        }
    made["responses"] |= _problems(route)
    return made


def _parameters(route: Route) -> Any:
    if "{entry}" in route.path:
        yield _SAME_ENTRY
    for one in msgspec.structs.fields(route.query):
        schema = msgspec.json.schema(one.type)
        made = {
            "name": one.encode_name,
            "in": "query",
            "required": one.required,
            "schema": schema if one.required else schema | {"default": one.default},
        }
        yield made
    if route.writes:
        yield _KEY


def _problems(route: Route) -> dict[str, Any]:
    codes = [*_EVERY, *(_OF_BODY if route.body is not None else ()), *route.codes]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        known = CODES[code].status if code in CODES else caller.CODES[code][0]
        by_status.setdefault(known, []).append(code)
    by_status.setdefault(401, []).extend(code for code, (status, _, _) in caller.CODES.items() if status == 401)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        str(status): {
            "description": f"Codes: {', '.join(found)}.",
            **({"headers": _LATER} if any(code == "budget" or _later(code) for code in found) else {}),
            "content": {MEDIA_TYPE: {"schema": schema, "example": _problem(status, found[0])}},
        }
        for status, found in sorted(by_status.items())
    }


def _later(code: str) -> bool:
    return code in CODES and CODES[code].after is not None


def _problem(status: int, code: str) -> Any:
    if status == 429:
        return msgspec.to_builtins(examples.problem_example())
    title = CODES[code].title if code in CODES else caller.CODES[code][2]
    return msgspec.to_builtins(Problem(type=URN + code, title=title, status=status, code=code, detail=title))


def _of_lines(schemas: dict[str, Any], kind: Any) -> dict[str, Any]:
    # OpenAPI 3.1 has no word for lines of JSON; 3.2 calls this so.
    return {"type": "string", "description": "Lines of JSON.", "x-itemSchema": _plain(schemas[_known(kind)])}


def _lines(said: list[Any]) -> str:
    return msgspec.json.Encoder().encode_lines(said).decode()


def _known(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and get_origin(kind) is None else str(kind)


def _plain(schema: Any) -> Any:
    """Docstrings as text of a page: one line, names in single backticks."""
    if isinstance(schema, dict):
        return {
            name: _text(one) if name == "description" and isinstance(one, str) else _plain(one)
            for name, one in schema.items()
        }
    return [_plain(one) for one in schema] if isinstance(schema, list) else schema


def _text(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("``", "`")
