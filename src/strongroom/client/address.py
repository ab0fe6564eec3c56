"""Where a room is asked, and how it is made sure that it is that place."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from strongroom.errors import InputError


@dataclass(frozen=True, slots=True)
class Address:
    """``prefix``: what stands before every path, without a slash at its end."""

    secure: bool
    host: str
    port: int
    prefix: str

    def of(self, path: str) -> str:
        """The whole address of a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        standard = self.port == (443 if self.secure else 80)
        return f"http{'s' * self.secure}://{host}{'' if standard else f':{self.port}'}{self.prefix}{path}"


def parse(text: str) -> Address:
    """``https://vault.example``, with a port and a path if need be; ``http://`` on this machine alone. Raises ``InputError``."""
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    if (
        found.scheme not in ("https", "http")
        or not found.hostname
        or found.query
        or found.fragment
        or "@" in found.netloc
    ):
        raise InputError("a room's address is https://HOST, with a port and a path if need be")
    secure = found.scheme == "https"
    if not secure and not _is_loopback(found.hostname):
        raise InputError(
            "what a room answers is about people: over http:// it would be read on the way. Give an https:// address"
        )
    return Address(secure, found.hostname, port or (443 if secure else 80), found.path.rstrip("/"))


def tls(address: Address, ca_file: str | Path | None) -> ssl.SSLContext | None:
    """None over http. ``ca_file``: the certificates (PEM) of who may vouch for the vault, and nobody else; without, those that this machine
    trusts. Raises ``InputError``."""
    if not address.secure:
        return None
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{ca_file}: cannot be read as a file of certificates ({type(error).__name__})") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
