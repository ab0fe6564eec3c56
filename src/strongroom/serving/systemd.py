"""The few words a service says to systemd (sd_notify(3)); silence where nobody listens."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """``READY=1``, ``STOPPING=1``, ``WATCHDOG=1``, ``RELOADING=1``. Whatever is wrong with the line is no reason not to serve."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


async def watchdog() -> None:
    """Say for ever that this loop runs, twice in the time that systemd waits; at once over where it does not wait."""
    try:
        wait = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6
    except ValueError:
        wait = 0
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        wait = 0
    while wait:
        notify("WATCHDOG=1")
        await asyncio.sleep(wait)
