"""CSV files, plain, gzip or zip: every cell a text first, lines that are no rows set aside."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from charter import Refusal
from charter.data import CsvSource
from tasks.progress import report
from tasks.rowgroups import groups
from tasks.sources.appended import Appended, FileEnd
from tasks.sources.base import Raw, without
from tasks.sources.header import LONGEST, header, undecodable
from tasks.sources.lines import Lines
from tasks.sources.quotes import Quotes, whole_records
from tasks.sources.refused import Refused, Spool
from tasks.sources.span import breaks, header_end, last_end
from tasks.sources.texts import UNDECLARED

BLOCK = 2**20


class Read(NamedTuple):
    """What one pass over the file has found."""

    rows: int
    ends_long: bool
    """Whether the last row goes over several lines."""
    torn: bool
    """Whether a text stands behind a closing quote."""


class Ragged:
    """Lines with more or fewer fields than the header."""

    def __init__(self, path: Path) -> None:
        self.spool = Spool(path)
        self.rows: list[int] = []
        self.ends_long = False
        """Whether the last of them goes over several lines."""

    def __call__(self, line: pacsv.InvalidRow) -> str:
        row = line.number - 2  # Arrow counts from 1, the header first
        text = line.text
        fields = f"{line.actual_columns} field" + "s" * (line.actual_columns != 1)
        reason = f"{fields} where the header has {line.expected_columns}"
        self.rows.append(row)
        self.ends_long = "\n" in text
        self.spool.add(row, [reason], text, str)
        return "skip"


class CsvFile(Appended[CsvSource]):
    """Reads the file once into a spool of texts, from which it can be read again quickly."""

    clause: ClassVar[type] = CsvSource

    def fingerprint(self) -> str:
        return self.hashed(self.source.model_dump_json(exclude={"path"}))

    def raw(self, room: Path, refused: Refused) -> Raw:
        path, spool = self.path, room / f"{self.where}.texts"
        lines = Lines(path, self.source, self.where, self.span)
        with self.content() as (content, _):
            names = header(content, self.source, self.where)
        schema = pa.schema([(name, pa.string()) for name in names])
        ragged = Ragged(room / f"{self.where}.ragged")
        read = self._spool(path, schema, spool, ragged)
        self.refuse_empty(read.rows + len(ragged.rows))
        if read.ends_long or ragged.ends_long:
            lines.check_closed()
        _hand_on(ragged, lines, refused)
        torn = self._torn(lines, set(ragged.rows), refused) if read.torn else []
        missing = np.searchsorted(ragged.rows, torn)  # before them, and so not in the spool
        return Raw(
            schema,
            lambda: _replayed(spool, np.asarray(torn, dtype=np.int64) - missing),
            readings=lambda column: UNDECLARED,
            position=without(sorted([*ragged.rows, *torn])),
            place=lines.place,
        )

    def last_end(self, path: Path, known: FileEnd | None, size: int) -> FileEnd:
        with path.open("rb") as file:
            content = file.read(min(LONGEST, size))
        head, line_end = header_end(content)
        if head == 0:  # no whole header, which is for the reader to say
            return FileEnd(head=0, head_lines=0, bytes=size, lines=0, blocks=())
        head_lines = breaks(content[:head])
        start, lines = (head, head_lines) if known is None else (known.bytes, known.lines)
        newline = line_end[-1:]
        found = last_end(
            path, start, size,
            lambda records: whole_records(records, self.source.delimiter, newline),
            breaks, BLOCK,
        )  # fmt: skip
        return FileEnd(
            head=head, head_lines=head_lines, bytes=found.stop, lines=lines + found.lines, blocks=()
        )

    def _torn(self, lines: Lines, ragged: set[int], refused: Refused) -> list[int]:
        """The rows with a text behind a closing quote that are not ragged too, handed to `refused`."""
        rows, found = [], False
        for row, line, text in lines.torn():
            found = True
            if row not in ragged:
                rows.append(row)
                record = f"line {line}: {text.rstrip()}"
                refused.add(row, ["a text behind a closing quote"], record, lines.place)
        if not found:
            raise Refusal(
                self.where,
                f"found a text behind a closing quote in {self.name}",
                "wanted a delimiter or the end of the line there",
                'Double a quote that is part of the text ("").',
            )
        return rows

    def _spool(self, path: Path, schema: pa.Schema, spool: Path, ragged: Ragged) -> Read:
        rows, last, size = 0, None, path.stat().st_size
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            self.content() as (content, file),
            self._explained(path),
            pa.ipc.new_stream(str(spool), schema, options=options) as writer,
        ):
            quotes = Quotes(self._as_utf8(content), self.source.delimiter)
            for group in groups(schema, self._reader(quotes, schema, ragged)):
                writer.write_table(group.combine_chunks())
                rows += group.num_rows
                last = group.slice(group.num_rows - 1)
                report("ingest", file.tell(), size, f"reading {self.name}")
        texts = last.to_pylist()[0].values() if last else ()
        ends_long = any(text is not None and "\n" in text for text in texts)
        return Read(rows, ends_long, quotes.torn)

    def _as_utf8(self, content: BinaryIO) -> BinaryIO:
        encoding = codecs.lookup(self.source.encoding).name
        if encoding == "utf-8":
            return content
        file = pa.PythonFile(content, mode="r")
        return cast(BinaryIO, pa.transcoding_input_stream(file, encoding, "utf-8"))

    def _reader(
        self, content: Quotes, schema: pa.Schema, ragged: Ragged
    ) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            content,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=pacsv.ParseOptions(
                delimiter=self.source.delimiter,
                newlines_in_values=True,
                invalid_row_handler=ragged,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=schema,
                strings_can_be_null=True,
                null_values=list(self.source.missing),
            ),
        )

    @contextmanager
    def _explained(self, path: Path) -> Iterator[None]:
        """What Arrow cannot read, in words and with the line."""
        try:
            yield
        except (pa.ArrowInvalid, UnicodeError) as error:
            line = Lines(path, self.source, self.where, self.span).check_decodes()
            if line is not None:
                raise undecodable(self.source, self.where, line) from error
            if "straddling" in str(error):
                raise Refusal(
                    self.where,
                    f"found a row longer than {BLOCK // 2**20} MB in {self.name}",
                    "wanted rows of a CSV file",
                    "Look for a quote that is not closed, or for a file that is no CSV.",
                ) from error
            raise Refusal(
                self.where,
                f"found {self.name} unreadable as CSV ({error})",
                "wanted rows of a CSV file",
                "Open it in a text editor at the place that is named.",
            ) from error


def _hand_on(ragged: Ragged, lines: Lines, refused: Refused) -> None:
    numbers = lines.numbers(ragged.rows)
    for batch in ragged.spool.batches():
        for bad, number in zip(batch.to_pylist(), numbers, strict=False):
            text = f"line {number}: {bad['record']}"
            refused.add(bad["row"], bad["reasons"], text, lines.place)


def _replayed(spool: Path, torn: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The spool without these rows (ascending)."""
    start = 0
    with pa.OSFile(str(spool)) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            end = start + batch.num_rows
            mine = torn[slice(*np.searchsorted(torn, [start, end]))] - start
            start = end
            yield _but(batch, mine) if len(mine) else batch


def _but(batch: pa.RecordBatch, rows: np.ndarray) -> pa.RecordBatch:
    kept = np.ones(batch.num_rows, dtype=bool)
    kept[rows] = False
    return batch.filter(pa.array(kept))
