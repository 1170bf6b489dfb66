"""CSV files, plain, gzip or zip: every cell a text first, lines that are no rows set aside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pyarrow.csv as pacsv

from charter import Refusal
from charter.data import CsvSource
from tasks.progress import report
from tasks.sources.base import Raw, without
from tasks.sources.header import header, undecodable
from tasks.sources.lines import Lines
from tasks.sources.paths import OneFile
from tasks.sources.refused import Refused, Spool
from tasks.sources.texts import UNDECLARED
from tasks.sources.unpacked import unpacked

BLOCK = 2**20


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
        reason = f"{line.actual_columns} fields where the header has {line.expected_columns}"
        self.rows.append(row)
        self.ends_long = "\n" in text
        self.spool.add(row, [reason], text, str)
        return "skip"


class CsvFile(OneFile[CsvSource]):
    """Reads the file once into a spool of texts, from which it can be read again quickly."""

    clause: ClassVar[type] = CsvSource

    def fingerprint(self) -> str:
        return self.hashed(self.source.model_dump_json(exclude={"path"}))

    def raw(self, room: Path, refused: Refused) -> Raw:
        path, spool = self.path, room / f"{self.where}.texts"
        lines = Lines(path, self.source, self.where)
        with unpacked(path, self.where) as (content, _):
            names = header(content, self.source, self.where)
        schema = pa.schema([(name, pa.string()) for name in names])
        ragged = Ragged(room / f"{self.where}.ragged")
        rows, ends_long = self._spool(path, schema, spool, ragged)
        self.refuse_empty(rows + len(ragged.rows))
        if ends_long or ragged.ends_long:
            lines.check_closed()
        _hand_on(ragged, lines, refused)
        return Raw(
            schema,
            lambda: _replayed(spool),
            readings=lambda column: UNDECLARED,
            position=without(ragged.rows),
            place=lines.place,
        )

    def _spool(
        self, path: Path, schema: pa.Schema, spool: Path, ragged: Ragged
    ) -> tuple[int, bool]:
        """How many rows were read, and whether the last goes over several lines."""
        rows, last, size = 0, None, path.stat().st_size
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            unpacked(path, self.where) as (content, file),
            self._explained(path),
            pa.ipc.new_stream(str(spool), schema, options=options) as writer,
        ):
            for batch in self._reader(content, schema, ragged):
                writer.write_batch(batch)
                rows += batch.num_rows
                last = batch.slice(batch.num_rows - 1) if batch.num_rows else last
                report("ingest", file.tell(), size, f"reading {self.name}")
        texts = last.to_pylist()[0].values() if last else ()
        return rows, any(text is not None and "\n" in text for text in texts)

    def _reader(
        self, content: BinaryIO, schema: pa.Schema, ragged: Ragged
    ) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            content,
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=BLOCK, encoding=self.source.encoding
            ),
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
            line = Lines(path, self.source, self.where).check_decodes()
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


def _replayed(spool: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(spool)) as file, pa.ipc.open_stream(file) as stream:
        yield from stream
