"""Addresses, anchors and problems: what is taken, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from strongroom import errors
from strongroom.api.problem import MEDIA_TYPE, Problem, Row
from strongroom.canonical import encode
from strongroom.client import address, anchors
from strongroom.client.anchors import Anchors
from strongroom.client.flow import Answer
from strongroom.client.problems import problem
from strongroom.errors import FormatError, InputError, KeyholderUnavailable, Refused, StrongroomError
from strongroom.service import problems as said

_LOG = "riverton.example/ledger+f8d99c1c+AWdnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dn"


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("https://vault.example", "https://vault.example/v1/finds"),
        ("https://vault.example:8443/room/", "https://vault.example:8443/room/v1/finds"),
        ("http://127.0.0.1:7300", "http://127.0.0.1:7300/v1/finds"),
        ("http://[::1]:7300", "http://[::1]:7300/v1/finds"),
        ("http://localhost", "http://localhost/v1/finds"),
    ],
)
def test_addresses(text: str, of: str) -> None:
    assert address.parse(text).of("/v1/finds") == of


@pytest.mark.parametrize(
    "text",
    ["", "vault.example", "ftp://vault.example", "http://vault.example", "http://10.0.0.1", "https://", "https://a@b",
     "https://a/?b", "https://a/#b", "https://a:port", "https://[::1", "file:///etc"],
)  # fmt: skip
def test_addresses_that_are_none_or_are_read_on_the_way(text: str) -> None:
    with pytest.raises(InputError):
        address.parse(text)


def test_who_vouches_is_a_file_of_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nothing")
    for wrong in (tmp_path / "ca", tmp_path / "none"):
        with pytest.raises(InputError, match="certificates"):
            address.tls(address.parse("https://vault.example"), wrong)
    assert address.tls(address.parse("http://localhost"), None) is None


def test_anchors(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from strongroom.ledger.note import Signer

    log = Signer("t/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32))).vkey
    known, file = Anchors(genesis=bytes(32), log=log, room=bytes(16)), tmp_path / "anchors.json"
    file.write_bytes(encode(known) + b"\n")
    assert anchors.load(file) == known
    for wrong in (b"", b"{}", encode(known)[:-1], encode(known).replace(b"+A", b"+B"), encode(known) + b" "):
        file.write_bytes(wrong)
        with pytest.raises(InputError, match=r"anchors\.json"):
            anchors.load(file)
    with pytest.raises(InputError, match="strongroom reader anchors"):
        anchors.load(tmp_path / "none")


def answered(code: str, status: int, **more: object) -> StrongroomError:
    made = Problem(type="urn", title="t", status=status, code=code, detail="because", **more)  # type: ignore[arg-type]
    return problem(Answer(status, {"content-type": f"{MEDIA_TYPE}; charset=utf-8"}, msgspec.json.encode(made)))


def test_every_problem_of_the_vaults_has_its_exception() -> None:
    kinds = {
        "malformed": FormatError,
        "input": InputError,
        "value": errors.ValueRejected,
        "rows": InputError,
        "keyholder": KeyholderUnavailable,
        "store": errors.StoreError,
        "ledger": errors.LedgerError,
        "seal": errors.SealError,
        "busy": KeyholderUnavailable,
        "defect": KeyholderUnavailable,
        "budget": Refused,
        "used": Refused,
        "erased": Refused,
    }
    for code, one in said.CODES.items():
        found = answered(code, one.status)
        assert type(found) is kinds.get(code, type(found))
        assert isinstance(found, StrongroomError)
        assert "because" in str(found)
        if isinstance(found, Refused):
            assert found.code == code


def test_rows_and_entries_are_named() -> None:
    bad = [Row(row=at, field="phone", reason="is no number") for at in range(1, 8)]
    assert str(answered("rows", 422, rows=bad)).count("record") == 5
    assert "and 2 more" in str(answered("rows", 422, rows=bad))
    assert "(entry 17)" in str(answered("purpose", 403, entry=17))


def test_a_hostile_text_is_cut_and_has_no_controls() -> None:
    made = Problem(type="urn", title="t", status=403, code="x\x1b[2J", detail="\x1b[31m\n" + "y" * 10_000)
    found = problem(Answer(403, {"content-type": MEDIA_TYPE}, msgspec.json.encode(made)))
    assert str(found).isprintable()
    assert len(str(found)) < 700


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, KeyholderUnavailable), (502, KeyholderUnavailable), (401, Refused), (403, Refused), (404, InputError),
     (302, FormatError), (200, FormatError)],
)  # fmt: skip
def test_what_stands_before_the_vault_says_nothing_of_its_own(status: int, kind: type[StrongroomError]) -> None:
    for body in (b"", b"<html>secret</html>", b"{}", b"\xff"):
        for media in ("text/html", MEDIA_TYPE):
            found = problem(Answer(status, {"content-type": media}, body))
            assert type(found) is kind
            assert "secret" not in str(found)
