"""Asking a witness over HTTP (C2SP tlog-witness; SPEC.md section 5.9). It may be slow, dead or hostile: nothing it says is believed here."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import aiohttp

from strongroom.errors import Declined, FormatError, WitnessUnavailable
from strongroom.witness.request import SIZE_TYPE, Request, log_id, parse_size

SECONDS = 10.0
"""For one whole answer."""

MAX_BYTES = 65_536
"""Of an answer: a dozen signatures of any kind."""


def session() -> aiohttp.ClientSession:
    """For all witnesses. Connections are kept; no cookies, no proxies of the environment. TLS trusts whom
    this system trusts (OpenSSL's ``SSL_CERT_FILE``)."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=SECONDS),
        headers={"User-Agent": "strongroom"},
        auto_decompress=False,
    )


async def add_checkpoint(session: aiohttp.ClientSession, url: str, request: Request) -> str:
    """Lines that are said to be its cosignatures.

    Raises ``Declined`` (``size``: what it says to have cosigned last, of a 409) and ``WitnessUnavailable``.
    """
    asked = session.post(f"{url.rstrip('/')}/add-checkpoint", data=request.marshal(), allow_redirects=False)
    status, kind, body = await _answer(asked)
    if status == 200:
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise WitnessUnavailable("its answer is not UTF-8") from None
    if status == 409 and kind == SIZE_TYPE:
        try:
            raise Declined(409, "it has cosigned another size", size=parse_size(body))
        except FormatError as error:
            raise WitnessUnavailable(str(error)) from None
    # What else it writes is for people, and is not repeated: it could be anything.
    raise Declined(status, f"it answers {status}")


async def last_checkpoint(session: aiohttp.ClientSession, url: str, origin: str) -> str:
    """What a witness of ours says that it cosigned last, a note; others have no such path. Raises as ``add_checkpoint``."""
    asked = session.get(f"{url.rstrip('/')}/logs/{log_id(origin)}/checkpoint", allow_redirects=False)
    status, _, body = await _answer(asked)
    if status != 200:
        raise Declined(status, f"it answers {status}")
    return body.decode("utf-8", "replace")


async def _answer(asked: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> tuple[int, str, bytes]:
    try:
        async with asked as response:
            body = b""
            while part := await response.content.read(MAX_BYTES + 1 - len(body)):
                body += part
                if len(body) > MAX_BYTES:
                    raise WitnessUnavailable(f"its answer is over {MAX_BYTES:,} bytes")
            return response.status, response.headers.get("Content-Type", ""), body
    except TimeoutError:
        raise WitnessUnavailable(f"no answer within {SECONDS:.0f} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise WitnessUnavailable(f"it cannot be reached ({type(error).__name__})") from None
