"""A published ledger, wherever it lies: a directory, or a web server that need know nothing of us (SPEC.md section 5.6)."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from strongroom.errors import InputError, NoteError
from strongroom.ledger.directory import Fetch
from strongroom.ledger.note import Verifier, verifier

# A bundle holds at most 17 MB; a day file of a large room is the largest there is.
MAX_BYTES = 256 * 2**20
TIMEOUT_SECONDS = 20.0
_KEPT = 64


def fetch_from(where: str) -> Fetch:
    """``path -> bytes`` for a directory or an http(s) URL. Raises ``InputError`` when it is neither."""
    if "://" in where:
        if not where.startswith(("http://", "https://")):
            raise InputError(f"{where}: a ledger is had from a directory, http:// or https://")
        return _Web(where.rstrip("/"))
    root = Path(where)
    if not root.is_dir():
        raise InputError(f"{where}: there is no such directory. Give the one that holds checkpoint and tile/")

    def read(path: str) -> bytes:
        with (root / path).open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1))

    return read


def verifiers(vkeys: Iterable[str], files: Iterable[Path] = ()) -> list[Verifier]:
    """Verifier keys given as text and in files, one a line. Raises ``InputError`` naming the file, ``NoteError`` the key's fault."""
    texts = [text.strip() for text in vkeys]
    for file in files:
        try:
            texts += [line.strip() for line in file.read_text().splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: cannot be read as a file of verifier keys ({type(error).__name__})") from None
    found: dict[str, Verifier] = {}
    for place, text in enumerate((text for text in texts if text and not text.startswith("#")), 1):
        try:
            found[text] = verifier(text)
        except NoteError as error:
            raise NoteError(f"verifier key {place}: {error}. It looks like name+0123abcd+base64") from None
    if not found:
        raise InputError("no verifier key was given, and without one a ledger proves nothing. Give --vkey or --vkeys")
    return list(found.values())


class _Web:
    """GET with a limit on time and size. Files just read are kept: tiles are asked for again and again."""

    def __init__(self, base: str) -> None:
        self._base, self._kept = base, OrderedDict[str, bytes]()
        # http and https alone: a redirect must not lead to file: or ftp:.
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            self._opener.add_handler(handler)

    def __call__(self, path: str) -> bytes:
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        try:
            with self._opener.open(f"{self._base}/{path}", timeout=TIMEOUT_SECONDS) as response:
                data = _bounded(response.read(MAX_BYTES + 1))
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    raise FileNotFoundError(path) from None
            raise OSError(f"{path}: the server says {error.code}") from None
        except http.client.HTTPException as error:
            raise OSError(f"{path}: the server broke off ({type(error).__name__})") from None
        # Tiles never change under their names; the checkpoint and the day's tags do.
        if path.startswith("tile/") and len(data) <= 2**20:
            self._kept[path] = data
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return data


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise OSError(f"a file of a ledger is over {MAX_BYTES:,} bytes")
    return data
