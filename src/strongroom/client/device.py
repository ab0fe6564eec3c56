"""A person's device: its key, and the asks it signs (SPEC.md sections 7 and 9).

In development the key is a file; elsewhere it lives on the reader's own device and only asks and signatures travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Bytes32, Codec, Record, encode
from strongroom.catalog.model import Test
from strongroom.errors import CommitmentError, InputError
from strongroom.gate import ask as asks
from strongroom.store.secretfile import write_secret

if TYPE_CHECKING:
    # With it come YAML, phone numbers and e-mail addresses, which a client has no use for.
    from strongroom.catalog.migration import Migration

Named = TypeVar("Named", bytes, str)


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
        raise InputError(
            f"{path}: no device key ({error.strerror}). A reader's is made by strongroom reader add, a person's by subject enrol"
        ) from None
    return Device(found.name, Ed25519PrivateKey.from_private_bytes(found.key))


@dataclass(frozen=True)
class SignedAsk:
    """What leaves the device: the ask, its signature, the private half for the vault alone, and what others' devices
    signed under it, sorted by reader."""

    ask: asks.Ask
    text: bytes
    signature: bytes
    private: asks.PrivateHalf = field(repr=False)
    countersignatures: tuple[asks.Countersignature, ...] = ()


def countersign(signed: SignedAsk, device: Device) -> SignedAsk:
    """``signed`` with the signature of ``device`` under it, in the place of one that it gave before. What it signs, case
    and reason included, is what it was shown: raises ``CommitmentError`` when they are not what the ask commits to."""
    if asks.parse(signed.text) != signed.ask or signed.private.commitment() != signed.ask.commitment:
        raise CommitmentError("the ask is not the one that is shown: nothing was signed")
    others = [one for one in signed.countersignatures if one.reader != device.reader]
    found = sorted([*others, asks.countersign(signed.text, device.key)], key=lambda one: one.reader)
    return replace(signed, countersignatures=tuple(found))


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
        version: int = 0,
    ) -> SignedAsk:
        """These fields of these records (handles), of their newest version or that old one. Raises ``InputError`` when
        nothing is named."""
        private = self._private(case, reason, None)
        ask = asks.DiscloseAsk(
            **self._common(holding, purpose, private, now),
            fields=_named(fields, "field"),
            records=_named(records, "record"),
            version=version,
        )
        return self._signed(ask, private)

    def check(
        self,
        holding: str,
        purpose: str,
        records: Sequence[bytes],
        field: str,
        test: Test,
        value: str | None,
        case: str,
        reason: str,
        now: int,
    ) -> SignedAsk:
        """Does ``test`` hold of this field of these records? ``value``: what it compares with, where it does. Raises
        ``InputError``."""
        private = self._private(case, reason, None if value is None else asks.Queried(kind=field, value=value))
        ask = asks.CheckAsk(
            **self._common(holding, purpose, private, now), field=field, records=_named(records, "record"), test=test
        )
        return self._signed(ask, private)

    def correct(
        self,
        holding: str,
        purpose: str,
        records: Sequence[bytes],
        values: Mapping[str, str | None],
        case: str,
        reason: str,
        now: int,
    ) -> SignedAsk:
        """Give these fields of these records other values, as typed; None empties one. Raises ``InputError``."""
        written = asks.Queried(kind=asks.VALUES, value=encode(dict(values)).decode())
        return self._correct(holding, purpose, records, list(values), written, case, reason, now)

    def migrate(
        self,
        holding: str,
        purpose: str,
        records: Sequence[bytes],
        found: Migration,
        case: str,
        reason: str,
        now: int,
    ) -> SignedAsk:
        """Give fields of these records what a map makes of the others. Raises ``InputError``."""
        written = asks.Queried(kind=asks.MAP, value=found.text)
        return self._correct(holding, purpose, records, found.fields, written, case, reason, now)

    def _correct(
        self,
        holding: str,
        purpose: str,
        records: Sequence[bytes],
        fields: Sequence[str],
        written: asks.Queried,
        case: str,
        reason: str,
        now: int,
    ) -> SignedAsk:
        private = self._private(case, reason, written)
        ask = asks.CorrectAsk(
            **self._common(holding, purpose, private, now),
            fields=_named(fields, "field"),
            records=_named(records, "record"),
        )
        return self._signed(ask, private)

    def erase(
        self, holding: str, purpose: str, records: Sequence[bytes], case: str, reason: str, now: int
    ) -> SignedAsk:
        """Open these records never again. Raises ``InputError``."""
        private = self._private(case, reason, None)
        ask = asks.EraseAsk(**self._common(holding, purpose, private, now), records=_named(records, "record"))
        return self._signed(ask, private)

    def intake(self, holding: str, purpose: str, count: int, until: int, case: str, reason: str, now: int) -> SignedAsk:
        """A window in which ``count`` identifiers may be indexed."""
        private = self._private(case, reason, None)
        ask = asks.IntakeAsk(**self._common(holding, purpose, private, now), count=count, until=until)
        return self._signed(ask, private)

    def export(
        self,
        holding: str,
        purpose: str,
        fields: Sequence[str],
        count: int,
        until: int,
        case: str,
        reason: str,
        now: int,
    ) -> SignedAsk:
        """A window in which these fields of ``count`` records may be taken out. Raises ``InputError``."""
        private = self._private(case, reason, None)
        ask = asks.ExportAsk(
            **self._common(holding, purpose, private, now), count=count, fields=_named(fields, "field"), until=until
        )
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


def _named(values: Sequence[Named], what: str) -> list[Named]:
    if not values:
        raise InputError(f"name at least one {what}")
    return sorted(set(values))
