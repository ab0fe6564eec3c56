"""The vault's application: every route of the table, the ledger's files, the page that documents them.

Who listens where, TLS, health, metrics, logs and the orderly stop are ``serving``'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from strongroom.service import openapi, pages
from strongroom.service.front import Front, dress, saying
from strongroom.service.idempotency import Idempotency
from strongroom.service.identity import endpoints
from strongroom.service.identity.door import Door
from strongroom.service.identity.login import Logins
from strongroom.service.routes import ROUTES
from strongroom.service.vault import Vault


def build(vault: Vault, directory: Path, public: Path, door: Door) -> web.Application:
    """``directory``: the vault's; ``public``: where its ledger is published, as far as it lies here; ``door``: who is let in. Vault and
    door are closed when the application is."""

    front = Front(vault, public, Idempotency(directory), endpoints.identify(door), door.line)
    # Bodies are bounded where they are read, each route by its own measure.
    app = web.Application(middlewares=[saying], client_max_size=0)
    for route in ROUTES:
        app.router.add_route(route.method, route.path.replace("{entry}", "{entry:[0-9]{1,15}}"), front.handler(route))
    app.router.add_routes(endpoints.Endpoints(Logins(door), front.bodies).routes())
    document = openapi.document(ROUTES)
    app.router.add_get("/openapi.json", pages.document(document))
    app.router.add_get("/docs", pages.page)
    app.router.add_get("/docs/{name}", pages.assets())
    app.router.add_get("/ledger/{path:.+}", pages.ledger(public))
    app.on_response_prepare.append(dress)

    async def open_and_close(_: web.Application) -> AsyncIterator[None]:
        # A room that does not open is found now, and by who starts it.
        await vault.run(lambda room: room.rules())
        yield
        await front.idempotency.close()
        await door.close()
        await vault.close()

    app.cleanup_ctx.append(open_and_close)
    return app
