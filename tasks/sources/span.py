"""A part of a file that grows, between two ends of records, and how the ends are found."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

STEP = 4 * 2**20
_BREAK = re.compile(rb"\r\n|\n|\r")
BOM = b"\xef\xbb\xbf"


class Span(NamedTuple):
    """The bytes from `start` to `stop`, behind those of the header."""

    head: int
    """Bytes of the header; 0 where there is none."""
    head_lines: int
    start: int
    stop: int
    lines: int
    """Lines of the file before `start`."""

    def line(self, number: int) -> int:
        """The line of the file that is the n-th one of the part."""
        return number if number <= self.head_lines else number - self.head_lines + self.lines


class Part(io.RawIOBase):
    """Reads the header and the span as if they were the file."""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        self._file = file
        self._left = [(0, span.head), (span.start, span.stop)]
        self._go()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        while self._left and self._at == self._left[0][1]:
            self._left.pop(0)
            self._go()
        if not self._left:
            return 0
        got = self._file.read(min(len(buffer), self._left[0][1] - self._at))
        self._at += len(got)
        buffer[: len(got)] = got
        return len(got)

    def _go(self) -> None:
        if self._left:
            self._at = self._left[0][0]
            self._file.seek(self._at)


class End(NamedTuple):
    """How far whole records go, and how many lines they are."""

    stop: int
    lines: int


def last_end(
    path: Path,
    start: int,
    size: int,
    whole: Callable[[bytes], int],
    lines: Callable[[bytes], int],
    longest: int,
) -> End:
    """Behind the last whole record among the bytes from `start`, where one begins, to `size`.

    `whole` gives how many of the bytes whole records are. Where a record would be longer than
    `longest`, the end is `size`, so that whoever reads it says what is wrong.
    """
    end, waiting = End(start, 0), b""
    with path.open("rb") as file:
        file.seek(start)
        while step := file.read(min(STEP, size - end.stop - len(waiting))):
            waiting += step
            found = whole(waiting)
            end = End(end.stop + found, end.lines + lines(waiting[:found]))
            waiting = waiting[found:]
            if len(waiting) > longest:
                return End(size, end.lines)
    return end


def breaks(content: bytes) -> int:
    """How many lines end in it, whichever way."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")


def header_end(content: bytes) -> tuple[int, bytes]:
    """Bytes of the first line that is not blank and of all before it, and how it ends; (0, b"") where it
    does not. A line break inside of quotes ends no line."""
    start = len(BOM) if content.startswith(BOM) else 0
    while content[start : start + 1] in (b"\r", b"\n"):
        start += 1
    for found in _BREAK.finditer(content, start):
        if content.count(b'"', start, found.start()) % 2 == 0:
            return found.end(), found[0]
    return 0, b""
