"""Our witnesses' cosignatures, verified by the Go project's own note, Ed25519 and ML-DSA-44 (tests/go/verify.go)."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from tests.houses import Houses
from tests.ledger.test_go_interop import verify
from tests.witness.peers import gathering, three

from strongroom.keyholder import witnessing

__all__ = ["verify"]

pytestmark = pytest.mark.go


@pytest.mark.timeout(600)
def test_go_takes_a_witnessed_ledger(
    verify: Path, houses: Houses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All six keys of three witnesses stand under the published checkpoint, and Go finds each of them good."""
    monkeypatch.setattr(witnessing, "PACE_SECONDS", 0.05)

    async def run() -> list[str]:
        async with three(houses, tmp_path, quorum="all", strict=False) as found, gathering(houses) as made:
            houses.town.tick()
            async with asyncio.timeout(30), made._moved:
                # The third tells last; both lines of each come together.
                await made._moved.wait_for(lambda: len(made._last(made._policy).times) == 6)
            made._write()
            houses.town.tick()
            return [one.vkey for each in found for one in each.verifiers]

    vkeys = asyncio.run(run())
    public = houses.town.root / "public"
    own = [houses.town.keyholder.keys.log.vkey, houses.town.keyholder.keys.ml_dsa.vkey]
    given = [part for vkey in [*own, *vkeys] for part in ("-vkey", vkey)]
    done = subprocess.run([verify, *given, public], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # One bent line is one that Go, too, refuses.
    path = public / "checkpoint"
    lines = path.read_text().splitlines(keepends=True)
    last = lines[-1]
    lines[-1] = last[:60] + ("A" if last[60] != "A" else "B") + last[61:]
    path.write_text("".join(lines))
    done = subprocess.run([verify, *given, public], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "invalid signature" in done.stderr
