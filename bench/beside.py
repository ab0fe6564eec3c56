"""Others' ways to keep values sealed, measured in the same run, out of a virtual environment of their own (requirements/peers.lock)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.measure import spread_of
from bench.peers import openbao

_ELSEWHERE = "Databunker, audit on, measured on a machine like this: {}/s"
DATABUNKER = {"store": _ELSEWHERE.format(512), "read": _ELSEWHERE.format(713)}


def over_http(peers: Path, directory: Path, values: Sequence[bytes], seconds: float) -> dict[str, str]:
    """What OpenBao does: ``encrypt 1``, ``decrypt 1``, ``encrypt 100``, ``decrypt 100`` -> the words for it; none where it is not installed."""
    binary = peers / "bin" / "bao"
    if not binary.exists():
        _skipped("OpenBao", peers)
        return {}
    found = {}
    for what, done, processor in openbao.measure(binary, directory / "openbao", values, seconds):
        size = int(what.split()[1])
        found[what] = (
            f"OpenBao transit, audited, nothing made durable: {done.rate * size:,.0f} values/s; {spread_of(done.times)}; "
            f"{processor / len(done.times) * 1e6:,.0f} µs a request"
        )
    return found


def in_process(peers: Path, rows: Path, processes: int) -> list[str]:
    """What libraries do that seal in process, of the same rows: two values sealed and two deterministically, nothing stored."""
    found = []
    for name, script in (("libmongocrypt", "mongo.py"), ("Tink", "google_tink.py")):
        python = peers / "bin" / "python"
        command = [str(python), str(Path(__file__).parent / "peers" / script), str(rows), str(processes)]
        done = subprocess.run(command, capture_output=True, text=True, check=False) if python.exists() else None
        if done is None or done.returncode:
            _skipped(name, peers, done.stderr if done else "")
        else:
            found.append(f"{name}, nothing stored: {float(done.stdout):,.0f}/s")
    return found


def _skipped(name: str, peers: Path, why: str = "") -> None:
    reason = (
        why.strip().splitlines()[-1] if why.strip() else f"{peers} has none of it; make bench installs what there is"
    )
    print(f"skipped: {name}: {reason}", file=sys.stderr)
