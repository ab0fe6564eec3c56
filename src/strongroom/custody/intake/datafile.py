"""A file of text to be imported, read once from end to end before anything of it is taken: what it is, and that it is text.

The first pass costs about a second a gigabyte. It gives the content's hash, by which an import is found again, and says
early what would otherwise be found in the middle: another encoding, a spreadsheet, a file that is no text.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from strongroom.custody.intake.filemark import FileMark, opened_file
from strongroom.errors import InputError

Format: TypeAlias = Literal["csv", "jsonl"]

# In all of these a line end, a quote, a comma, a semicolon and a tab are single bytes that are part of no other character.
ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252")

_BLOCK = 1 << 20
_BOMS = {"utf-8": codecs.BOM_UTF8, "gb18030": b"\x84\x31\x95\x33"}
_NOT_TEXT = {
    b"PK\x03\x04": "is a workbook or an archive: save the sheet as CSV (UTF-8), or unpack it",
    b"\x1f\x8b": "is compressed: unpack it first",
    codecs.BOM_UTF16_LE: "is UTF-16: save it as UTF-8",
    codecs.BOM_UTF16_BE: "is UTF-16: save it as UTF-8",
}
_SUFFIXES: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True, slots=True)
class DataFile:
    """``start``: bytes of the byte order mark. ``lines`` is at least the number of rows."""

    mark: FileMark
    format: Format
    encoding: str
    start: int
    lines: int

    @property
    def name(self) -> str:
        return self.mark.path.name

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file, at its first row. Raises ``InputError`` when it is not the one that was read before."""
        with self.mark.open() as file:
            file.seek(self.start)
            yield file


def read(path: Path, format: Format | None = None, encoding: str = "") -> DataFile:
    """Read a file through. ``encoding`` is one of ``ENCODINGS``; without, it must be UTF-8.

    Raises ``InputError``, which tells the place and the mend, never the content.
    """
    name = encoding.lower().replace("_", "-") or "utf-8"
    name = {"utf8": "utf-8", "utf-8-sig": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}.get(name, name)
    if name not in ENCODINGS:
        raise InputError(f"{encoding}: not an encoding that is read here. Use one of {', '.join(ENCODINGS)}")
    with opened_file(path) as file:
        mark = FileMark.of(path, file, b"")
        head = file.read(_BLOCK)
        for magic, mend in _NOT_TEXT.items():
            if head.startswith(magic):
                raise InputError(f"{path.name} {mend}")
        if not head.strip():
            raise InputError(f"{path.name} is empty")
        if b"\0" in head.partition(b"\n")[0]:
            raise InputError(f"{path.name} is no text, or UTF-16: save it as UTF-8")
        file.seek(0)
        digest, lines = _through(file, path.name, name, told=bool(encoding))
    bom = _BOMS.get(name, b"")
    start = len(bom) if bom and head.startswith(bom) else 0
    found = format or _SUFFIXES.get(path.suffix.lower()) or ("jsonl" if head[start:].lstrip()[:1] == b"{" else "csv")
    return DataFile(replace(mark, digest=digest), found, name, start, lines)


def _through(file: BinaryIO, name: str, encoding: str, *, told: bool) -> tuple[bytes, int]:
    digest, lines, at = hashlib.sha256(), 1, 0
    wanted = codecs.getincrementaldecoder(encoding)()
    utf8 = codecs.getincrementaldecoder("utf-8")() if encoding != "utf-8" else None
    ascii_only = True
    while block := file.read(_BLOCK):
        digest.update(block)
        # A character cut off by the end of the file stays in the decoder: that is for its row to answer.
        held = len(wanted.getstate()[0])
        try:
            wanted.decode(block)
        except UnicodeDecodeError as error:
            before = max(at - held + error.start, 0)
            line = lines + block[: max(error.start - held, 0)].count(b"\n")
            raise InputError(_undecodable(name, encoding, before, line, block)) from None
        if utf8 is not None:
            ascii_only = ascii_only and block.isascii()
            try:
                utf8.decode(block)
            except UnicodeDecodeError:
                utf8 = None
        lines += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
        at += len(block)
    # Read as GB18030 or Big5, UTF-8 often gives other Han characters and no error.
    if told and utf8 is not None and not ascii_only:
        raise InputError(f"{name} is UTF-8 throughout; read as {encoding} it would be garbled. Leave --encoding out")
    return digest.digest(), lines


def _undecodable(name: str, encoding: str, at: int, line: int, block: bytes) -> str:
    mend = f"Give its encoding: --encoding {', '.join(e for e in ENCODINGS if e != encoding)}"
    likely = "gb18030" if encoding == "utf-8" else "utf-8"
    try:
        codecs.getincrementaldecoder(likely)().decode(block)
        mend = f"It may be {likely.upper()}; if so: --encoding {likely}. Otherwise save it as UTF-8"
    except UnicodeDecodeError:
        pass
    return f"{name}: not {encoding.upper()} at byte {at + 1:,}, line {line:,}. {mend}"
