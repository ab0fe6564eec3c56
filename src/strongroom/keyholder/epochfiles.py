"""The private keys of epochs on disk: ``epochs/HOLDING-YYYY-MM-DD.key``, 96 bytes each (SPEC.md 1.5), and how one is destroyed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from strongroom.errors import FormatError, SealError, StoreError
from strongroom.keyholder.keys import sync_folder, write_secret
from strongroom.seal.epoch import epoch_text, parse_epoch
from strongroom.seal.hpke import SEED_SIZE, HpkePrivate, private_from

_NAME = re.compile(r"([a-z][a-z0-9-]{0,39})-([0-9]{4}-[0-9]{2}-[0-9]{2})\.key")


class EpochFiles:
    """Keys once read are remembered until ``forget``."""

    def __init__(self, directory: Path, random: Callable[[int], bytes]) -> None:
        self._directory, self._random = directory / "epochs", random
        self._opened: dict[tuple[str, int], HpkePrivate] = {}

    def get(self, holding: str, epoch: int) -> HpkePrivate | None:
        """None when there is none: never made, or destroyed. Raises ``StoreError`` when its file is damaged."""
        found = self._opened.get((holding, epoch))
        if found is None:
            try:
                path = self.path(holding, epoch)
            except SealError:
                return None  # a day of no calendar
            try:
                found = self._opened[holding, epoch] = private_from(path.read_bytes())
            except FileNotFoundError:
                return None
            except (OSError, SealError) as error:
                raise StoreError(
                    f"{path}: cannot be used ({error}). Restore it: what is sealed to it needs it"
                ) from None
        return found

    def make(self, holding: str, epoch: int) -> HpkePrivate:
        """Draw a key where there is none. Raises ``StoreError`` when it cannot be written."""
        path = self.path(holding, epoch)
        # Written whole under another name first: a key file cut short by a crash would strand all that is sealed to it.
        draft = self._directory / f".{path.name}.draft"
        try:
            draft.unlink(missing_ok=True)
            write_secret(draft, self._random(SEED_SIZE))
            os.replace(draft, path)
            # Before anything is sealed to it: a name lost in a power cut would have another key made in its place.
            sync_folder(self._directory)
        except OSError as error:
            raise StoreError(f"{path}: the key cannot be written ({error.strerror}). Make room for it") from None
        found = self.get(holding, epoch)
        assert found is not None
        return found

    def forget(self, holding: str, epoch: int) -> None:
        self._opened.pop((holding, epoch), None)

    def listed(self) -> list[tuple[str, int]]:
        """(holding, epoch) of every key file, in order."""
        found = []
        for path in self._directory.glob("*.key"):
            match = _NAME.fullmatch(path.name)
            if match:
                try:
                    found.append((match[1], parse_epoch(match[2])))
                except FormatError:
                    continue  # not a day, so no key of ours
        return sorted(found)

    def destroyable(self, holding: str, epoch: int) -> None:
        """Raises ``StoreError`` where this process could not overwrite and unlink the key's file, if there is one."""
        path = self.path(holding, epoch)
        try:
            path.open("r+b").close()
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{path}: cannot be destroyed ({error.strerror}). Make the disk writable") from None
        if not os.access(self._directory, os.W_OK):
            raise StoreError(f"{self._directory}: nothing in it can be destroyed. Make the folder writable")

    def destroy(self, holding: str, epoch: int) -> None:
        """Overwrite the key, then unlink it, each made durable. What a file system or a disk keeps of what was overwritten
        is beyond this (THREATS.md). Raises ``StoreError``."""
        self.forget(holding, epoch)
        self._wipe(self.path(holding, epoch))

    def sweep(self) -> None:
        """Destroy keys that were being made when the process ended; nothing was sealed to them. Raises ``StoreError``."""
        for draft in self._directory.glob(".*.draft"):
            self._wipe(draft)

    def _wipe(self, path: Path) -> None:
        try:
            with path.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(0)
                file.write(self._random(size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            sync_folder(self._directory)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(
                f"{path}: could not be destroyed ({error.strerror}). It is given to nobody; destroy the file, or make the disk"
                " writable, and the keyholder does it"
            ) from None

    def path(self, holding: str, epoch: int) -> Path:
        """Raises ``SealError`` for a day of no calendar."""
        return self._directory / f"{holding}-{epoch_text(epoch)}.key"
