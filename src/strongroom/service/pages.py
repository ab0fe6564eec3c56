"""Files: the published ledger as any web server would serve it, the OpenAPI document, and Swagger UI out of its own package.

Nothing on the page is loaded from anywhere else, and the page may not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path

from aiohttp import web

from strongroom.service.problems import Rejected

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# As SPEC.md 5.6 names them. Drafts and whatever else may lie beside them begin with a dot.
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}){0,7}")
_YEAR = "public, max-age=31536000, immutable"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "LICENSE": "text/plain",
}
# Swagger UI writes style attributes; a script of any other origin, or within the page, it does without.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Strongroom</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  supportedSubmitMethods: [],
  validatorUrl: null,
});
"""


def ledger(public: Path) -> Handler:
    """The files under ``public``, and no others."""
    root = public.resolve()

    async def handle(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if not _PATH.fullmatch(path):
            raise Rejected("not-found", "the published ledger has no such file")
        file = root / path
        # A link among them may lead anywhere.
        if not file.is_file() or file.resolve() != file:
            raise Rejected("not-found", "the published ledger has no such file")
        # A tile, also one that is not full, never changes (C2SP tlog-tiles); whatever else may.
        kept = _YEAR if path.startswith("tile/") else "no-cache"
        text = path in ("checkpoint", "cosigned", "vkeys")
        kind = "text/plain; charset=utf-8" if text else "application/octet-stream"
        # It is everybody's: a subject's page reads it from wherever that page is.
        headers = {"Cache-Control": kept, "Content-Type": kind, "Access-Control-Allow-Origin": "*"}
        return web.FileResponse(file, headers=headers)

    return handle


def document(data: bytes) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=data, content_type="application/json", headers={"Cache-Control": "no-cache"})

    return handle


async def page(_: web.Request) -> web.StreamResponse:
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
    return web.Response(body=_PAGE, content_type="text/html", charset="utf-8", headers=headers)


def assets() -> Handler:
    folder = resources.files("swagger_ui").joinpath("static")
    found = {name: (folder.joinpath(name).read_bytes(), kind) for name, kind in _ASSETS.items()}
    found["start.js"] = (_START, "text/javascript")

    async def handle(request: web.Request) -> web.StreamResponse:
        known = found.get(request.match_info["name"])
        if known is None:
            raise Rejected("not-found", "the page has no such file")
        data, kind = known
        return web.Response(body=data, content_type=kind, headers={"Cache-Control": "public, max-age=86400"})

    return handle
