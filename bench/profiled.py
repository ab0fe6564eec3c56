"""A command of Strongroom's under the profiler, all its threads, from SIGUSR2 on: ``python -m bench.profiled FILE ARGUMENTS``."""

from __future__ import annotations

import cProfile
import pstats
import signal
import sys
import threading
import time

from strongroom.cli.main import main


def _profile() -> cProfile.Profile:
    # By the thread's own processor time: neither the disk nor whoever else uses the machine is in it.
    return cProfile.Profile(time.thread_time_ns, 1e-9)


_mine = _profile()
_others: list[cProfile.Profile] = []
_run = threading.Thread.run


def _profiled(self: threading.Thread) -> None:
    profile = _profile()
    _others.append(profile)
    profile.runcall(_run, self)


if __name__ == "__main__":
    threading.Thread.run = _profiled  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR2, lambda *_: _mine.enable())
    code = main(sys.argv[2:])
    _mine.disable()
    pstats.Stats(_mine, *_others).dump_stats(sys.argv[1])
    sys.exit(code)
