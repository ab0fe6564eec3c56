"""A Django project with a field of handles: its migration, queries, admin and fixtures, against a real room.

Django is set up once in a process, so the project runs in one of its own and says what came of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.client.served import Resident, Served

from strongroom.canonical import encode

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="module")
def said(served: Served, residents: list[Resident], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``project/run.py`` found, which is run with what a real application has: an address and files."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "anchors.json").write_bytes(encode(served.anchors))
    given = {
        "address": served.address,
        "device": str(served.root / "people" / "ana.device"),
        "handles": [str(one.handle) for one in residents[:4]],
    }
    command = [sys.executable, "-W", "error", str(PROJECT / "run.py"), json.dumps(given)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(str(one.values["name"]).encode() in content for one in residents), file
    return found


def test_makemigrations_writes_the_field_and_is_then_content(said: dict[str, Any]) -> None:
    assert "strongroom.applications.django.PersonField('residents'" in said["migration"]
    assert "unique=True" in said["migration"]
    assert said["changes"] == "No changes detected"


def test_many_in_one_ask(said: dict[str, Any], residents: list[Resident]) -> None:
    names = [one.values["name"] for one in residents[:4]]
    assert said["names"] == said["async"] == said["list"] == names
    assert said["asks"] == 1
    assert said["nobody"] == 0


def test_the_admin_shows_the_handle_alone(said: dict[str, Any], residents: list[Resident]) -> None:
    handle = str(residents[0].handle)
    for page in ("changelist", "change"):
        assert handle in said[page]
        assert str(residents[0].values["name"]) not in said[page]
    assert 'name="person"' not in said["change"]


def test_queries_fixtures_and_what_is_no_handle(said: dict[str, Any], residents: list[Resident]) -> None:
    handle = str(residents[0].handle)
    assert said["found"] == [handle]
    assert said["kind"] == "Handle"
    assert json.loads(said["fixture"])[0]["fields"]["person"] == handle
    assert said["loaded"] == handle
    assert "a handle is" in said["wrong"]
    assert "PersonField" in said["field"]
    assert "not pickled" in said["pickle"]
