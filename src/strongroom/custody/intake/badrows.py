"""The side file of an import: which rows were not taken, and why. CSV of row, field, reason; never a value."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from strongroom.errors import InputError, naming
from strongroom.store.rows import RowError

HEADER = ("row", "field", "reason")
_FIRST_LINE = b"row,field,reason"


class SideFile:
    """Written beside its place first, and put there whole by ``finish``; without that, nothing is changed. Mode 0600.

    Raises ``InputError`` when its place is taken by something that is no side file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        if path.exists():
            with path.open("rb") as file:
                if not path.is_file() or file.readline(80).strip() != _FIRST_LINE:
                    raise InputError(f"{path}: is there and is no list of bad rows. Name another with --errors")
        self._draft = path.with_name(f".{path.name}.draft")
        try:
            descriptor = os.open(
                self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}). Name another with --errors") from None
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(HEADER)

    def add(self, errors: Iterable[RowError]) -> None:
        """Append bad rows."""
        with naming(self.path):
            for error in errors:
                self._writer.writerow(error)
                self.count += 1

    def finish(self) -> Path | None:
        """Put the file in its place, on disk when this returns: the store forgets the bad rows after that.

        None when no row was bad: then nothing is there, nor from an import before.
        """
        with naming(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        if self.count:
            self._draft.replace(self.path)
        else:
            self._draft.unlink()
            self.path.unlink(missing_ok=True)
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return self.path if self.count else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._file.closed:
            with suppress(OSError):  # what is not written yet finds no room on a full disk, and is not wanted
                self._file.close()
            self._draft.unlink()
