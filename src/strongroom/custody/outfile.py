"""The file an export is written to, and the one beside it with the receipts: after a crash both are whole again.

Beside ``FILE`` lies ``FILE.receipts``: one JSON object a line, the first of them naming the export, then for each batch
that was given its entry and receipt. It is never shortened: a batch that was given twice, since the first time ended
before it was written, has two receipts.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from strongroom.custody.opening import Fields
from strongroom.errors import InputError, naming

Form: TypeAlias = Literal["csv", "jsonl"]
FORMS: tuple[Form, ...] = ("jsonl", "csv")

_JOB = re.compile("[0-9a-f]{32}")
_RECORD = "RECORD"  # no field is called so: theirs are lower-case names


class Outfile:
    """Both files of one export, locked. ``head`` says what is exported: a file begun with another is not gone on with."""

    def __init__(self, path: Path, form: Form, fields: Sequence[str], head: dict[str, Any]) -> None:
        """Raises ``InputError`` where another export is at it, or the file is there and is of none or of another one."""
        self._path, self._form, self._fields = path, form, list(fields)
        self._beside = path.with_name(f"{path.name}.receipts")
        self._lock = _open(self._beside, os.O_RDWR)
        try:
            self.head = self._begin(head)
        except BaseException:
            os.close(self._lock)
            raise

    def _begin(self, head: dict[str, Any]) -> dict[str, Any]:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{self._path}: another export is writing it just now") from None
        lines = self._lines()
        if not lines:
            if os.path.lexists(self._path):
                os.unlink(self._beside)
                raise InputError(f"{self._path}: is there already. Name another file")
            self._note(head)
            _put_directory(self._path.parent)
            return head
        found = _object(lines[0])
        if {**found, "export": ""} != {**head, "export": ""} or not _JOB.fullmatch(str(found.get("export"))):
            raise InputError(
                f"{self._path}: was begun with other fields, records or purpose. Give the ones it was begun with, or remove "
                f"it and {self._beside.name}"
            )
        return found

    def _lines(self) -> list[str]:
        """Whole lines of the file beside; a half one, from a crash, is cut off."""
        with os.fdopen(os.dup(self._lock), "rb") as file:
            file.seek(0)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) != len(data):
            os.ftruncate(self._lock, len(whole))
        return whole.decode(errors="replace").splitlines()

    def entries(self) -> list[int]:
        """The index of each entry that a batch was given by, in order."""
        found = [_object(line).get("entry") for line in self._lines()[1:]]
        if not all(isinstance(index, int) for index in found):
            raise InputError(f"{self._beside}: a line is not what an export writes. Put it back as it was")
        return cast("list[int]", found)

    def add_receipt(self, entry: int, records: int, receipt: str, text: bytes) -> None:
        self._note({"entry": entry, "receipt": receipt, "records": records, "text": text.decode()})

    def resume(self, size: int) -> None:
        """Cut off what lies past ``size`` bytes, which nobody has noted as written. Raises ``InputError`` when there is
        less than that."""
        found = 0
        if os.path.lexists(self._path):
            number = _open(self._path, os.O_WRONLY)
            try:
                found = os.fstat(number).st_size
                if found > size:
                    os.ftruncate(number, size)
            finally:
                os.close(number)
        if found < size:
            raise InputError(
                f"{self._path}: was changed or removed since the export began. Remove {self._beside.name} to begin anew"
            )

    def write(self, rows: Iterable[tuple[bytes, Fields]]) -> int:
        """Append (handle, values) and give the file's size; it is on the disk then."""
        text = io.StringIO()
        number = _open(self._path, os.O_WRONLY)
        try:
            if self._form == "csv":
                table = csv.writer(text, lineterminator="\n")
                if not os.fstat(number).st_size:
                    table.writerow([_RECORD, *self._fields])
                table.writerows([handle.hex(), *(row[name] or "" for name in self._fields)] for handle, row in rows)
            else:
                for handle, row in rows:
                    values = {name: row[name] for name in self._fields}
                    text.write(f"{json.dumps({'fields': values, 'handle': handle.hex()}, ensure_ascii=False)}\n")
            with naming(self._path):
                _put(number, text.getvalue().encode())
            _put_directory(self._path.parent)
            return os.fstat(number).st_size
        finally:
            os.close(number)

    def _note(self, line: dict[str, Any]) -> None:
        with naming(self._beside):
            _put(self._lock, f"{json.dumps(line, sort_keys=True)}\n".encode())

    def close(self) -> None:
        """Unlock. Where nothing was given, nothing is left behind."""
        if not self._lines()[1:] and not os.path.lexists(self._path):
            os.unlink(self._beside)
        os.close(self._lock)


def _open(path: Path, how: int) -> int:
    """A new file that only its owner reads, or the one of ours that is there, to append to. Raises ``InputError`` for another's file and for
    what is none: personal data goes where it was sent, and not where somebody has laid a link."""
    how |= os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    wrong = InputError(f"{path}: is a link, no file, or another user's. Name another file")
    try:
        return os.open(path, how | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    try:
        number = os.open(path, how)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise wrong from None
        raise
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(number)
        raise wrong
    return number


def _object(line: str) -> dict[str, Any]:
    """A line's JSON object; nothing where it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _put(number: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]
    os.fsync(number)


def _put_directory(path: Path) -> None:
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with naming(path):
            os.fsync(number)
    finally:
        os.close(number)
