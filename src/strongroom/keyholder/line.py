"""Where the keyholder is, and how the line to it is kept: TLS to another machine, nothing on this one (SPEC.md section 10.4)."""

from __future__ import annotations

import ipaddress
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from strongroom.errors import InputError, KeyholderUnavailable
from strongroom.serving import tls

CA_FILE = "keyholder-ca.pem"
"""In the vault's folder: who may have signed the keyholder's certificate. Without it, whom this system trusts."""

CLIENT_FILE = "keyholder-client.pem"
"""In the vault's folder: the vault's own certificate and its key, for a keyholder that asks for one."""

_FORM = re.compile(r"(https://)?(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Line:
    host: str
    port: int
    tls: bool


def parse(address: str) -> Line:
    """``https://HOST:PORT``, or ``HOST:PORT`` for what is on this machine. Raises ``KeyholderUnavailable``, ``InputError``."""
    found = _FORM.fullmatch(address)
    if found is None or int(found[3]) > 65535:
        raise KeyholderUnavailable(
            "the keyholder's address is neither HOST:PORT nor https://HOST:PORT. Restart it: strongroom keyholder"
        )
    line = Line(found[2].strip("[]"), int(found[3]), bool(found[1]))
    if not line.tls and not _is_here(line.host):
        raise InputError(
            f"the keyholder at {address} is another machine, and would be spoken to without TLS. Write https://{address}"
        )
    return line


def context(vault: Path) -> ssl.SSLContext:
    """TLS as the vault in this folder speaks it. Raises ``InputError``."""
    ca, own = vault / CA_FILE, vault / CLIENT_FILE
    return tls.client(ca if ca.exists() else None, own if own.exists() else None)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
