"""A PostgreSQL server of the tests' own: a throwaway cluster on a socket file, started once and gone at the end.

Whoever has the server's programs has it (Debian: ``postgresql``; ``make test`` installs it where it may). PostgreSQL does
not run as root, so there it runs as the user that its package makes, or as nobody.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WANTED = "no PostgreSQL server here: apt-get install postgresql"


@dataclass
class Server:
    """A running one. ``user``: the superuser. ``folder``: where its socket is."""

    programs: Path
    folder: Path
    user: str
    more: dict[str, Any]

    def url(self, database: str, user: str = "", **parameters: str) -> str:
        query = "&".join(f"{key}={value}" for key, value in {"host": str(self.folder), **parameters}.items())
        return f"postgresql://{user or self.user}@/{database}?{query}"

    def restart(self, mode: str = "immediate") -> None:
        self._control("restart", "-m", mode)

    def start(self) -> None:
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", self._data)
        self._control("start", "-o", f"-c listen_addresses= -c fsync=off -c unix_socket_directories={self.folder}")

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", action, *options, "--wait", f"--pgdata={self._data}", f"--log={self.folder / 'log'}")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *options: str) -> None:
        # Not captured: the server would keep the pipe open.
        subprocess.run(
            [self.programs / program, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}, cwd="/", **self.more,
        )  # fmt: skip


@contextmanager
def server() -> Iterator[Server]:
    """A server, or the test is skipped with a word on how to get one."""
    programs = _programs()
    if programs is None:
        pytest.skip(WANTED)
    # A socket's path has at most 107 bytes, and another user must get there: not in pytest's own folder.
    folder = Path(tempfile.mkdtemp(prefix="strongroom-", dir="/tmp"))
    user = _user()
    more: dict[str, Any] = {}
    if user is not None:
        shutil.chown(folder, user.pw_uid, user.pw_gid)
        more = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    made = Server(programs, folder, user.pw_name if user else pwd.getpwuid(os.geteuid()).pw_name, more)
    # Ends the server when its stdin does: after the tests, or when they are killed.
    guard = subprocess.Popen(
        ["sh", "-c", _GUARD, "sh", programs, folder], stdin=subprocess.PIPE, start_new_session=True, cwd="/", **more
    )
    try:
        made.start()
        yield made
    finally:
        guard.communicate()
        shutil.rmtree(folder, ignore_errors=True)


_GUARD = 'cat >/dev/null; "$1/pg_ctl" stop --mode=immediate --wait --pgdata="$2/data" >/dev/null 2>&1; rm -rf "$2"'


def _programs() -> Path | None:
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    debian = max(versions, key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0, default=None)
    found = debian or (Path(which).resolve() if (which := shutil.which("initdb")) else None)
    return found.parent if found else None


def _user() -> pwd.struct_passwd | None:
    if os.geteuid():
        return None
    return next(user for name in ("postgres", "nobody") for user in pwd.getpwall() if user.pw_name == name)
