"""The units are systemd's to understand, start commands that there are, and hold configurations that are read."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.serving.conftest import Process

from strongroom.cli.main import build
from strongroom.serving import config, safety

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
EXPOSURE = 1.5
"""Of 10, as systemd-analyze counts: the network itself is what is left."""

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here (Debian: systemd)"
)


def test_there_are_units() -> None:
    assert {path.name for path in UNITS} == {
        f"strongroom-{name}.service" for name in ("vault", "keyholder", "witness", "upkeep")
    }


@analyze
@pytest.mark.parametrize("unit", [*UNITS, DEPLOY / "strongroom-upkeep.timer"], ids=lambda path: path.name)
def test_systemd_understands_it(unit: Path, tmp_path: Path) -> None:
    for path in DEPLOY.glob("strongroom-*"):
        text = path.read_text().replace("/opt/strongroom/bin/strongroom", sys.executable)
        (tmp_path / path.name).write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in (ran.stdout + ran.stderr).splitlines() if "strongroom" in line]
    assert (ran.returncode, ours) == (0, [])


@analyze
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_it_may_do_little(unit: Path) -> None:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"exposure level for .*: ([0-9.]+)", ran.stdout)
    assert found is not None, ran.stdout
    assert float(found[1]) <= EXPOSURE


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_its_command_is_one_of_ours(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    program, *argv = shlex.split(line)
    assert program == "/opt/strongroom/bin/strongroom"
    assert hasattr(build(argv).parse_args(argv), "run")


@pytest.mark.parametrize("name", ["vault", "keyholder"])
def test_the_examples_are_safe_to_start_with(name: str) -> None:
    path = DEPLOY / f"{name}.toml"
    loaded = config.load(ROOT, {}, {}, path)
    at: config.Listener = getattr(loaded.settings, name)
    known = loaded.settings.identity.origin or "signatures"
    assert list(safety.address(name, at, known)) == []
    assert at.tls_key == DEPLOY / "tls" / f"{name}.key"
    assert at.admin_port == 9400
    assert f"127.0.0.1:{at.admin_port}/livez" in (DEPLOY / "Containerfile").read_text()
    # The page shows what the file says.
    assert path.read_text() in (ROOT / "docs" / "operations.md").read_text()


def test_the_container_file_says_that_it_is_untested() -> None:
    assert (DEPLOY / "Containerfile").read_text().startswith("# UNTESTED")


def test_memory_is_never_written_and_executed(founded: Path, tmp_path: Path) -> None:
    """``MemoryDenyWriteExecute`` of the units, by the kernel's own word for it: the keyholder starts and stops under it."""
    denied = subprocess.run(
        [sys.executable, "-c", f"{_DENY}\nprint(denied)"], capture_output=True, text=True, check=True
    )
    if denied.stdout.strip() != "0":
        pytest.skip("this kernel knows no PR_SET_MDWE")
    shutil.copytree(founded, tmp_path / "room")
    command = [sys.executable, "-c", f"{_DENY}\nassert denied == 0\nos.execv(sys.argv[1], sys.argv[1:])"]
    program = [
        sys.executable,
        "-m",
        "strongroom.cli.main",
        "--room",
        str(tmp_path / "room"),
        "keyholder",
        "--development",
    ]
    process = Process([*command, *program])
    try:
        process.event("keyholder ready")
        assert process.stop() == 0
    finally:
        process.end()


_DENY = "import ctypes, os, sys\ndenied = ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)"
