"""Runs commands one after the other in one process, as they come on stdin, a JSON list a line: where a process for each
would cost more than what it does. Answers with code, stdout and stderr."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys

from strongroom.cli.main import main
from strongroom.custody.intake import rows

rows.MAX_ROWS = 200  # of a chunk, so that a small import has several


def run(argv: list[str], stdin: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(argv)
            except SystemExit as left:
                code = int(left.code or 0)
    finally:
        sys.stdin = before
    return code, out.getvalue(), err.getvalue()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        os.chdir(asked["cwd"])
        answers.write(json.dumps(run(asked["argv"], asked["stdin"])) + "\n")
        answers.flush()
