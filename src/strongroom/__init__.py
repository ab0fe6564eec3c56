"""Strongroom: personal data that is unreadable when stolen and cannot be read unseen."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strongroom.client.anchors import Anchors
    from strongroom.client.asyncroom import AsyncRoom
    from strongroom.client.device import Device
    from strongroom.client.handle import Handle
    from strongroom.client.room import Room

__version__ = "0.1.0"
__all__ = ["Anchors", "AsyncRoom", "Device", "Handle", "Room", "__version__"]

_HOMES = {"Anchors": "anchors", "AsyncRoom": "asyncroom", "Device": "device", "Handle": "handle", "Room": "room"}


def __getattr__(name: str) -> Any:
    """What applications use is had from here, and imported only then: a server or the command line needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    found = globals()[name] = getattr(import_module(f"strongroom.client.{_HOMES[name]}"), name)
    return found
