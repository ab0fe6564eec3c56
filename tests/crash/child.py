"""The command ``strongroom``, or a script, as a process with another clock, that dies at a chosen step or whose disk fails at one.

Run as ``child.py ARGUMENTS`` or ``child.py SCRIPT.py ARGUMENTS``. The variable STRONGROOM_CHILD says what is done to it, in
JSON: ``later``: seconds by which its clock is ahead; ``die``: the number of the step at which it is killed with its whole
group; ``fail``: ``[steps, places, first, chance]``: of its steps of this kind at such places (regular expressions) the first
one that fails as on a broken disk, and how likely later ones do; ``rows``: of an import's chunk; ``page``:
records in one ask; ``limit``: bytes that no file may be longer than; ``began`` and ``steps``: files that tell that the first
step was reached, and how many there were at an orderly end.

A *step* is where a process leaves something behind: just before and just after each flush to disk, renaming, unlinking,
cutting, commit, and question to the other house. Importers' workers, which run this file again, have steps of their own.
"""

from __future__ import annotations

import atexit
import errno
import http.client
import json
import os
import random
import re
import resource
import runpy
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOLD: dict[str, Any] = json.loads(os.environ.get("STRONGROOM_CHILD") or "{}")
_FILES = ("fsync", "ftruncate", "link", "rename", "replace", "truncate", "unlink", "remove")
_STATEMENTS = ("COMMIT", "VACUUM", "PRAGMA WAL_CHECKPOINT")

_passed = 0
_tried = 0
_chooser = random.Random(1)


def _step(what: str) -> None:
    global _passed  # noqa: PLW0603 - one process, one count
    _passed += 1
    if _passed == 1 and "began" in TOLD:
        Path(TOLD["began"]).touch()
    if _passed == TOLD.get("die"):
        os.write(2, f"killed at step {_passed}: {what}\n".encode())
        os.killpg(0, signal.SIGKILL)
        signal.pause()


def _fails(step: str, place: str) -> bool:
    global _tried  # noqa: PLW0603
    steps, where, first, chance = TOLD.get("fail", ("", "", 0, 0))
    if not re.fullmatch(steps, step) or not re.search(where, place):
        return False
    _tried += 1
    fails = bool(_tried == first or (_tried > first and _chooser.random() < chance))
    if fails:
        TOLD.setdefault("failed", []).append(f"{step} {place}")
    return fails


def _stepped(step: str, do: Callable[..., Any]) -> Callable[..., Any]:
    def stepped(*args: Any, **named: Any) -> Any:
        place = str(args[0])
        if isinstance(args[0], int):
            place = os.readlink(f"/proc/self/fd/{args[0]}") if os.path.exists("/proc/self/fd") else ""
        _step(f"before {step} {place}")
        if _fails(step, place):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        found = do(*args, **named)
        _step(f"after {step} {place}")
        return found

    return stepped


class _Connection(sqlite3.Connection):
    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        statement = next((one for one in _STATEMENTS if sql.lstrip().upper().startswith(one)), "")
        if not statement:
            return super().execute(sql, *values)
        file = super().execute("PRAGMA database_list").fetchone()[2]
        _step(f"before {statement} {file}")
        if _fails(statement, file):
            # As SQLite does where the log cannot be flushed: it takes everything back, and says so.
            super().execute("ROLLBACK")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"
            raise error
        found = super().execute(sql, *values)
        _step(f"after {statement} {file}")
        return found


def _connect(
    *args: Any, _real: Callable[..., sqlite3.Connection] = sqlite3.connect, **named: Any
) -> sqlite3.Connection:
    return _real(*args, factory=_Connection, **named)


def _asking(step: str, do: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*args: Any, **named: Any) -> Any:
        _step(f"before {step}")
        found = do(*args, **named)
        _step(f"after {step}")
        return found

    return asked


def _install() -> None:
    later, wall = float(TOLD.get("later", 0)), time.time
    if later:
        time.time = lambda: wall() + later
    for name in _FILES:
        setattr(os, name, _stepped(name, getattr(os, name)))
    sqlite3.connect = _connect  # type: ignore[assignment]
    http.client.HTTPConnection.request = _asking("request", http.client.HTTPConnection.request)  # type: ignore[method-assign]
    http.client.HTTPConnection.getresponse = _asking("answer", http.client.HTTPConnection.getresponse)  # type: ignore[method-assign]
    if limit := TOLD.get("limit"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if rows := TOLD.get("rows"):
        from strongroom.custody.intake import rows as module

        module.MAX_ROWS = rows
        from strongroom.custody.intake import importer

        importer._FEW_BYTES = 0
    if page := TOLD.get("page"):
        from strongroom.custody import asking, export

        asking.AT_ONCE = export.AT_ONCE = page


def _count() -> None:
    Path(TOLD["steps"]).write_text(str(_passed))


if "STRONGROOM_CHILD" in os.environ:
    _install()

if __name__ == "__main__":
    if "steps" in TOLD:
        atexit.register(_count)
    if len(sys.argv) > 1 and sys.argv[1].endswith(".py"):
        from strongroom.errors import KeyholderUnavailable

        del sys.argv[0]
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except KeyholderUnavailable as gone:
            sys.stderr.write(f"{gone}\n")
            sys.exit(4)
    else:
        from strongroom.cli.main import main

        sys.exit(main())
