"""TLS as transport, 1.3 alone: both ends are ours or of these years. Who speaks is settled by signatures above it."""

from __future__ import annotations

import ssl
from pathlib import Path

from strongroom.errors import InputError, of_system


def server(name: str, certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """``name``: the section of settings that names these files. Raises ``InputError`` naming the setting and the file that is
    missing or wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _common(context)
    reload(context, certificate, key, name)
    if client_ca is not None:
        _trust(context, client_ca, f"{name}.client-ca")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client(ca: Path | None, own: Path | None = None) -> ssl.SSLContext:
    """``ca``: who may have signed the server's certificate, the system's own roots without one. ``own``: certificate and key in one
    file, for a server that asks for one. Raises ``InputError``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _common(context)
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _trust(context, ca)
    if own is not None:
        reload(context, own, own)
    return context


def reload(context: ssl.SSLContext, certificate: Path, key: Path, name: str = "") -> None:
    """Certificate and key as they are on disk now, for connections to come. ``name`` as in ``server``, where settings name them.
    Raises ``InputError``; the old ones stay then."""
    settings = (f"{name}.tls-certificate", f"{name}.tls-key") if name else ("", "")
    for setting, path in zip(settings, (certificate, key), strict=True):
        _readable(path, setting)
    try:
        # First into a context of nobody's: one that takes the certificate and not the key would answer nobody.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        told = " and ".join(filter(None, settings))
        raise InputError(
            f"{f'{told}: ' if told else ''}{certificate}, {key}: not a certificate and its key ({_why(error)}). Want PEM, the key"
            " without a password"
        ) from None


def _no_password() -> bytes:
    # Without this OpenSSL would ask at the terminal, and a service wait for ever.
    raise ValueError("the key has a password")


def _common(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def unreadable(path: Path, setting: str) -> str | None:
    """Why a file cannot be read, the setting that names it, and the mend; None where it can."""
    try:
        path.open("rb").close()
    except OSError as error:
        if not setting:
            return of_system(error, path)
        return (
            f"{setting} names {path}: {error.strerror}. Name a PEM file that this user may read; strongroom config shows where the"
            " setting comes from"
        )
    return None


def _trust(context: ssl.SSLContext, ca: Path, setting: str = "") -> None:
    _readable(ca, setting)
    where = f"{setting}: {ca}" if setting else str(ca)
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as error:
        raise InputError(f"{where}: holds no certificates ({_why(error)}). Want PEM") from None
    if not context.cert_store_stats()["x509"]:
        raise InputError(f"{where}: holds no certificates. Want PEM")


def _readable(path: Path, setting: str) -> None:
    if why := unreadable(path, setting):
        raise InputError(why)


def _why(error: Exception) -> str:
    return (getattr(error, "reason", None) or str(error)).lower().replace("_", " ")
