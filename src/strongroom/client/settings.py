"""How a room is opened: what ``Room`` and ``AsyncRoom`` are told alike."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from strongroom.client import address, anchors, device, memory
from strongroom.client.address import Address
from strongroom.client.anchors import Anchors
from strongroom.client.core import Core
from strongroom.client.device import Device, SignedAsk
from strongroom.client.memory import File, Memory

Headers: TypeAlias = Callable[[str, str], Mapping[str, str]]
"""(method, address) -> headers for this one request: a bearer token, and the proof of its key (DPoP). Called for each anew."""
Countersign: TypeAlias = Callable[[SignedAsk], SignedAsk]
"""A signed ask -> the same with a second signature under it (``client.device.countersign``)."""
Place: TypeAlias = str | os.PathLike[str]

TIMEOUT = 30.0


def no_headers(method: str, address: str) -> Mapping[str, str]:
    """For a vault that knows its readers by what their devices sign alone."""
    return {}


def core(
    device_: Device | Place, anchors_: Anchors | Place, state: Place | Memory | None, countersign: Countersign | None
) -> Core:
    """Raises ``InputError`` for a file that is not what it should be."""
    known = anchors_ if isinstance(anchors_, Anchors) else anchors.load(Path(anchors_))
    own = device_ if isinstance(device_, Device) else device.load(Path(device_))
    if state is None:
        state = memory.default_path(known.room)
    kept = File(Path(state)) if isinstance(state, str | os.PathLike) else state
    return Core(known, own, kept, time.time, os.urandom, countersign)


def where(text: str, ca_file: Place | None) -> tuple[Address, ssl.SSLContext | None]:
    """Raises ``InputError``."""
    found = address.parse(text)
    return found, address.tls(found, None if ca_file is None else Path(ca_file))
