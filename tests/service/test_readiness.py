"""The vault's ``/readyz`` beside a keyholder that runs, is killed, and comes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.service.town import Town
from tests.serving.conftest import ask

OK = {"charter": "ok", "keyholder": "ok", "mirror": "ok", "store": "ok"}


def _look(town: Town) -> tuple[int, dict[str, str]]:
    status, said = ask(town.vault.admin, "GET", "/readyz")
    found = json.loads(said)
    assert found["ready"] == (status == 200)
    return status, found["checks"]


def test_ready_when_the_keyholder_is(peopled: Path, tmp_path: Path) -> None:
    root = tmp_path / "room"
    shutil.copytree(peopled, root)
    town = Town(root)
    try:
        assert _look(town) == (200, OK)
        town.keyholder.kill()
        status, checks = _look(town)
        assert status == 503
        assert {name for name, said in checks.items() if said != "ok"} == {"keyholder", "mirror"}
        assert ask(town.vault.admin, "GET", "/livez")[0] == 200
        town.keyholder.start()
        assert _look(town) == (200, OK)
        # A file where the probe goes to: nothing can be written there.
        (root / "vault" / ".probe").mkdir()
        status, checks = _look(town)
        assert (status, checks | {"store": "ok"}) == (503, OK)
        (root / "vault" / ".probe").rmdir()
        figures = ask(town.vault.admin, "GET", "/metrics")[1]
        assert b"strongroom_requests_total" in figures
    finally:
        town.close()
