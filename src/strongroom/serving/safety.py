"""What a server does not start with. Each refusal is one error, with its mend; none of them has to do with the ledger, which nothing turns off."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import os
import stat
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from strongroom.errors import InputError, of_system
from strongroom.serving import tls
from strongroom.serving.config import Listener

_KEY_BYTES = 32
_FEWEST_DIFFERENT = 16


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(name: str, at: Listener, authentication: str) -> Iterator[str]:
    """What is wrong with where ``[name]`` listens. Everything but loopback is an address that others reach."""
    if (at.tls_certificate is None) != (at.tls_key is None):
        yield f"{name}.tls-certificate and {name}.tls-key: one is there without the other. Give both"
        return
    has_tls = at.tls_certificate is not None
    if at.client_ca is not None and not has_tls:
        yield f"{name}.client-ca without {name}.tls-certificate and {name}.tls-key: nobody would be asked for a certificate. Give these too"
    if not is_loopback(at.host):
        if not has_tls:
            yield (
                f"{name}.host {at.host} is not a loopback address, and there is no TLS. Give {name}.tls-certificate and"
                f" {name}.tls-key, or listen on 127.0.0.1"
            )
        if not (authentication or at.client_ca):
            yield (
                f"{name}.host {at.host} is not a loopback address, and whoever reaches it is not known by anything. Give"
                f" identity.origin (and leave out --development), or {name}.client-ca, or listen on 127.0.0.1"
            )
    if at.admin_port is not None and not is_loopback(at.admin_host) and not (has_tls and at.client_ca):
        yield (
            f"{name}.admin-host {at.admin_host} is not a loopback address: health and metrics are for those with a certificate"
            f" alone. Give {name}.client-ca and a certificate, or 127.0.0.1"
        )


def key_files(paths: Iterable[Path]) -> Iterator[str]:
    """Which of these are readable by others, or hold keys that nobody drew."""
    for path in paths:
        try:
            mode = path.stat().st_mode
            data = path.read_bytes()
        except OSError as error:
            yield of_system(error, path)
            continue
        yield from _open_to_others(path, mode)
        if any(_is_placeholder(key) for key in _keys(data)):
            yield f"{path}: holds a key that was never drawn at random. Found the room anew: everybody knows this key"


def tls_files(name: str, at: Listener) -> Iterator[str]:
    """Which files that ``[name]`` names for TLS cannot be read; and whether others may read the key: they could speak as this server."""
    for setting, path in (
        ("tls-certificate", at.tls_certificate),
        ("tls-key", at.tls_key),
        ("client-ca", at.client_ca),
    ):
        if path is not None and (why := tls.unreadable(path, f"{name}.{setting}")):
            yield why
        elif path is not None and setting == "tls-key":
            yield from _open_to_others(path, path.stat().st_mode)


def _open_to_others(path: Path, mode: int) -> Iterator[str]:
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and not _is_credential(path):
        yield f"{path}: holds keys, and others than its owner may read or write it. chmod 600 {path}"


def _is_credential(path: Path) -> bool:
    # systemd puts these where nobody else gets, and sets modes of its own.
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.is_relative_to(str(folder))


def _keys(data: bytes) -> Iterator[bytes]:
    try:
        members = json.loads(data)
    except ValueError:
        yield from (data[at : at + _KEY_BYTES] for at in range(0, len(data) - len(data) % _KEY_BYTES, _KEY_BYTES))
        return
    for value in members.values() if isinstance(members, dict) else ():
        try:
            found = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
        except (binascii.Error, ValueError):
            continue
        if len(found) == _KEY_BYTES:
            yield found


def _is_placeholder(key: bytes) -> bool:
    """Few different bytes, a run of them, or text: of keys drawn at random one in 10^13 is such."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    return len(set(key)) < _FEWEST_DIFFERENT or len(steps) == 1 or all(0x20 <= one < 0x7F for one in key)


def apart(own: Path, other: Path) -> Iterator[str]:
    """``own`` and ``other``: the folders of both houses. Who has both opens everything."""
    if (other / "keys.json").exists() and (own / "keys.json").exists():
        yield (
            f"{own} and {other}: both houses are in one place, and whoever takes it has both keys. Run the keyholder on another"
            " machine under another body (docs/operations.md), or say --development"
        )


def verify_address(name: str, at: Listener, authentication: str) -> None:
    """Raises ``InputError`` for the first finding of ``address``."""
    verify(address(name, at, authentication))


def verify(findings: Iterable[str]) -> None:
    for found in findings:
        raise InputError(found)
