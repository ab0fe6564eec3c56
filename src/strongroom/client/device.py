"""A person's device: its key, and the asks it signs (SPEC.md sections 7 and 9).

In development the key is a file; elsewhere it lives on the reader's own device and only asks and signatures travel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Bytes32, Codec, Record, encode
from strongroom.errors import InputError
from strongroom.gate import ask as asks
from strongroom.keyholder.keys import write_secret


class _DeviceFile(Record, frozen=True, kw_only=True):
    key: Bytes32
    name: str


_codec: Codec[_DeviceFile] = Codec(_DeviceFile, "device file", InputError)


@dataclass(frozen=True)
class Device:
    """``name`` is for people at this machine; it goes nowhere."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def reader(self) -> bytes:
        """16 bytes by which the roster knows the device."""
        return asks.reader_id(self.public)


def create(path: Path, name: str, random: Callable[[int], bytes]) -> Device:
    """Draw a key and write it (0600). Raises ``StoreError`` when the file exists."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, encode(_DeviceFile(key=random(32), name=name)))
    return load(path)


def load(path: Path) -> Device:
    """Raises ``InputError``."""
    try:
        found = _codec.parse(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: no device key ({error.strerror}). Make one with: strongroom reader add") from None
    return Device(found.name, Ed25519PrivateKey.from_private_bytes(found.key))


@dataclass(frozen=True)
class SignedAsk:
    """What leaves the device: the ask, its signature, and the private half for the vault alone."""

    ask: asks.Ask
    text: bytes
    signature: bytes
    private: asks.PrivateHalf = field(repr=False)


@dataclass(frozen=True)
class Asker:
    """Signs asks for one room under the charter in force (its 32-byte hash)."""

    device: Device
    room: bytes
    charter: bytes
    random: Callable[[int], bytes] = field(repr=False)

    def find(self, holding: str, purpose: str, kind: str, value: str, case: str, reason: str, now: int) -> SignedAsk:
        """Is the person with this identifier here?"""
        private = self._private(case, reason, asks.Queried(kind=kind, value=value))
        return self._signed(asks.FindAsk(**self._common(holding, purpose, private, now), kind=kind), private)

    def disclose(
        self,
        holding: str,
        purpose: str,
        records: Sequence[bytes],
        fields: Sequence[str],
        case: str,
        reason: str,
        now: int,
    ) -> SignedAsk:
        """These fields of these records (handles). Raises ``InputError`` when nothing is named."""
        if not records or not fields:
            raise InputError("name at least one record and one field")
        private = self._private(case, reason, None)
        return self._signed(
            asks.DiscloseAsk(
                **self._common(holding, purpose, private, now), fields=sorted(set(fields)), records=sorted(set(records))
            ),
            private,
        )

    def intake(self, holding: str, purpose: str, count: int, until: int, case: str, reason: str, now: int) -> SignedAsk:
        """A window in which ``count`` identifiers may be indexed."""
        private = self._private(case, reason, None)
        ask = asks.IntakeAsk(**self._common(holding, purpose, private, now), count=count, until=until)
        return self._signed(ask, private)

    def _private(self, case: str, reason: str, subject: asks.Queried | None) -> asks.PrivateHalf:
        return asks.PrivateHalf(
            case=case, reader=self.device.reader, reason=reason, salt=self.random(32), subject=subject
        )

    def _common(self, holding: str, purpose: str, private: asks.PrivateHalf, now: int) -> dict[str, Any]:
        return {
            "v": 1,
            "charter": self.charter,
            "commitment": private.commitment(),
            "holding": holding,
            "nonce": self.random(16),
            "purpose": purpose,
            "reader": self.device.reader,
            "room": self.room,
            "time": now,
        }

    def _signed(self, ask: asks.Ask, private: asks.PrivateHalf) -> SignedAsk:
        text = encode(ask)
        return SignedAsk(ask, text, asks.sign(text, self.device.key), private)
