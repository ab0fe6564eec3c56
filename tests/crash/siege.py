"""Commands that are killed again and again, in every way there is, and gone on with until they are done.

A kill strikes the command, the keyholder, or both: at a moment that chance draws, or at one of the process's own steps
(``child.py``), where less time passes and more is at stake. All of it is drawn from a seed that is printed with a failure.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.houses import CHILD, Keyholder, fsck, kill, start, until
from tests.serving.said import calm
from tests.world import World

from strongroom.drill.stage import Hands

AT_A_STEP, AT_A_MOMENT = "the command at a step", "the command at a moment"
KEYHOLDER_AT_A_STEP, KEYHOLDER_AT_A_MOMENT = "the keyholder at a step", "the keyholder at a moment"
BOTH = "both houses at once"
_BLOWS = {AT_A_STEP: 4, AT_A_MOMENT: 2, KEYHOLDER_AT_A_STEP: 2, KEYHOLDER_AT_A_MOMENT: 1, BOTH: 1}

STRUCK: dict[str, Counter[str]] = {}
"""Loop -> how often each blow fell; printed at the end of ``make kill``."""

# What a command may end with when its keyholder was killed: done all the same, or no keyholder answers.
_LEFT_ALONE = (0, 1, 4)
_SECONDS = 180


@dataclass
class Siege:
    """One loop of one room. ``later``: seconds by which all its processes' clocks are ahead; ``alone``: it wants no keyholder."""

    name: str
    room: Path
    kills: int
    alone: bool = False
    later: float = 0
    page: int = 20
    chooser: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.folder = self.room.parent
        self.log = self.folder / "log"
        self.log.touch()
        self.keyholder = Keyholder(self.room, self.log)
        self.struck = STRUCK.setdefault(self.name, Counter())
        # Learned on the way: how many steps and seconds the command takes, and the keyholder's meanwhile.
        self._steps, self._seconds, self._keyholder_steps = 20, 0.5, 40

    # --- what is done to it --------------------------------------------------------------------------------------------
    def storm(
        self,
        begin: Callable[[int], list[str]],
        finished: Callable[[int, int], None] = lambda turn, code: None,
        *,
        meanwhile: Callable[[], None] = lambda: None,
        good: tuple[int, ...] = (0,),
    ) -> int:
        """Kill what ``begin`` says, as often as wanted, and have it done each time, by saying the same again. ``begin(turn)``
        prepares and names a turn's arguments, ``finished(turn, code)`` looks at it once it has ended well, ``meanwhile`` after
        each kill. Returns how many turns there were."""
        turn, arguments = 0, list[str]()
        while arguments or self.struck.total() < self.kills or not turn:
            if not arguments:
                arguments = begin(turn)
            blow = self._blow() if self.struck.total() < self.kills else ""
            fell, code = self._attempt(arguments, blow)
            if fell:
                self.struck[blow] += 1
                meanwhile()
            if code in good:
                finished(turn, code)
                turn, arguments = turn + 1, []
            elif not fell:
                raise AssertionError(f"{arguments[0]} ended with {code}:\n{self.said()}")
        return turn

    def harry(self, arguments: list[str], goes_on: Callable[[], int]) -> None:
        """The same of what never ends by itself; ``goes_on`` counts what it has done, which must grow after each blow."""
        while self.struck.total() < self.kills or not goes_on():
            blow = self._blow() if self.struck.total() < self.kills else AT_A_MOMENT
            process = self._start(arguments, blow)
            if blow == KEYHOLDER_AT_A_STEP and self.keyholder.runs:
                self._wait_for(process, lambda: int(not self.keyholder.runs), seconds=5)
            elif blow != KEYHOLDER_AT_A_STEP:
                self._wait_for(process, goes_on, more=2)
                until(process, 5 if blow == AT_A_STEP else self.chooser.random())
            if blow in (KEYHOLDER_AT_A_MOMENT, BOTH):
                self.keyholder.kill()
            if blow == BOTH:
                kill(process)
            fell = {
                AT_A_STEP: process.poll() == -signal.SIGKILL,
                KEYHOLDER_AT_A_STEP: not self.keyholder.runs,
            }.get(blow, True)
            if blow in (KEYHOLDER_AT_A_STEP, KEYHOLDER_AT_A_MOMENT):
                self._holding({})
                self._wait_for(process, goes_on)
                assert process.poll() is None, self.said()
            kill(process)
            self.struck[blow] += fell

    def _blow(self) -> str:
        blows = [AT_A_STEP, AT_A_MOMENT] if self.alone else list(_BLOWS)
        return self.chooser.choices(blows, [_BLOWS[blow] for blow in blows])[0]

    def _attempt(self, arguments: list[str], blow: str) -> tuple[bool, int]:
        """Whether the blow fell, and with what the command ended."""
        process = self._start(arguments, blow)
        began = self.folder / "began"
        self._wait_for(process, lambda: int(began.exists()))
        first = time.monotonic()
        if blow in (AT_A_MOMENT, KEYHOLDER_AT_A_MOMENT, BOTH) and until(process, self.chooser.random() * self._seconds):
            blow = ""  # it was faster
        if blow in (KEYHOLDER_AT_A_MOMENT, BOTH):
            self.keyholder.kill()
        if blow in (AT_A_MOMENT, BOTH):
            kill(process)
            return True, -signal.SIGKILL
        code = process.wait(_SECONDS)
        if code == -signal.SIGKILL:
            assert blow == AT_A_STEP, self.said()
            return True, code
        if blow == KEYHOLDER_AT_A_MOMENT or (blow == KEYHOLDER_AT_A_STEP and not self.keyholder.runs):
            assert code in _LEFT_ALONE, f"{arguments[0]} ended with {code}:\n{self.said()}"
            return True, code
        if code == 0:
            # The longest one: what went on where another was killed had less to do.
            self._steps = max(self._steps, int((self.folder / "steps").read_text()))
            self._seconds = max(self._seconds, time.monotonic() - first)
        if blow == KEYHOLDER_AT_A_STEP:
            self._keyholder_steps = max(4, self._keyholder_steps // 2)
        return False, code

    def _start(self, arguments: list[str], blow: str) -> subprocess.Popen[bytes]:
        if not self.alone:
            steps = self.chooser.randint(1, self._keyholder_steps)
            self._holding({"die": steps} if blow == KEYHOLDER_AT_A_STEP else {})
        (self.folder / "began").unlink(missing_ok=True)
        told = {**self.told, "began": str(self.folder / "began"), "steps": str(self.folder / "steps")}
        if blow == AT_A_STEP:
            told["die"] = self.chooser.randint(1, self._steps)
        if not arguments[0].endswith(".py"):
            arguments = [*arguments, "--room", str(self.room)]
        return start([*CHILD, *arguments], self.log, told, self.folder)

    def _holding(self, told: dict[str, Any]) -> None:
        """The keyholder runs, with this done to it."""
        told = {"later": self.later, **told}
        if self.keyholder.runs and self.keyholder.told != told:
            self.keyholder.stop()
        self.keyholder.told = told
        if not self.keyholder.ensure():
            assert "die" in told, self.said()

    def _wait_for(
        self, process: subprocess.Popen[bytes], count: Callable[[], int], more: int = 1, seconds: float = 0
    ) -> None:
        """Until there are so many more, or the process has ended, or for some ``seconds``: without, for ever is an error."""
        end, enough = time.monotonic() + (seconds or _SECONDS), count() + more
        while count() < enough and process.poll() is None:
            if time.monotonic() > end:
                assert seconds, self.said()
                return
            time.sleep(0.005)

    @property
    def told(self) -> dict[str, Any]:
        return {"later": self.later, "rows": 5 * self.page, "page": self.page} if self.page else {"later": self.later}

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-8000:]

    # --- without any ---------------------------------------------------------------------------------------------------
    def run(self, *arguments: str, alone: bool = False) -> None:
        """A command that nobody disturbs; ``alone``: while no keyholder runs."""
        if alone:
            self.keyholder.stop()
            process = start([*CHILD, *arguments, "--room", str(self.room)], self.log, self.told, self.folder)
        else:
            process = self._start(list(arguments), "")
        assert process.wait(_SECONDS) == 0, self.said()

    def rest(self) -> None:
        """Both houses stopped, and whole: by their own word, and by that of whoever verifies what is published."""
        if not self.alone:
            self._holding({})
            self.keyholder.stop()
        checked = fsck(self.room, {"later": self.later})
        assert checked.returncode == 0, checked.stdout + checked.stderr + self.said()
        said = self.log.read_text(errors="replace")
        calm(said)
        verified = start([*CHILD, "ledger", "verify", "--room", str(self.room)], self.log, {"later": self.later})
        assert verified.wait(_SECONDS) == 0, self.said()

    @contextmanager
    def world(self) -> Iterator[World]:
        """Both houses in this process, at their time; the keyholder's process is stopped meanwhile."""
        if not self.alone:
            self._holding({})
            self.keyholder.stop()
        hands = Hands()
        hands.wall_time = time.time() + self.later
        town = World(self.room, hands)
        try:
            yield town
        finally:
            town.close()


def seed() -> int:
    """Of all that chance draws: another one each time, or STRONGROOM_SEED."""
    return int(os.environ.get("STRONGROOM_SEED") or random.SystemRandom().randrange(10**6))
