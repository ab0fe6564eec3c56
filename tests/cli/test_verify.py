"""``ledger verify`` as somebody outside runs it: with keys and the first charter's hash from elsewhere."""

from __future__ import annotations

import json
import time

import pytest
from tests.cli.session import Session


def test_the_first_charter_is_the_one_that_was_named(alone: Session) -> None:
    keys = ("--from", str(alone.room / "public"), "--vkeys", str(alone.room / "public" / "vkeys"))
    genesis = json.loads(alone.run("ledger", "verify", "--json").out)["charters"][0]["hash"]
    assert alone.run("ledger", "verify", *keys, "--genesis", genesis).code == 0
    for wrong, says in (("00" * 32, "does not begin with"), ("00", "64 hexadecimal digits")):
        ran = alone.run("ledger", "verify", *keys, "--genesis", wrong)
        assert ran.code != 0
        assert says in ran.err


def test_silence_is_said(alone: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    last = json.loads(alone.run("ledger", "verify", "--json").out)["last"]
    for seconds, silent in ((0, False), (7199, False), (7201, True)):  # a heartbeat of the tests' charter is an hour
        monkeypatch.setattr(time, "time", lambda now=last + seconds: now)
        ran = alone.run("ledger", "verify")
        assert ran.code == 0
        assert ("over two heartbeats" in ran.out) is silent
        assert json.loads(alone.run("ledger", "verify", "--json").out)["overdue"] is silent
