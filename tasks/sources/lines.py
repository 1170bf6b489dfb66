"""Which line of a CSV file a row stands on; found by reading again, as only refused rows need it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from charter import Refusal
from charter.data import CsvSource
from tasks.sources.header import on_line
from tasks.sources.quotes import is_torn
from tasks.sources.span import Span
from tasks.sources.unpacked import unpacked

LONGEST = 2**25
"""More characters than a field of a row that Arrow has read can have."""


class Lines:
    """The lines of one file, or of a span of it, under the numbers that they have in the file.

    Rows count from 0 after the header; blank lines are no rows.
    """

    def __init__(self, path: Path, source: CsvSource, where: str, span: Span | None = None) -> None:
        self._path = path
        self._source = source
        self._where = where
        self._span = span

    def numbers(self, rows: Iterable[int]) -> Iterator[int]:
        """The line on which each of these rows (ascending) begins, in one pass over the file."""
        records = enumerate(self._records(), -1)
        position, line = -2, 1
        for row in rows:
            while position < row:
                following = next(records, None)
                if following is None:
                    break
                position, (line, _) = following
            yield line if position == row else self._number(row + 2)

    def place(self, row: int) -> str:
        return f"line {next(self.numbers([row]))}"

    def torn(self) -> Iterator[tuple[int, int, str]]:
        """Each row with a text behind a closing quote, the line on which it begins, and its text."""
        for row, (line, text) in enumerate(self._records(), -1):
            if row >= 0 and is_torn(text, self._source.delimiter):
                yield row, line, text

    def check_closed(self) -> None:
        """Refuse a file whose last row is inside a quote that never ends."""
        line, text = 1, ""
        for line, text in self._records():  # noqa: B007 - the last one counts
            pass
        if text.count('"') % 2:
            raise Refusal(
                on_line(line, self._source, self._where),
                "found a quote that is opened and not closed before the end of the file",
                "wanted every quote closed",
                'Close it, or double a quote that is part of the text ("").',
            )

    def check_decodes(self) -> int | None:
        """The first line whose bytes are not in the encoding; None where all are."""
        with unpacked(self._path, self._where, self._span) as (content, _):
            for number, line in enumerate(content, 1):
                try:
                    line.decode(self._source.encoding)
                except UnicodeError:
                    return self._number(number)
        return None

    def _number(self, line: int) -> int:
        return line if self._span is None else self._span.line(line)

    def _records(self) -> Iterator[tuple[int, str]]:
        """Each record that is not blank: the line where it begins, and its text."""
        taken: list[str] = []

        def lines(text: io.TextIOWrapper) -> Iterator[str]:
            for line in text:
                taken.append(line)
                yield line

        with unpacked(self._path, self._where, self._span) as (content, _):
            text = io.TextIOWrapper(content, self._source.encoding, errors="replace", newline="")
            number, usual = 1, csv.field_size_limit(LONGEST)
            try:
                for record in csv.reader(lines(text), delimiter=self._source.delimiter):
                    if record:
                        yield self._number(number), "".join(taken)
                    number += len(taken)
                    taken.clear()
            except csv.Error:  # no more line numbers
                return
            finally:
                csv.field_size_limit(usual)
