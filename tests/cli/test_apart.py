"""Two houses founded on two machines: keys drawn on each, public ones in a file, the first charter's hash carried by hand."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests import world
from tests.cli.session import Ran, Session
from tests.serving.certificates import Authority
from tests.serving.conftest import Process, ask

from strongroom.custody import ceremony, keys
from strongroom.synth.people import people

MAIN = [sys.executable, "-m", "strongroom.cli.main"]


class Ceremony:
    """``here`` has the vault, ``there`` the keyholder; what passes between them lies in ``post``."""

    def __init__(self, root: Path) -> None:
        self.root, self.post = root, root / "post"
        for part in ("here", "there", "post"):
            (root / part).mkdir()
        self.here, self.there = Session(root / "here"), Session(root / "there")
        (root / "charter.yaml").write_text(world.CHARTER)
        self.authority = Authority(root)
        certificate, key = self.authority.sign("keyholder")
        (root / "there" / "strongroom.toml").write_text(
            f"[keyholder]\ntls-certificate = '{certificate}'\ntls-key = '{key}'\nadmin-port = 0\n"
        )
        self.process: Process | None = None
        self.admin = 0

    def create(self, name: str = "riverton.example") -> Ran:
        return self.there.run("keyholder", "create", name, "--out", str(self.post / "keyholder.json"))

    def init(self, address: str = "https://127.0.0.1:1", *, keys: str = "keyholder.json") -> Ran:
        return self.here.run(
            *("init", "--charter", str(self.root / "charter.yaml"), "--json"),
            *("--keyholder-keys", str(self.post / keys), "--keyholder-address", address),
        )

    def genesis(self, ran: Ran) -> str:
        assert ran.code == 0, ran.err
        found: str = json.loads(ran.out)["charter"]
        return found

    def start(self, port: int = 0) -> int:
        self.process = Process([*MAIN, "--room", str(self.there.room), "keyholder", "--port", str(port)])
        self.admin = int(self.process.event("health and metrics")["event"].rpartition(":")[2])
        said = self.process.event("keyholder ready on https://")["event"]
        return int(said.partition(",")[0].rpartition(":")[2])

    def checks(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(ask(self.admin, "GET", "/readyz")[1])["checks"]
        return found

    def trust(self) -> None:
        shutil.copy(self.authority.file, self.here.room / "vault" / "keyholder-ca.pem")


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ceremony]:
    # The million bucket keys have a test of their own.
    monkeypatch.setattr(ceremony, "bucket_roots", lambda wanted, _: [bytes(32)] * len(wanted))
    made = Ceremony(tmp_path)
    yield made
    if made.process is not None:
        made.process.end()


def test_the_whole_ceremony(apart: Ceremony) -> None:
    assert apart.create().code == 0
    port = _free_port()
    genesis = apart.genesis(apart.init(f"https://127.0.0.1:{port}"))
    early = apart.here.run("init", "--enter")
    assert early.code == 4
    assert apart.there.run("keyholder", "genesis", genesis).code == 0
    assert apart.start(port) == port
    assert "no charter is in force yet" in apart.checks()["charter"]
    untrusted = apart.here.run("init", "--enter")
    assert (untrusted.code, "keyholder-ca.pem" in untrusted.err) == (4, True)
    apart.trust()
    entered = apart.here.run("init", "--enter")
    assert entered.code == 0, entered.err
    assert "entry 0 of the ledger" in entered.out
    assert set(apart.checks().values()) == {"ok"}
    assert apart.here.run("status").code == 0
    assert apart.here.run("fsck").code == 0
    assert apart.here.run("reader", "add", "chen", "--role", "clerk", "--unit", "registry").code == 0
    assert apart.there.run("keyholder", "freeze", "room").code == 0
    again = apart.here.run("init", "--enter")
    assert (again.code, "in the ledger already" in again.err) == (1, True)
    # Neither house has the other's keys, and both would start so.
    assert sorted(path.name for path in apart.here.room.iterdir()) == ["people", "steward", "vault"]
    assert not (apart.there.room / "vault").exists()
    unknown = apart.here.run("config", "check")
    assert (unknown.code, "identity.origin is not set" in unknown.err) == (1, True)
    (apart.here.room / "strongroom.toml").write_text("[identity]\norigin = 'https://records.example'\n")
    for session in (apart.here, apart.there):
        checked = session.run("config", "check")
        assert checked.code == 0, checked.err
    assert apart.process is not None
    assert apart.process.stop() == 0


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_another_charter_than_the_one_that_was_read_out(apart: Ceremony) -> None:
    apart.create()
    port = _free_port()
    apart.genesis(apart.init(f"https://127.0.0.1:{port}"))
    assert apart.there.run("keyholder", "genesis", "ab" * 32).code == 0
    apart.start(port)
    apart.trust()
    refused = apart.here.run("init", "--enter")
    assert (refused.code, "charter:" in refused.err) == (3, True)
    changed = apart.there.run("keyholder", "genesis", "cd" * 32)
    assert (changed.code, "runs on this already" in changed.err) == (1, True)
    assert apart.process is not None
    assert apart.process.stop() == 0
    changed = apart.there.run("keyholder", "genesis", "cd" * 32)
    assert (changed.code, "does not change" in changed.err) == (1, True)


def test_keys_that_were_swapped_on_their_way(apart: Ceremony) -> None:
    """Even where the steward's hash is believed: the keyholder sees that the charter names another's keys."""
    apart.create()
    mine = (apart.post / "keyholder.json").read_bytes()
    (apart.root / "strange").mkdir()
    strange = Ceremony(apart.root / "strange")
    strange.create()
    found = json.loads((strange.post / "keyholder.json").read_bytes()) | {"room": json.loads(mine)["room"]}
    (apart.post / "swapped.json").write_text(json.dumps(found, sort_keys=True, separators=(",", ":")))
    port = _free_port()
    genesis = apart.genesis(apart.init(f"https://127.0.0.1:{port}", keys="swapped.json"))
    assert apart.there.run("keyholder", "genesis", genesis).code == 0
    apart.start(port)
    apart.trust()
    refused = apart.here.run("init", "--enter")
    assert (refused.code, "charter:" in refused.err) == (3, True), refused.err
    assert "no charter is in force yet" in apart.checks()["charter"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("keys.example", "neither HOST:PORT nor"),
        ("192.0.2.1:7400", "without TLS"),
        ("http://keys.example:1", "neither"),
    ],
)
def test_an_address_that_is_none(apart: Ceremony, address: str, said: str) -> None:
    apart.create()
    ran = apart.init(address)
    assert ran.code in (1, 4)
    assert said in ran.err
    assert list(apart.here.room.iterdir()) == []


def test_what_is_refused_makes_nothing(apart: Ceremony) -> None:
    gone = apart.init()
    assert "no keyholder's public keys" in gone.err
    apart.create("elsewhere.example")
    assert "not a room's name" in apart.create("Elsewhere Example").err
    other = apart.init()
    assert "the keyholder was made for elsewhere.example" in other.err
    twice = apart.create()
    assert "never overwritten" in twice.err
    (apart.post / "keyholder.json").write_text("{}")
    assert "the keyholder's public keys: " in apart.init().err
    half = apart.here.run("init", "--example", "city", "--keyholder-address", "https://x:1")
    assert (half.code, "go together" in half.err) == (2, True)
    nothing = apart.here.run("init", "--enter")
    assert "no first charter to enter" in nothing.err
    for hash_ in ("", "ab", "g" * 64, " " * 64, "ab " * 21 + "a"):
        assert "64 hexadecimal digits" in apart.there.run("keyholder", "genesis", hash_).err
    assert list(apart.here.room.iterdir()) == []


def test_the_desk_of_a_keyholder_that_has_no_vault_beside_it(
    founded: Path, apart: Ceremony, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk says which bucket, the vault writes its key to a file, the person gets a code and enrols over TLS."""
    for machine, parts in ((apart.here, ("vault", "steward")), (apart.there, ("keyholder", "public"))):
        for part in parts:
            shutil.copytree(founded / part, machine.room / part)
    port = apart.start()
    was = keys.load_room(apart.here.room / "vault")
    (apart.here.room / "vault" / "room.json").unlink()
    keys.write_room(apart.here.room / "vault", msgspec.structs.replace(was, keyholder=f"https://127.0.0.1:{port}"))
    apart.trust()
    genesis = was.genesis.hex()
    number, another = (one["id-number"] for one in people(2, 1))
    ask_for = ("subject", "admit", "--holding", "residents", "--by", "resident-id")
    wants = apart.there.run(*ask_for, stdin=number)
    assert wants.code == 1
    found = re.search(r"strongroom subject bucket ([0-9]+) ", wants.err)
    assert found is not None
    assert number not in wants.err
    out = apart.post / "bucket.json"
    handed = apart.here.run(
        *("subject", "bucket", found[1], "--holding", "residents", "--by", "resident-id", "--out", str(out))
    )
    assert handed.code == 0, handed.err
    assert out.stat().st_mode & 0o777 == 0o600
    other = apart.there.run(*ask_for, "--bucket", str(out), stdin=another)
    assert (other.code, "the key of another bucket" in other.err) == (1, True)
    admitted = apart.there.run(*ask_for, "--bucket", str(out), "--json", stdin=number)
    assert admitted.code == 0, admitted.err
    code = json.loads(admitted.out)["code"]
    # The person's own machine trusts the keyholder's certificate as it trusts any other.
    monkeypatch.setenv("SSL_CERT_FILE", str(apart.authority.file))
    outside = ("--keyholder", f"https://127.0.0.1:{port}", "--ledger", str(apart.there.room / "public"))
    enrolled = apart.here.run(
        *("subject", "enrol", "--device", str(apart.root / "zhang.device"), *outside, "--genesis", genesis), stdin=code
    )
    assert enrolled.code == 0, enrolled.err
    # A key that is none of the charter's.
    text = out.read_bytes()
    swapped = json.loads(text)
    swapped["key"] = swapped["proof"][0]
    out.write_text(json.dumps(swapped, sort_keys=True, separators=(",", ":")))
    wrong = apart.there.run(*ask_for, "--bucket", str(out), stdin=number)
    assert (wrong.code, "not the one its charter committed to" in wrong.err) == (1, True)
