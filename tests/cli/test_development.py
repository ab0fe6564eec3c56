"""What ``--development`` says of itself is what it does with the command at hand."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.session import Session

from strongroom.cli.command import NOTHING, STARTS
from strongroom.cli.main import build


def commands(found: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield one
                yield from commands(one)


def said(found: argparse.ArgumentParser) -> str:
    return next(action.help or "" for action in found._actions if action.dest == "development")


def test_only_commands_for_which_it_starts_a_keyholder_say_so() -> None:
    every = [one for one in commands(build()) if one.get_default("run")]
    assert len(every) > 50
    for one in every:
        assert one.get_default("starts") == ("start a keyholder" in said(one)), one.prog
    texts = {one.prog.removeprefix("strongroom "): said(one) for one in every}
    assert texts["disclose"] == STARTS
    assert texts["synth"] == NOTHING


def test_of_no_witness_it_starts_or_weakens_anything(alone: Session, tmp_path: Path) -> None:
    place = str(tmp_path / "witness")
    for words in ((), ("create",), ("logs",), ("logs", "list")):
        text = re.sub(r"\s+", " ", alone.run("witness", *words, "--help").out)
        assert "--development changes nothing here: " in text
    assert alone.run("witness", "create", place, "--name", "witness.example/w1").code == 0
    ran = alone.run("witness", "--development", "--directory", place, "--host", "192.0.2.1")
    assert ran.code == 1
    assert "witness.host 192.0.2.1 is not a loopback address, and there is no TLS" in ran.err
    assert not (alone.room / "keyholder" / "address").exists()


@pytest.mark.parametrize("command", ["config", "keyholder", "serve"])
def test_servers_and_their_settings_say_what_else_it_does(alone: Session, command: str) -> None:
    text = re.sub(r"\s+", " ", alone.run(command, "--help").out)
    assert "--development changes nothing" not in text
    assert f"--development {STARTS}" not in text
