"""Texts behind a closing quote, as in `"a"b`: Arrow and Python's csv read `ab` without a word.

Watched on the way to Arrow, block by block. Where all quotes stand as RFC 4180 (section 2) has
them, which a few vector operations tell, nothing is wrong; any other block is searched field by
field. Costs 1 to 3 ms a MB, next to nothing where there are no quotes.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

import numpy as np

QUOTE = b'"'


class Quotes:
    """Hands the UTF-8 bytes of a CSV file on; `torn` tells whether such a text was among them."""

    def __init__(self, content: BinaryIO, delimiter: str) -> None:
        self._content = content
        self._around = _around(delimiter)
        self._first, self._rest = _patterns(delimiter)
        self._tail = b""
        """The last byte that was looked at, and the quotes behind it, whose follower is not known."""
        self._inside = False
        """Whether a quoted field is open behind that byte."""
        self.torn = False

    @property
    def closed(self) -> bool:
        return bool(self._content.closed)

    def read(self, size: int = -1) -> bytes:
        block = self._content.read(size)
        if not self.torn:
            self._look(block)
        return block

    def _look(self, block: bytes) -> None:
        text = self._tail + block if self._tail else b"\n" + block.removeprefix(codecs.BOM_UTF8)
        end = len(text.rstrip(QUOTE)) or 1
        if QUOTE in text[:end] and not self._as_they_should(text[:end]):
            self._search(text[:end])
        self._tail = text[end - 1 :]

    def _as_they_should(self, text: bytes) -> bool:
        """Whether each quote opens a field, closes one, or is doubled; then goes on behind it."""
        places = _regular(text, self._around, self._inside)
        if places is None:
            return False
        self._inside ^= bool(len(places) % 2)
        return True

    def _search(self, text: bytes) -> None:
        start = 1
        if self._inside and (found := self._rest.match(text, start)):
            self._take(found)
            start = found.end(1) if found[1] else len(text)
        for found in self._first.finditer(text, start):
            self._take(found)

    def _take(self, found: re.Match[bytes]) -> None:
        self._inside = found[1] is None
        self.torn = self.torn or bool(found[2])


def whole_records(content: bytes, delimiter: str, newline: bytes) -> int:
    """How many of the bytes, of which the first begins a record, are whole records.

    A record ends with `newline` (one byte) outside of quotes.
    """
    if QUOTE not in content:
        return content.rfind(newline) + 1
    codes = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(codes == newline[0])
    outside = ends[np.searchsorted(_sides(content, delimiter), ends) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def _sides(content: bytes, delimiter: str) -> np.ndarray:
    """Where quoted fields begin and end, in turn; the last one may be open."""
    places = _regular(b"\n" + content + b"\n", _around(delimiter), inside=False)
    if places is not None:
        return places - 1
    first, _ = _patterns(delimiter)
    sides: list[int] = []
    for found in first.finditer(b"\n" + content):
        sides.append(found.start() - 1)
        if found[1] is not None:
            sides.append(found.start(1) - 1)
    return np.asarray(sides, dtype=np.int64)


def is_torn(record: str, delimiter: str) -> bool:
    """Whether one record of a CSV file has such a text."""
    if '"' not in record:
        return False
    first, _ = _patterns(delimiter)
    return any(found[2] for found in first.finditer(b"\n" + record.encode()))


def _around(delimiter: str) -> np.ndarray:
    """Which bytes may stand before an opening quote, and behind a closing one."""
    around = np.zeros(256, dtype=bool)
    around[list(f'{delimiter}\r\n"'.encode())] = True
    return around


def _regular(text: bytes, around: np.ndarray, inside: bool) -> np.ndarray | None:
    """The places of the quotes, where each opens a field, closes one, or is doubled; else None."""
    codes = np.frombuffer(text, dtype=np.uint8)
    places = np.flatnonzero(codes == ord(QUOTE))
    opening, closing = places[inside::2], places[not inside :: 2]
    if around[codes[opening - 1]].all() and around[codes[closing + 1]].all():
        return places
    return None


def _patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A quoted field, and the rest of one: group 1 is its closing quote, 2 a text behind that."""
    end = re.escape(delimiter).encode() + rb"\r\n"
    rest = rb'[^"]*(?:""[^"]*)*(?:(")([^' + end + rb"]?)|\Z)"
    return re.compile(rb'"(?<=[' + end + rb']")' + rest), re.compile(rest)
