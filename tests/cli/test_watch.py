"""Watching and verifying from outside: over a directory, over HTTP, and a ledger that was tampered with."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import world
from tests.cli.session import Session

from strongroom.client import published
from strongroom.errors import InputError


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(alone: Session) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(alone.room / "public"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def grow(room: Path, count: int) -> None:
    """``count`` entries more, published."""
    town = world.World(room)
    for n in range(count):
        number = f"{room.name}:{n}"
        town.find("phone", f"139{sum(map(ord, number)) % 10**8:08}")
    town.room.publish()
    town.close()


def away(alone: Session) -> tuple[str, ...]:
    """The options of somebody who has no room: keys, and a memory of their own."""
    keys = alone.room.parent / "vkeys"
    if not keys.exists():
        shutil.copy(alone.room / "public" / "vkeys", keys)
    return ("--vkeys", str(keys), "--state", str(alone.room.parent / "seen"))


def test_over_http(alone: Session, web: str) -> None:
    keys = away(alone)[:2]
    grow(alone.room, 150)
    outside = Session(alone.room.parent / "no-room")
    ran = outside.run("ledger", "verify", "--from", web, *keys)
    assert ran.code == 0, ran.err
    assert "154 entries, everything recomputed" in ran.out
    assert outside.run("ledger", "watch", "--once", "--from", web, *away(alone)).code == 0
    grow(alone.room, 5)
    ran = outside.run("ledger", "watch", "--once", "--from", web, *away(alone))
    assert "by 5 to 159 entries: 5 find" in ran.out


def test_over_http_what_is_missing_is_named(alone: Session, web: str) -> None:
    next((alone.room / "public" / "tile" / "entries").rglob("1")).unlink()
    ran = Session(alone.room.parent / "no-room").run("ledger", "verify", "--from", web, *away(alone)[:2])
    assert ran.code == 1
    assert "tile/entries/000.p/1: missing" in ran.err


def test_a_server_that_is_not_there(alone: Session) -> None:
    ran = alone.run("ledger", "verify", "--from", "http://127.0.0.1:9", *away(alone)[:2])
    assert ran.code == 1
    assert ran.err == "strongroom: cosigned: cannot be read (URLError)\n"


@pytest.mark.parametrize("where", ["file:///etc", "ftp://localhost/x"])
def test_only_the_web(where: str) -> None:
    with pytest.raises(InputError, match="http"):
        published.fetch_from(where)


def test_without_a_key_nothing_is_proven(alone: Session, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n# no key\n")
    ran = alone.run("ledger", "verify", "--vkeys", str(tmp_path / "empty"))
    assert ran.code == 1
    assert "no verifier key" in ran.err
    ran = Session(tmp_path / "no-room").run("ledger", "verify", "--from", str(alone.room / "public"))
    assert ran.code == 1
    assert "give --vkey or --vkeys" in ran.err


def test_a_flipped_byte(alone: Session) -> None:
    grow(alone.room, 1)
    tile = next((alone.room / "public" / "tile" / "0").rglob("5"))
    data = bytearray(tile.read_bytes())
    data[40] ^= 1
    tile.write_bytes(data)
    ran = alone.run("ledger", "verify")
    assert ran.code == 1
    assert "tile/0/000.p/5: its hash 1 is not that of entry 1" in ran.err


@pytest.mark.parametrize(
    ("ours", "theirs", "said"), [(2, 2, "FORKED"), (4, 2, "REWOUND"), (2, 4, "REWRITTEN")], ids=str
)
def test_another_past_is_found_and_never_forgotten(
    alone: Session, tmp_path: Path, ours: int, theirs: int, said: str
) -> None:
    shutil.copytree(alone.room, tmp_path / "other-room")
    grow(alone.room, ours)
    grow(tmp_path / "other-room", theirs)
    watch = ("ledger", "watch", "--once", *away(alone), "--from")
    assert alone.run(*watch, str(alone.room / "public")).code == 0
    for _ in range(2):
        ran = alone.run(*watch, str(tmp_path / "other-room" / "public"))
        assert ran.code == 1
        assert said in ran.err
        evidence = (tmp_path / "seen.conflict").read_text()
        assert evidence == (tmp_path / "other-room" / "public" / "checkpoint").read_text()
    ran = alone.run("ledger", "verify", "--from", str(tmp_path / "other-room" / "public"), *away(alone)[:2])
    assert ran.code == 0, "each of the two pasts is whole in itself: only who remembers can tell"
    assert alone.run(*watch, str(alone.room / "public")).code == 0


def test_a_fork_that_was_never_seen_before_is_not_the_vaults(alone: Session, tmp_path: Path) -> None:
    """Who looks for the first time, or has seen nothing yet of what was rewritten, has the vault's word against it."""
    shutil.copytree(alone.room, tmp_path / "other-room")
    outside = Session(tmp_path / "no-room")
    watch = ("ledger", "watch", "--once", *away(alone), "--from")
    assert outside.run(*watch, str(alone.room / "public")).code == 0
    grow(alone.room, 2)
    grow(tmp_path / "other-room", 3)
    public = tmp_path / "other-room" / "public"
    for spoil, said in (
        (
            lambda: shutil.copy(alone.room / "public" / "cosigned", public / "cosigned"),
            "FORKED: the vault has confirmed another",
        ),
        ((public / "cosigned").unlink, "cosigned: missing"),
    ):
        spoil()
        for state in ("seen", "first"):
            keys = ("--vkeys", str(tmp_path / "vkeys"), "--state", str(tmp_path / state))
            ran = outside.run("ledger", "watch", "--once", "--from", str(public), *keys)
            assert ran.code == 1
            assert said in ran.err
        assert not (tmp_path / "first").exists()
    assert (tmp_path / "seen.conflict").read_text() == (public / "checkpoint").read_text()
    assert (tmp_path / "seen.conflict.cosigned").read_text() == (alone.room / "public" / "cosigned").read_text()
    ran = outside.run("ledger", "verify", "--from", str(public), *away(alone)[:2])
    assert ran.code == 0
    assert "by nobody: no cosignature of the vault" in ran.out
    # Who trusts the log alone is told of no vault.
    log = (tmp_path / "vkeys").read_text().splitlines()[0]
    keys = ("--vkey", log, "--state", str(tmp_path / "logs"))
    ran = outside.run("ledger", "watch", "--once", "--json", "--from", str(public), *keys)
    assert (ran.code, json.loads(ran.out)["confirmed"]) == (0, None)


def test_the_vaults_word_does_not_go_back(alone: Session) -> None:
    public = alone.room / "public"
    old = (public / "cosigned").read_bytes()
    grow(alone.room, 2)
    ran = alone.run("ledger", "watch", "--once")
    assert "confirmed by the vault" not in ran.out
    (public / "cosigned").write_bytes(old)
    ran = alone.run("ledger", "watch", "--once")
    assert ran.code == 1
    assert "cosigned: REWOUND: the vault had confirmed 6 entries when we last looked, and now only 1" in ran.err
    (alone.room / "watch.state.cosigned").unlink()
    ran = alone.run("ledger", "watch", "--once")
    assert "6 entries, 1 of them confirmed by the vault" in ran.out


def test_a_spoilt_memory_is_not_taken_for_a_first_look(alone: Session) -> None:
    (alone.room / "watch.state").write_text("riverton.example/ledger\n0\n\n")
    ran = alone.run("ledger", "watch", "--once")
    assert ran.code == 1
    assert "watch.state: not a checkpoint" in ran.err


def test_another_rooms_ledger(alone: Session) -> None:
    """Its keys would verify it; that it does not begin with our first charter gives it away."""
    room = alone.room / "vault" / "room.json"
    text = room.read_text()
    genesis = text[text.index('"genesis":"') + 11 :][:44]
    room.write_text(text.replace(genesis, "A" * 43 + "="))
    ran = alone.run("ledger", "verify")
    assert ran.code == 1


def test_a_server_away_for_a_while_is_no_proof(alone: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.cli.ledger_watch.PATIENCE", 3)
    keys = away(alone)
    (alone.room / "public" / "checkpoint").unlink()
    ran = alone.run("ledger", "watch", "--interval", "0.2", *keys)
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "checkpoint: missing; looking again in 0.2 s",
        "checkpoint: missing; looking again in 0.2 s",
        "strongroom: checkpoint: missing",
    ]
