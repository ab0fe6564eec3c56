"""The keyholder's operator: freeze, thaw, erase (SPEC.md section 8.8)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from strongroom.errors import InputError
from strongroom.keyholder import keys, protocol
from strongroom.keyholder.client import Client, HttpTransport, address_file

AT_ONCE = 1000


class Operator:
    """Signs with the operator's key of a keyholder's directory (``keys.json``)."""

    def __init__(self, directory: Path) -> None:
        own = keys.load(directory)
        self._client = Client(HttpTransport(address_file(directory)), own.operator, own.room)

    def close(self) -> None:
        self._client.close()

    def freeze(self, action: Literal["freeze", "thaw"], scope: str) -> None:
        """``scope``: ``room``, ``holding:NAME`` or ``reader:HEX``. Raises ``Refused``."""
        self._operate(action, scope=scope)

    def erase(self, holding: str, handles: Sequence[bytes]) -> None:
        """Refuse these records for ever. Raises ``InputError`` for none, ``Refused``."""
        if not handles:
            raise InputError("name at least one record to erase, by its handle")
        for start in range(0, len(handles), AT_ONCE):
            self._operate("erase", holding=holding, records=handles[start : start + AT_ONCE])

    def _operate(
        self,
        action: Literal["freeze", "thaw", "erase"],
        *,
        scope: str = "",
        holding: str = "",
        records: Sequence[bytes] = (),
    ) -> None:
        request = protocol.Operate(
            action=action,
            holding=holding,
            nonce=os.urandom(16),
            records=sorted(set(records)),
            scope=scope,
            time=int(time.time()),
        )
        protocol.done.parse(self._client.call("/v1/operator", request))
