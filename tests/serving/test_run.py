"""A server from its first listening to its orderly end, as a process."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import threading
from pathlib import Path

import pytest
from tests.serving.certificates import Authority
from tests.serving.conftest import SECONDS, Sample, Start


# --- its end ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_finished(start: Start, number: signal.Signals) -> None:
    server = start().ready()
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    idle.request("POST", "/v1/refuse")
    assert idle.getresponse().read()
    got: list[tuple[int, bytes]] = []
    asking = threading.Thread(target=lambda: got.append(server.ask("POST", "/v1/wait")))
    asking.start()
    server.printed("waiting")
    server.signal(number)
    server.event("sample stops")
    _until_refused(server.port)
    # Not ready, but still there to be asked.
    assert server.ask("GET", "/readyz", port=server.admin)[0] == 503
    server.type("go on\n")
    asking.join(SECONDS)
    assert got == [(200, b'{"said": "after a while"}')]
    server.printed("closed")
    assert server.ended() == 0
    idle.close()


def _until_refused(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
        except ConnectionRefusedError:
            return
        except ConnectionError:
            continue  # it was in the queue of the socket that was closed


def test_what_takes_too_long_is_cut_off(start: Start) -> None:
    server = start({"stop-seconds": 0}).ready()
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as line:
        line.sendall(b"POST /v1/forever HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        server.printed("waiting")
        assert server.stop() == 0
        assert line.recv(65536) == b""
    server.printed("closed")
    assert b"Traceback" not in server.said


def test_a_task_that_died_ends_the_server(start: Start) -> None:
    server = start(dies=True)
    assert server.ended() == 1
    assert b"the committer died" in server.said


def test_a_port_that_is_taken(start: Start) -> None:
    server = start().ready()
    second = start({"port": server.port})
    assert second.ended() == 1
    assert f"cannot listen on 127.0.0.1:{server.port}".encode() in second.said
    second.printed("closed")


def test_systemd_is_told(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        name = f"@strongroom-test-{os.getpid()}"
        line.bind(name.replace("@", "\0"))
        line.settimeout(SECONDS)
        server = start(env={**os.environ, "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000"}).ready()
        assert line.recv(100) == b"READY=1"
        assert [line.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        server.signal(signal.SIGTERM)
        while (told := line.recv(100)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
        assert server.ended() == 0


# --- its connections -------------------------------------------------------------------------------------------------
def test_as_many_connections_as_are_taken(start: Start) -> None:
    server = start({"connections": 3}).ready()
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) for _ in range(3)]
    for one in held:
        one.sendall(b"POST /v1/refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert b"403" in one.recv(65536)
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as more:
        assert more.recv(65536) == b""
    assert b"strongroom_connections_refused_total 1.0" in server.ask("GET", "/metrics", port=server.admin)[1]
    assert b"strongroom_connections 3.0" in server.ask("GET", "/metrics", port=server.admin)[1]
    for one in held:
        one.close()
    while b"strongroom_connections 0.0" not in server.ask("GET", "/metrics", port=server.admin)[1]:
        pass
    assert server.ask("POST", "/v1/refuse")[0] == 403


def test_a_head_that_does_not_come_whole(start: Start) -> None:
    server = start(head_seconds=0.2).ready()
    for begun in (b"", b"POST /v1/refuse HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as line:
            line.sendall(begun)
            assert line.recv(65536) == b""


# --- TLS -------------------------------------------------------------------------------------------------------------
def _tls(authority: Authority, name: str = "server", **more: object) -> dict[str, object]:
    certificate, key = authority.sign(name)
    return {"tls-certificate": str(certificate), "tls-key": str(key), **more}


def test_tls_1_3_and_nothing_older(start: Start, authority: Authority) -> None:
    server = start(_tls(authority)).ready()
    assert server.ask("POST", "/v1/refuse", tls=authority.client())[0] == 403
    old = authority.client()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        server.ask("POST", "/v1/refuse", tls=old)
    with pytest.raises(ssl.SSLCertVerificationError):
        server.ask("POST", "/v1/refuse", tls=ssl.create_default_context())
    with pytest.raises((http.client.HTTPException, OSError)):
        server.ask("POST", "/v1/refuse")


def test_who_connects_shows_a_certificate(start: Start, authority: Authority, tmp_path: Path) -> None:
    server = start(_tls(authority, **{"client-ca": str(authority.file)})).ready()
    authority.sign("vault")
    (tmp_path / "other").mkdir()
    Authority(tmp_path / "other").sign("vault")
    assert server.ask("POST", "/v1/refuse", tls=authority.client(tmp_path / "vault.both"))[0] == 403
    for wrong in (None, tmp_path / "other" / "vault.both"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            server.ask("POST", "/v1/refuse", tls=authority.client(wrong))


def test_the_machine_itself_needs_no_certificate(start: Start, authority: Authority) -> None:
    server = start(_tls(authority, **{"client-ca": str(authority.file)}), local=True).ready()
    assert server.local != server.port
    assert server.ask("POST", "/v1/refuse", port=server.local)[0] == 403


def test_sighup_reads_the_certificate_anew(start: Start, authority: Authority, tmp_path: Path) -> None:
    server = start(_tls(authority)).ready()
    before = _shown(server, authority)
    authority.sign("server")
    assert _shown(server, authority) == before
    server.signal(signal.SIGHUP)
    server.event("the certificate was read anew")
    after = _shown(server, authority)
    assert after != before
    # Half-written, or another's key: it goes on with what it has.
    for name, data in (("server.crt", b"-----BEGIN"), ("server.key", authority.sign("another")[1].read_bytes())):
        (tmp_path / name).write_bytes(data)
        server.signal(signal.SIGHUP)
        server.event("the certificate stays the old one")
        assert _shown(server, authority) == after
    assert server.stop() == 0


def _shown(server: Sample, authority: Authority) -> bytes | None:
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as line,
        authority.client().wrap_socket(line, server_hostname="127.0.0.1") as secure,
    ):
        return secure.getpeercert(binary_form=True)


def test_sighup_without_a_certificate_is_no_end(start: Start) -> None:
    server = start().ready()
    server.signal(signal.SIGHUP)
    server.event("there is no certificate to read anew")
    assert server.ask("POST", "/v1/refuse")[0] == 403


@pytest.mark.parametrize("missing", ["tls-certificate", "tls-key", "client-ca"])
def test_a_file_that_is_not_there_is_named(start: Start, authority: Authority, tmp_path: Path, missing: str) -> None:
    given = _tls(authority, **{"client-ca": str(authority.file)}) | {missing: str(tmp_path / "gone.pem")}
    server = start(given)
    assert server.ended() == 1
    assert (
        f"sample.{missing} names {tmp_path / 'gone.pem'}: No such file or directory. Name a PEM file".encode()
        in server.said
    )
    assert b"Traceback" not in server.said


def test_a_key_with_a_password_is_not_waited_for(start: Start, authority: Authority, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import ec

    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.BestAvailableEncryption(b"planted")
    )
    (tmp_path / "locked.key").write_bytes(locked)
    server = start(_tls(authority) | {"tls-key": str(tmp_path / "locked.key")})
    assert server.ended() == 1
    assert b"sample.tls-certificate and sample.tls-key: " in server.said
    assert b"without a password" in server.said


# --- health ----------------------------------------------------------------------------------------------------------
def test_ready_tells_the_truth(start: Start) -> None:
    server = start().ready()
    assert server.ask("GET", "/livez", port=server.admin) == (200, b"alive\n")
    status, said = server.ask("GET", "/readyz", port=server.admin)
    assert (status, json.loads(said)) == (200, {"checks": {"works": "ok", "sound": "ok"}, "ready": True})
    server.ask("POST", "/v1/toggle")
    status, said = server.ask("GET", "/readyz", port=server.admin)
    wanted = {"works": "it is not", "sound": "the check itself failed: RuntimeError"}
    assert (status, json.loads(said)) == (503, {"checks": wanted, "ready": False})
    assert server.ask("GET", "/livez", port=server.admin)[0] == 200
    server.ask("POST", "/v1/toggle")
    assert server.ask("GET", "/readyz", port=server.admin)[0] == 200
    assert b"Mary" not in server.said


def test_health_is_not_on_the_door(start: Start) -> None:
    server = start().ready()
    assert [server.ask("GET", path)[0] for path in ("/livez", "/readyz", "/metrics")] == [404] * 3
    assert server.ask("POST", "/v1/refuse", port=server.admin)[0] == 404


def test_no_admin_port_no_admin(start: Start) -> None:
    server = start({"admin-port": None})
    assert server.event("")["event"].startswith("sample ready")
    assert server.stop() == 0


def test_health_for_others_wants_their_certificate(start: Start, authority: Authority, tmp_path: Path) -> None:
    given = _tls(authority, **{"client-ca": str(authority.file), "admin-host": "0.0.0.0"})  # noqa: S104
    server = start(given).ready()
    authority.sign("prometheus")
    mine = authority.client(tmp_path / "prometheus.both")
    assert server.ask("GET", "/livez", port=server.admin, tls=mine)[0] == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        server.ask("GET", "/livez", port=server.admin, tls=authority.client())
