"""The keyholder's operator: freeze, thaw, hold (SPEC.md section 8.8)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal

from strongroom.keyholder import keys, protocol
from strongroom.keyholder.client import Client, HttpTransport, Voice, address_file


class Operator:
    """Signs with the operator's key of a keyholder's directory (``keys.json``)."""

    def __init__(self, directory: Path) -> None:
        own = keys.load(directory)
        voice = Voice(own.room, lambda: own.message_public)
        self._client = Client(HttpTransport(address_file(directory), voice), own.operator, own.room)

    def close(self) -> None:
        self._client.close()

    def freeze(self, action: Literal["freeze", "thaw"], scope: str) -> None:
        """``scope``: ``room``, ``holding:NAME`` or ``reader:HEX``. Raises ``Refused``."""
        self._operate(action, scope=scope)

    def hold(self, holding: str, authority: str, until: int) -> None:
        """Destroy no key of the holding before the POSIX second ``until``, by order of ``authority``; 0 lifts its hold.
        Raises ``Refused`` (``holding``, ``malformed``)."""
        self._operate("hold", holding=holding, authority=authority, until=until)

    def _operate(
        self,
        action: Literal["freeze", "thaw", "hold"],
        *,
        scope: str = "",
        holding: str = "",
        authority: str = "",
        until: int = 0,
    ) -> None:
        request = protocol.Operate(
            action=action,
            authority=authority,
            holding=holding,
            nonce=os.urandom(16),
            scope=scope,
            time=int(time.time()),
            until=until,
        )
        protocol.done.parse(self._client.call("/v1/operator", request))
