"""The tour: real commands against a real room, each shown as it would be typed, with what it printed (DESIGN section 1)."""

from __future__ import annotations

import csv
import io
import os
import re
import shlex
import sys
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from strongroom.cli import development
from strongroom.cli.command import FINE, REFUSED
from strongroom.cli.main import main
from strongroom.cli.output import FAINT, GOOD, STRONG, Output
from strongroom.demo import thief
from strongroom.errors import StrongroomError
from strongroom.synth.people import people

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 2026
_COMMAND = "bold cyan"
_MARGIN = "    "
_CLEARED = "\x1b[2K"
_STYLING = re.compile(r"\x1b\[[0-9;]*m")
_CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b")


class DemoFailed(StrongroomError):
    """A command of the tour did not end as it should."""

    code = "demo"


class Tour:
    """One telling. ``room`` is made new; ``count`` residents are taken in."""

    def __init__(self, room: Path, count: int, out: Output) -> None:
        self.room, self.count, self.out = room, count, out
        self.residents = list(people(count, SEED))
        self._scene = 0

    def tell(self) -> None:
        """All scenes. Raises ``DemoFailed`` where something did not go as told."""
        began = time.monotonic()
        self.found()
        with development.keyholder(self.room, lambda text: None):
            self.readers()
            self.take_in()
            self.read()
            self.refuse()
            self.steal()
            self.subject()
            self.verify()
        self.end(time.monotonic() - began)

    # --- scenes ----------------------------------------------------------------------------------------------------
    def found(self) -> None:
        self.scene(
            "Two houses",
            "The vault will have the records and no second key. The keyholder has the second key and the book.",
        )
        self.run("init", "--example", "city")

    def readers(self) -> None:
        self.scene(
            "People who may ask",
            "Each signs with a key of their own device; role and unit stand in the charter's roster.",
        )
        for name, role in (("ana", "clerk"), ("bo", "clerk"), ("rui", "registrar")):
            self.run("reader", "add", name, "--role", role, "--unit", "registry")

    def take_in(self) -> None:
        self.scene(
            f"{self.count:,} residents are sealed",
            "Synthetic: their region codes were never assigned, so no number is a real person's.",
        )
        plain = self.room / "residents.csv"
        with plain.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.residents[0]))
            writer.writeheader()
            writer.writerows(self.residents)
        os.chmod(plain, 0o600)
        reason = "taking in the register of residents"
        self.run("import", str(plain), "--as", "rui", "--purpose", "register", "--case", "R-2026-1", "--reason", reason)
        plain.unlink()

    def read(self) -> None:
        person = self.residents[7]
        self.scene(
            "A read, for a purpose",
            f"{person['name']} stands at Ana's desk. The ID number goes in on stdin, never on the command line.",
        )
        reason = "applies for a certificate of residence"
        self.ask("ana", "confirm-identity", "name,id-number,born", person["id-number"], "2026/4711", reason)
        self.ask("rui", "issue-document", "name,address,district", person["id-number"], "2026/4711", reason)

    def refuse(self) -> None:
        person = self.residents[7]
        self.scene("Refused", "Another purpose's field, then no real reason. Both refusals stand in the public book.")
        self.ask(
            "ana",
            "confirm-identity",
            "name,address",
            person["id-number"],
            "2026/4711",
            "applies for a certificate",
            wanted=REFUSED,
        )
        self.ask("ana", "confirm-identity", "name", person["id-number"], "2026/4711", "asdf asdf asdf", wanted=REFUSED)

    def steal(self) -> None:
        self.scene("Stolen in vain", "A thief copies the whole vault, data keys included.")
        values = [
            one[name] for one in self.residents[:50] for name in ("id-number", "name", "phone", "email", "address")
        ]
        loot = thief.steal(self.room / "vault", values)
        for line in loot.sample:
            self.out.line(("record ", FAINT), line, indent=2)
        self.out.line(f"{loot.files} files, {loot.bytes / 2**20:,.0f} MB, {loot.records:,} records", indent=2)
        if loot.found:
            raise DemoFailed(f"{loot.found} personal values stand readable in the stolen vault")
        self.good(f"{loot.sought} personal values looked for in every byte: 0 found")

    def subject(self) -> None:
        person = self.residents[7]
        self.scene(
            "Every read of me",
            f"{person['name']} shows an ID card at the keyholder's desk, gets a code, and asks from a device of their own.",
        )
        printed = self.run(
            "subject", "admit", "--holding", "residents", "--by", "resident-id", stdin=person["id-number"]
        )
        code = _CODE.search(_STYLING.sub("", printed))
        if code is None:
            raise DemoFailed("the desk gave no code")
        device = str(self.room / "people" / "resident.device")
        self.run("subject", "enrol", "--device", device, stdin=code.group(), shown_stdin=False)
        self.run("subject", "reads", "--device", device)

    def verify(self) -> None:
        self.scene(
            "The book, verified from outside",
            "Only static files and verifier keys, which a stranger would have from elsewhere.",
        )
        self.run("ledger", "publish")
        self.run(
            "ledger",
            "verify",
            "--from",
            str(self.room / "public"),
            "--vkeys",
            str(self.room / "public" / "vkeys"),
            room=False,
        )

    def end(self, seconds: float) -> None:
        out, room = self.out, shlex.quote(str(self.room))
        out.blank()
        self.good(f"That was all of it, for real, in {seconds:.0f} s.")
        out.blank()
        out.line((f"{room}/vault", STRONG), "      sealed records, the vault's keys", indent=2)
        out.line((f"{room}/keyholder", STRONG), "  the second key and the book", indent=2)
        out.line((f"{room}/public", STRONG), "     the published ledger: tiles, checkpoint, vkeys", indent=2)
        out.blank()
        out.line("Try next:")
        for text in (
            f"strongroom ledger show --last 12 --room {room}",
            "strongroom drill --all",
            f"strongroom fsck --room {room}",
            f"strongroom keyholder --development --room {room}   # then find and disclose from another terminal",
        ):
            out.line((text, _COMMAND), indent=2)

    # --- telling ---------------------------------------------------------------------------------------------------
    def scene(self, title: str, text: str) -> None:
        self._scene += 1
        self.out.blank()
        self.out.line((f"{self._scene}  {title}", STRONG))
        self.out.line((text, FAINT), indent=3)

    def good(self, text: str) -> None:
        self.out.line(("  ✓ ", GOOD), text)

    def ask(self, who: str, purpose: str, fields: str, value: str, case: str, reason: str, wanted: int = FINE) -> None:
        self.run(
            *("disclose", "--as", who, "--purpose", purpose, "--fields", fields, "--by", "resident-id"),
            *("--case", case, "--reason", reason),
            stdin=value,
            wanted=wanted,
        )

    def run(self, *words: str, stdin: str = "", wanted: int = FINE, room: bool = True, shown_stdin: bool = True) -> str:
        """Run one command in this process, shown as typed. Returns what it printed. Raises ``DemoFailed``."""
        typed = shlex.join(["strongroom", *words])
        # Its identifier comes on stdin; a person would type it at the prompt.
        self.out.line((f"$ {typed}", _COMMAND), (f"   < {stdin}" if stdin and shown_stdin else "", FAINT), indent=2)
        printed, said = io.StringIO(), io.StringIO()
        sys.stdout.flush()
        with _typed(stdin), redirect_stdout(_Tee(printed, sys.stdout)), redirect_stderr(_Tee(said, sys.stderr)):
            code = main([*words, "--room", str(self.room)] if room else list(words))
        if code != wanted:
            raise DemoFailed(f"`{typed}` ended with {code}, not {wanted}")
        return printed.getvalue()


@contextmanager
def _typed(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.StringIO(text + "\n")
    try:
        yield
    finally:
        sys.stdin = before


class _Tee(io.TextIOBase):
    """A stream as it is, set in from the margin, and a copy of what went through."""

    def __init__(self, kept: io.StringIO, shown: TextIO) -> None:
        self._kept, self._shown = kept, shown
        self._fresh = True

    def write(self, text: str) -> int:
        self._kept.write(text)
        for line in text.splitlines(keepends=True):
            # A line that only moves the cursor belongs to a progress bar, which draws over itself.
            if self._fresh and line.strip():
                self._shown.write(_MARGIN)
            self._shown.write(line)
            self._fresh = line.endswith(("\n", _CLEARED))
        return len(text)

    def flush(self) -> None:
        self._shown.flush()

    def isatty(self) -> bool:
        return self._shown.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._shown.encoding
