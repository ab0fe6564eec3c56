"""A file of CSV or JSONL, cut into rows and chunks without parsing them (RFC 4180; jsonlines.org).

Rows are bytes here: the importer's one reading process only finds where each ends, and its workers do the rest. A
quote that is opened and never closed costs one row: reading goes on at the line after it. Memory stays flat whatever
the file holds, since a row is given up at 1 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from strongroom.store.rows import RowError

MAX_ROWS = 10_000  # of a chunk: what a batch takes
MAX_BYTES = 8 << 20  # of a chunk
MAX_ROW = 1 << 20

_BLOCK = 1 << 20
TOO_LONG = f"is longer than {MAX_ROW >> 20} MiB"
NOT_CLOSED = "a quote is opened in it and not closed properly"


@dataclass(frozen=True, slots=True)
class Chunk:
    """``records``: one a row, as it stands in the file, line end included; empty where it is among ``bad``.

    ``first`` is the number of its first row; ``end`` how many bytes of the file are read once it is.
    """

    number: int
    first: int
    records: list[bytes] = field(repr=False)
    bad: list[RowError]
    end: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be cut out, and why."""

    reason: str


class Splitter:
    """The rows of ``file`` from its position on. ``delimiter``: one byte for CSV, empty for JSONL."""

    def __init__(self, file: BinaryIO, delimiter: bytes) -> None:
        self._file, self._delimiter = file, delimiter
        self.at = file.tell()
        """Where the next row begins, in bytes."""
        self._doomed = (0, 0)
        unquoted = rb'[^"\r\n' + re.escape(delimiter) + rb"][^\r\n" + re.escape(delimiter) + rb"]*+"
        value = rb' *+(?:"(?:[^"\r\n]++|"")*+"|' + unquoted + rb")?+"
        # Nearly every row that has a quote is whole within its line; this says so in one step.
        self._whole = re.compile(rb"%s(?:%s%s)*+(?:\r\n|\r|\n)?" % (value, re.escape(delimiter), value))

    def __iter__(self) -> Iterator[bytes | Broken]:
        again = True
        while again:
            again = False
            lines = self._lines()
            for line in lines:
                start = self.at
                if line[-1:] in b"\r\n" and (b'"' not in line or not self._delimiter or self._whole.fullmatch(line)):
                    self.at += len(line)
                    yield line
                    continue
                found, self.at, reached = self._gather(line, lines)
                assert self.at > start
                yield found
                if self.at < reached:
                    # Not behind what the broken row swallowed, but behind its first line.
                    self._file.seek(self.at)
                    again = True
                    break

    def _lines(self) -> Iterator[bytes]:
        """Lines with their ends; one longer than ``MAX_ROW`` in pieces, of which only the last has an end."""
        carry = b""
        while block := self._file.read(_BLOCK):
            lines = (carry + block).splitlines(keepends=True)
            # A carriage return at the end of a block may be the first half of a line end.
            carry = b"" if lines[-1].endswith(b"\n") else lines.pop()
            yield from lines
            if len(carry) > MAX_ROW:
                yield carry
                carry = b""
        if carry:
            yield from carry.splitlines(keepends=True)

    def _gather(self, line: bytes, lines: Iterator[bytes]) -> tuple[bytes | Broken, int, int]:
        """The row that begins with ``line``, where to go on, and how far was read for it."""
        after_first, at = 0, self.at
        state = _State(self._delimiter)
        parts, size = [line], 0
        while True:
            at, size = at + len(line), size + len(line)
            state.read(line)
            ended = line[-1:] in b"\r\n"
            if ended and not after_first:
                after_first = at
            if state.broken:
                self._doomed = (after_first, at) if after_first else self._doomed
                at = at if after_first else self._end_of_line(at, lines)
                return Broken(NOT_CLOSED), after_first or at, at
            # Within quotes at the end of a line that a broken row went through likewise: it ends as that one did. Without this, a file
            # that opens a quote in each line would be read to its end for each.
            if ended and state.quoted and self._doomed[0] <= at < self._doomed[1]:
                return Broken(NOT_CLOSED), after_first, at
            if ended and not state.quoted:
                break
            more = next(lines, b"")
            if not more:
                if state.quoted:
                    self._doomed = (after_first, at) if after_first else self._doomed
                    return Broken(NOT_CLOSED), after_first or at, at
                break
            line = more
            if size <= MAX_ROW:
                parts.append(line)
        return (b"".join(parts) if size <= MAX_ROW else Broken(TOO_LONG)), at, at

    @staticmethod
    def _end_of_line(at: int, lines: Iterator[bytes]) -> int:
        for piece in lines:
            at += len(piece)
            if piece[-1:] in b"\r\n":
                break
        return at


class _State:
    """Where in a row of CSV a reader is, exactly as ``csv.reader`` with ``strict`` and ``skipinitialspace`` would be.

    ``quoted``: within quotes. ``broken``: something other than a delimiter follows a closing quote.
    """

    def __init__(self, delimiter: bytes) -> None:
        self._plain = not delimiter
        self._delimiter = delimiter
        self._where = "start"  # start of a value, plain, quoted, or closing: behind a quote within quotes
        self.broken = False

    @property
    def quoted(self) -> bool:
        return self._where == "quoted"

    def read(self, line: bytes) -> None:
        """Go on through ``line``."""
        if self._plain:
            return
        at, end = 0, len(line)
        while at < end:
            if self._where == "quoted":
                found = line.find(b'"', at)
                if found < 0:
                    return
                at, self._where = found + 1, "closing"
                continue
            byte = line[at : at + 1]
            if self._where == "closing":
                if byte != b'"' and byte not in (self._delimiter, b"\r", b"\n"):
                    self.broken = True
                    return
                self._where = "quoted" if byte == b'"' else "start"
                at += 1
            elif self._where == "start":
                at += byte in (b'"', b" ")
                self._where = "quoted" if byte == b'"' else "start" if byte == b" " else "plain"
            else:
                found = line.find(self._delimiter, at)
                if found < 0:
                    if line[-1:] in b"\r\n":
                        self._where = "start"
                    return
                at, self._where = found + 1, "start"


class Cut(Protocol):
    """Rows that were cut apart. ``at``: where the next one begins, in bytes."""

    at: int

    def __iter__(self) -> Iterator[bytes | Broken]: ...


def chunks(file: BinaryIO, delimiter: bytes, first: int) -> Iterator[Chunk]:
    """The rows of ``file`` from its position on, in chunks; the first row has the number ``first``."""
    yield from gather(Splitter(file, delimiter), first)


def gather(cut: Cut, first: int) -> Iterator[Chunk]:
    """The rows of ``cut`` in chunks; the first row has the number ``first``.

    Where a chunk ends follows from the content alone, so that an import that goes on finds the same chunks.
    """
    records: list[bytes] = []
    bad: list[RowError] = []
    number, row, size = 0, first, 0
    for found in cut:
        if isinstance(found, Broken):
            bad.append(RowError(row, "", found.reason))
        record = b"" if isinstance(found, Broken) else found
        records.append(record)
        row, size = row + 1, size + len(record)
        if len(records) == MAX_ROWS or size >= MAX_BYTES:
            yield Chunk(number, first, records, bad, cut.at)
            number, first, records, bad, size = number + 1, row, [], [], 0
    if records:
        yield Chunk(number, first, records, bad, cut.at)
