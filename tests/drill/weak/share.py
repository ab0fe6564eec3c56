"""Masks and shares that do not hang on all that they should: whoever is read would be told, or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.drill.weak.base import Weaken

from strongroom.seal import batch, mac, slot
from strongroom.seal.mac import HMAC

Rewrite = Callable[[bytes], bytes]


class _Careless:
    """A keyed context that hashes something else than it is given."""

    def __init__(self, context: HMAC, rewrite: Rewrite) -> None:
        self._context, self._rewrite = context, rewrite

    def copy(self) -> _Careless:
        return _Careless(self._context.copy(), self._rewrite)

    def update(self, message: bytes) -> None:
        self._context.update(self._rewrite(message))

    def finalize(self) -> bytes:
        return self._context.finalize()


def _rewritten(rewrite: Rewrite) -> Weaken:
    """Sealing, the keyholder and the referee alike."""
    keyed, one = mac.keyed, mac.mac

    def patch_all(patch: pytest.MonkeyPatch) -> None:
        for module in (mac, batch, slot):
            patch.setattr(module, "keyed", lambda key: _Careless(keyed(key), rewrite))
        patch.setattr(slot, "mac", lambda key, message: one(key, rewrite(message)))

    return patch_all


def unbound(part: str) -> Weaken:
    """Masks and shares that do not hang on a slot's handle, version or compartment."""

    def rewrite(message: bytes) -> bytes:
        # RECORD ‖ handle ‖ version; UNMASK ‖ compartment; SHARE ‖ who ‖ compartment.
        if part == "handle" and message[:1] == slot.RECORD:
            return message[:1] + bytes(16) + message[17:]
        if part == "version" and message[:1] == slot.RECORD:
            return message[:17] + bytes(4)
        if part == "compartment" and message[:1] in (slot.UNMASK, slot.SHARE):
            return message[:-2]
        return message

    return _rewritten(rewrite)


unbound_who = _rewritten(lambda message: message[:1] + message[17:] if message[:1] == slot.SHARE else message)
"""Shares that do not hang on the person."""


of_record = _rewritten(lambda message: message[:1] if message[:1] == slot.SHARE else message)
"""One share for all compartments of a record, whomever they are about."""


def share_of_batch(patch: pytest.MonkeyPatch) -> None:
    """Shares that hang on the batch alone: neither on the person nor on the record. Masks are as they should be."""
    keyed, secrets, release = mac.keyed, slot.record_secrets, slot.release
    batches: dict[bytes, HMAC] = {}

    class Sealing(_Careless):
        """A record's context, whose shares come from its batch's."""

        def update(self, message: bytes) -> None:
            if message[:1] == slot.SHARE and self._secret in batches:
                self._context = batches[self._secret].copy()
                message = message[:1] + message[17:]
            self._context.update(message)

        _secret = b""

        def copy(self) -> Sealing:
            made = Sealing(self._context.copy(), self._rewrite)
            made._secret = self._secret
            return made

    def weak_keyed(key: bytes) -> Sealing:
        made = Sealing(keyed(key), bytes)
        made._secret = key
        return made

    def weak_secrets(context: Any, places: Sequence[bytes], deltas: Sequence[bytes] = ()) -> list[bytes]:
        found = secrets(context, places, deltas)
        batches.update(dict.fromkeys(found, context._context))
        return found

    def weak_release(
        given: Sequence[bytes], index: Any, handles: bytes, versions: Any, numbers: Any, *rest: Any
    ) -> Any:
        whos, _ = release(given, index, handles, versions, numbers, *rest)
        texts = [slot.SHARE + number.to_bytes(2) for number in numbers]
        return whos, b"".join(mac.mac(given[at], text) for at, text in zip(index, texts, strict=True))

    patch.setattr(batch, "keyed", weak_keyed)
    patch.setattr(batch, "record_secrets", weak_secrets)
    patch.setattr(slot, "release", weak_release)
