"""Files of lines that grow: a part of one is read as if it were a file of its own."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

from charter import Frozen, Refusal
from tasks.sources.blocks import hashed, unchanged
from tasks.sources.growth import Changed, Held, Place
from tasks.sources.paths import HasPath, OneFile
from tasks.sources.span import Span
from tasks.sources.unpacked import check_plain, unpacked

S = TypeVar("S", bound=HasPath)


class FileEnd(Frozen):
    """Behind the last whole record of a file."""

    head: int
    """Bytes of the header."""
    head_lines: int
    bytes: int
    lines: int
    """Lines before it."""
    blocks: tuple[str, ...]
    """Hashes of the bytes before it (`tasks/sources/blocks.py`)."""


class Appended(OneFile[S], ABC):
    """A file to which lines are appended; a last one that is not whole yet waits."""

    span: Span | None = None
    """The part that is read; None: all, an end without a line break included."""
    held: Held | None = None
    _end: FileEnd | None = None

    def end(self, before: Place | None) -> Place:
        check_plain(self.path, self.where)
        known = None if before is None else FileEnd.model_validate(before)
        if known is not None:
            self._check_prefix(known)
        found = self.last_end(self.path, known, self.path.stat().st_size)
        if known is not None and found.bytes == known.bytes:
            return known.model_dump(mode="json")
        blocks, start = (known.blocks, known.bytes) if known is not None else ((), 0)
        hashes = hashed(self.path, found.bytes, blocks, start)
        return found.model_copy(update={"blocks": hashes}).model_dump(mode="json")

    @abstractmethod
    def last_end(self, path: Path, known: FileEnd | None, size: int) -> FileEnd:
        """The end of the last whole record among the first `size` bytes, without its blocks."""

    def between(self, start: Place | None, end: Place, held: Held | None) -> Self:
        until = FileEnd.model_validate(end)
        since = None if start is None else FileEnd.model_validate(start)
        first, lines = (
            (until.head, until.head_lines) if since is None else (since.bytes, since.lines)
        )
        part = copy.copy(self)
        part.span = Span(until.head, until.head_lines, first, until.bytes, lines)
        part.held, part._end = held, until
        part._seen = part._stamps()
        return part

    @property
    def is_first(self) -> bool:
        """Whether nothing of the file comes before the part."""
        return self.span is None or self.span.start == self.span.head

    def waiting(self, end: Place) -> int:
        """Bytes behind the end."""
        return max(self.path.stat().st_size - int(end["bytes"]), 0)

    @contextmanager
    def content(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        with unpacked(self.path, self.where, self.span) as streams:
            yield streams

    def check_unchanged(self) -> None:
        """A file may have grown while a part was read."""
        if self._end is None:
            super().check_unchanged()
        elif self._stamps() != self._seen and not self._is_there(self._end, whole=True):
            raise self.changed_meanwhile()

    def refuse_empty(self, rows: int) -> None:
        if not self.is_first:
            return
        if rows == 0 and self.span is not None and self.path.stat().st_size > self.span.stop:
            raise Refusal(
                self.where,
                f"found no whole row in {self.name}, but the beginning of one",
                "wanted rows that end with a line break, since the file grows (data.grows)",
                "Run again when more has come, or take grows out of the charter.",
            )
        super().refuse_empty(rows)

    def _check_prefix(self, known: FileEnd) -> None:
        size = self.path.stat().st_size
        if size < known.bytes:
            raise Changed(f"{self.name} has {size:,} bytes where {known.bytes:,} had landed")
        if not self._is_there(known):
            raise Changed(f"{self.name} does not begin as it did when its rows landed")

    def _is_there(self, known: FileEnd, whole: bool = False) -> bool:
        return unchanged(self.path, known.bytes, known.blocks, whole)
