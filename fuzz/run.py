"""One target under atheris, in a process of its own: libFuzzer ends the process that it ran in."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.mutate import mutated
from fuzz.seeds import ROOT
from fuzz.target import Target

WORK = ROOT / ".fuzz"
"""What was found, by target: kept from run to run, so that each goes on where the last one ended."""

_INITED = re.compile(rb"INITED +cov: (\d+)")
_COVERED = re.compile(rb"cov: (\d+)")
_COUNT = re.compile(rb"stat::number_of_executed_units: +(\d+)")
_REACHED = re.compile(rb"^#(\d+)", re.MULTILINE)
_BROKE, _WRITTEN = "broke: ", "input: "
_SECONDS_FOR_ONE = 20
_MEGABYTES = 2048


@dataclass(frozen=True)
class Ran:
    """``new`` is how many edges were reached that the seeds and former runs had not. ``broken`` is empty, or says how."""

    name: str
    executions: int
    seconds: float
    new: int | None
    broken: str


@dataclass(frozen=True)
class Budget:
    """Either seconds or, where ``runs`` is not 0, a number of inputs from the seeds alone, the same each time."""

    seconds: int
    runs: int


def start(atheris: Any, target: Target, budget: Budget) -> int:
    """The process in which ``target`` is fuzzed; ``finish`` says what came of it."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        log = os.open(_log(target.name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _fuzz(atheris, target, budget)
        status = 0
    finally:
        # Whatever happened, the other half of the fork must not go on with the parent's work.
        os._exit(status)
    return 0


def finish(target: Target, status: int, began: float) -> Ran:
    """``status``: as ``os.waitpid`` gives it."""
    text = _log(target.name).read_bytes()
    inited, covered = _INITED.search(text), _COVERED.findall(text)
    count, reached = _COUNT.search(text), _REACHED.findall(text)
    return Ran(
        name=target.name,
        executions=int(count[1]) if count else int(reached[-1]) if reached else 0,
        seconds=time.monotonic() - began,
        new=max(0, int(covered[-1]) - int(inited[1])) if inited and covered else None,
        broken=_how(target.name, text) if status else "",
    )


def _fuzz(atheris: Any, target: Target, budget: Budget) -> None:
    seeds, found, broken = (WORK / part / target.name for part in ("seeds", "corpus", "broken"))
    shutil.rmtree(seeds, ignore_errors=True)
    for folder in (seeds, found, broken):
        folder.mkdir(parents=True, exist_ok=True)
    corpus = target.corpus()
    for at, seed in enumerate(corpus):
        (seeds / f"{at:04}").write_bytes(seed)
    options = [f"-timeout={_SECONDS_FOR_ONE}", f"-rss_limit_mb={_MEGABYTES}", "-print_final_stats=1"]
    options += [f"-artifact_prefix={broken}/", f"-max_len={max(4096, 2 * max(map(len, corpus)))}"]
    if budget.runs:
        options += [f"-runs={len(corpus) + budget.runs}", "-seed=1", str(seeds)]
    else:
        options += [f"-max_total_time={budget.seconds}", str(found), str(seeds)]

    def change(data: bytes, most: int, seed: int) -> bytes:
        # libFuzzer changes bytes and follows coverage; ours knows JSON, and what tends to be read wrongly.
        if seed % 2:
            return bytes(atheris.Mutate(data, most))
        return mutated(data, corpus, random.Random(seed))[:most]

    def one(data: bytes) -> None:
        try:
            target.check(data)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            file = broken / hashlib.sha256(data).hexdigest()[:16]
            file.write_bytes(data)
            print(f"{_BROKE}{type(error).__name__}: {error}\n{_WRITTEN}{file}")
            traceback.print_exc()
            sys.stdout.flush()
            # libFuzzer would end the process too, but only some of its builds write the input down before that.
            os._exit(1)

    atheris.Setup(["fuzz", *options], one, custom_mutator=change)
    atheris.Fuzz()


def _log(name: str) -> Path:
    WORK.mkdir(mode=0o700, exist_ok=True)
    (WORK / "log").mkdir(exist_ok=True)
    return WORK / "log" / f"{name}.txt"


def _how(name: str, text: bytes) -> str:
    lines = text.decode(errors="replace").splitlines()
    # Ours; or libFuzzer's own, of what took too long, too much memory, or ended the process from within.
    what = _after(lines, _BROKE) or _after(lines, "==", "ERROR: libFuzzer: ") or "it ended at once"
    file = _after(lines, _WRITTEN) or _after(lines, "artifact_prefix=", "Test unit written to ") or "none was written"
    return f"{what}\n    input: {file}\n    log:   {_log(name)}"


def _after(lines: list[str], start: str, mark: str = "") -> str:
    """What follows ``mark``, or ``start``, in the first line that begins with ``start``."""
    found = next((line for line in lines if line.startswith(start)), "")
    return found.partition(mark or start)[2]
