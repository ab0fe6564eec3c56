"""Every exit code, and that what goes wrong says one line and nothing of anybody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.session import Session

from strongroom.cli import status
from strongroom.cli.command import FAILED, FINE, INTERRUPTED, REFUSED, UNAVAILABLE, USAGE

ASK = ("--as", "ana", "--purpose", "confirm", "--case", "C-7", "--reason", "confirming an application")
HANDLE = "00" * 16


def program(*argv: str) -> list[str]:
    return [sys.executable, "-m", "strongroom.cli.main", *argv]


def test_fine(alone: Session) -> None:
    ran = alone.run("ledger", "verify")
    assert (ran.code, ran.err) == (FINE, "")


@pytest.mark.parametrize(
    "argv",
    [
        ("status",),
        ("ledger", "show"),
        ("fsck",),
        ("find", *ASK, "--by", "phone"),
        ("keyholder", "freeze", "room"),
        ("reader", "list"),
        ("charter", "show"),
    ],
    ids=" ".join,
)
def test_no_room_is_one_line(argv: tuple[str, ...], tmp_path: Path) -> None:
    ran = Session(tmp_path / "nothing").run(*argv, stdin="x\n")
    assert ran.code == FAILED
    assert ran.err.startswith("strongroom: ")
    assert "strongroom init" in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_an_existing_room_is_not_overwritten(alone: Session) -> None:
    before = (alone.room / "vault" / "keys.json").read_bytes()
    ran = alone.run("init", "--example", "city")
    assert ran.code == FAILED
    assert "there is a room already" in ran.err
    assert (alone.room / "vault" / "keys.json").read_bytes() == before


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("nonsense",),
        ("find",),
        ("init",),
        ("ledger",),
        ("disclose", *ASK, "--fields", "name"),
        ("disclose", *ASK, "--fields", "name", "--by", "phone", HANDLE),
        ("import", "people.csv"),
        ("find", *ASK, "--by", "phone", "--reas", "abbreviated"),
    ],
    ids=lambda argv: " ".join(argv[:1]) or "nothing",
)
def test_usage(alone: Session, argv: tuple[str, ...]) -> None:
    ran = alone.run(*argv)
    assert ran.code == USAGE
    assert "usage: strongroom" in ran.err
    assert ran.out == ""


def test_refused(full: Session) -> None:
    ran = full.run("disclose", *ASK, "--fields", "phone", "--by", "phone", stdin=full.words["phone"] + "\n")
    assert ran.code == REFUSED
    assert "strongroom: refused, field: " in ran.err


def test_no_keyholder(alone: Session) -> None:
    ran = alone.run("find", *ASK, "--by", "phone", "--json", stdin=alone.words["phone"] + "\n")
    assert ran.code == UNAVAILABLE
    assert "strongroom keyholder" in ran.err
    assert json.loads(ran.out)["error"]["code"] == "keyholder"


def test_the_keyholder_stays_off_public_addresses(alone: Session) -> None:
    ran = alone.run("keyholder", "--host", "0.0.0.0")  # noqa: S104 - that it is refused is the test
    assert ran.code == FAILED
    assert "not a loopback address" in ran.err


def test_interrupted(alone: Session) -> None:
    argv = program("ledger", "watch", "--interval", "60", "--room", str(alone.room))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert "first look" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    assert running.returncode == INTERRUPTED
    assert said == "interrupted\n"


def test_a_closed_pipe_is_quiet(alone: Session) -> None:
    command = f"{' '.join(program('charter', 'show', '--json', '--room', str(alone.room)))} | head -c 1"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("{", "")


def test_a_defect_quotes_nobody(alone: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise KeyError("Zhang San, 110101199003074477")

    monkeypatch.setattr(status, "overview", fall)
    ran = alone.run("status")
    assert ran.code == FAILED
    assert "a defect: KeyError" in ran.err
    assert "Zhang" not in ran.err


def test_development_starts_a_keyholder_and_stops_it(alone: Session) -> None:
    ran = alone.run("status", "--development", "--json")
    assert ran.code == FINE
    assert ran.err.startswith("started a keyholder for this command")
    assert json.loads(ran.out)["keyholder"] is not None
    assert not (alone.room / "keyholder" / "address").exists()
    assert json.loads(alone.run("status", "--json").out)["keyholder"] is None


def test_a_development_keyholder_ends_with_a_killed_command(alone: Session) -> None:
    argv = program("ledger", "watch", "--development", "--interval", "60", "--room", str(alone.room))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        running.stdout.readline()
        assert (alone.room / "keyholder" / "address").exists()
        running.kill()
    for _ in range(100):
        if not (alone.room / "keyholder" / "address").exists():
            break
        time.sleep(0.05)
    assert not (alone.room / "keyholder" / "address").exists()


def test_a_keyholder_that_cannot_start_says_why(alone: Session) -> None:
    (alone.room / "keyholder" / "ceremony.json").unlink()
    ran = alone.run("status", "--development")
    assert ran.code == UNAVAILABLE
    assert "the first charter's hash was never brought here" in ran.err


def test_starting_is_quick() -> None:
    began = time.monotonic()
    subprocess.run(
        program("--version"), check=True, capture_output=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    )
    assert time.monotonic() - began < 5
