"""The published ledger as files, the document of the API, and its page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.service.town import Town
from tests.world import Person

from strongroom.client import published
from strongroom.custody.room import Room
from strongroom.ledger import checkpoint, directory, note, proof


@pytest.fixture(scope="module")
def published_town(town: Town, people: list[Person]) -> Town:
    assert town.post("/v1/disclosures", town.disclose([people[0].handle])).status == 200
    room = Room(town.root / "vault")
    room.publish()
    room.close()
    return town


def test_the_ledger_is_read_from_the_vault_like_from_any_web_server(published_town: Town) -> None:
    town = published_town
    fetch = published.fetch_from(f"http://{town.vault.host}:{town.vault.port}/ledger")
    text = directory.Directory(fetch).note()
    at = checkpoint.parse(note.parse_note(text).text)
    assert at.size > 3
    found = directory.prove(fetch, 1)
    written = directory.Directory(fetch).entry(1, at.size)
    proof.verify(found, written, [note.verifier(town.get("/v1/room").json()["log"])])


def test_what_never_changes_is_kept_and_what_does_is_not(published_town: Town) -> None:
    town = published_town
    public = town.root / "public"
    files = [
        path.relative_to(public).as_posix() for path in public.rglob("*") if path.is_file() and path.name[0] != "."
    ]
    assert any(path.startswith("tile/") for path in files)
    assert any(path.startswith("tags/") for path in files)
    for path in files:
        answer = town.get(f"/ledger/{path}")
        assert (answer.status, answer.body) == (200, (public / path).read_bytes())
        kept = "public, max-age=31536000, immutable" if path.startswith("tile/") else "no-cache"
        assert answer.headers["Cache-Control"] == kept
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert town.call("GET", f"/ledger/{path}", headers={"If-None-Match": answer.headers["ETag"]}).status == 304


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "nothing",
        "../vault/keys.json",
        "..%2fvault%2fkeys.json",
        "%2e%2e/vault/keys.json",
        "tile/../../vault/keys.json",
        "tile/%2e%2e/%2e%2e/vault/keys.json",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".checkpoint.draft",
        "tags/.hidden",
        "linked",
        "linked/keys.json",
        "checkpoint%00.txt",
        "checkpoint/",
        "check%0apoint",
        "a" * 5000,
        "a/" * 300,
    ],
)
def test_nothing_but_the_ledger_is_given(published_town: Town, path: str) -> None:
    public = published_town.root / "public"
    for draft in (public / ".checkpoint.draft", public / "tags" / ".hidden"):
        draft.parent.mkdir(exist_ok=True)
        draft.write_text("a draft")
    if not (public / "linked").is_symlink():
        os.symlink(published_town.root / "vault", public / "linked")
    answer = published_town.get(f"/ledger/{path}")
    assert answer.status == 404, (answer.status, answer.body[:100])
    answer.problem(404, "not-found")


def test_the_page_loads_nothing_from_elsewhere(town: Town) -> None:
    page = town.get("/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert b"http" not in page.body
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png", "LICENSE"):
        assert town.get(f"/docs/{name}").status == 200
    for name in ("index.html", "swagger-editor.js", "..%2fcore.py", "%2e%2e"):
        town.get(f"/docs/{name}").problem(404, "not-found")


def test_the_page_shows_the_routes_in_a_browser(town: Town, tmp_path: Path) -> None:
    """What a browser makes of it under that policy: every route of the table stands in it."""
    from shutil import which

    browser = which("chromium") or which("chromium-browser") or which("google-chrome")
    if browser is None:
        pytest.skip("no browser here")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path}", f"http://{town.vault.host}:{town.vault.port}/docs"]
    shown = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode()
    for path in town.get("/openapi.json").json()["paths"]:
        assert path.replace("/", "\u200b/") in shown or path in shown, path
    assert sys.platform != "win32"
