"""The landed rows, part by part: judged once, and parted into those that are fit and the rest.

Refused rows wait in a nameless temporary file until the fit ones are written, so that memory holds
a few parts however many there are, and a killed run leaves nothing behind.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as types

from charter import Charter
from serving.home import place
from tasks import lake
from tasks.lake import Table
from tasks.progress import report
from tasks.quarantine import QUARANTINE
from tasks.rowgroups import GROUP_ROWS
from tasks.validation.distribution import distinct, judge_sample, judge_values, sampled
from tasks.validation.expectation import Expectation
from tasks.validation.judge import Judge
from tasks.validation.panel import Judges
from tasks.validation.shape import cast
from tasks.validation.tally import Finding, Tally
from tasks.validation.whole import AGGREGATES, judge_number, repeats

BATCH_ROWS = 4 * GROUP_ROWS
"""Rows that Great Expectations and pandas see at once: each batch costs it a fifth of a second."""
BATCH_BYTES = 96 * 2**20
"""The same in bytes, for tables with many columns; a text counts as WIDTH."""
WIDTH = 24


@dataclass(frozen=True)
class Part:
    """Neighbouring rows of the table that are judged at once."""

    start: int
    stop: int
    repeated: tuple[tuple[str, np.ndarray], ...]
    """Rules that compare rows, in words, with the rows of the part that break them (from 0)."""


@dataclass(frozen=True)
class Judged:
    """What was found in a part: one finding for each expectation that a part can answer."""

    findings: list[Finding]
    refused: pa.RecordBatch


class Bench:
    """What a judge needs at hand."""

    def __init__(
        self, table: Table, schema: pa.Schema, expectations: Sequence[Expectation]
    ) -> None:
        self.table, self.schema = table, schema
        self.judge = Judge([one for one in expectations if not whole(one)])

    def part(self, part: Part) -> Judged:
        """Judge the rows; those that break a row rule come back with their reasons."""
        batch = cast(_joined(list(lake.span(self.table, part.start, part.stop))), self.schema)
        findings = self.judge.judge(batch)
        broken = [
            (expectation.broken, finding.positions)
            for expectation, finding in zip(self.judge.expectations, findings, strict=True)
            if expectation.kind == "row" and finding.positions is not None
        ]
        return Judged(findings, _refused(batch, part.start, [*broken, *part.repeated]))

    def spread(self, expectations: Sequence[Expectation]) -> list[Finding]:
        return judge_sample(self.table, self.schema, expectations)


class Sifting:
    """Judges while the rows that are fit are read; refused ones go to `spool`.

    `tallies`, `refused` and `batches` are whole when `fit` is at its end.
    """

    def __init__(
        self,
        charter: Charter,
        table: Table,
        schema: pa.Schema,
        expectations: Sequence[Expectation],
        judges: Judges[Bench],
        spool: IO[bytes],
        span: tuple[int, int] | None = None,
        tallies: Sequence[Tally] = (),
    ) -> None:
        """`span`: only these rows are judged one by one; `tallies` is what was found before them."""
        self.tallies = list(tallies) or [Tally(expectation) for expectation in expectations]
        self.refused = 0
        self.reasons = Counter[str]()
        """Refused rows by reason; one with two counts in both."""
        self._start, self._stop = span or (0, table.rows)
        self._charter, self._table, self._schema = charter, table, schema
        self._judges, self._spool = judges, spool
        self._wanted = True
        self._fit = self._rows()

    def fit(self) -> pa.RecordBatchReader:
        """The rows that broke nothing, in the order of the table; can be read once."""
        return pa.RecordBatchReader.from_batches(self._schema, self._fit)

    def finish(self) -> None:
        """Judge whatever nobody has read, without reading the rows."""
        self._wanted = False
        for _ in self._fit:
            pass

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The refused rows, schema QUARANTINE, in the order of the table."""
        self._spool.seek(0)
        with pa.ipc.open_stream(pa.PythonFile(self._spool, "r")) as stream:
            yield from stream

    def _rows(self) -> Iterator[pa.RecordBatch]:
        asked = [tally for tally in self.tallies if not whole(tally.expectation)]
        parts = self._parts(self._judge_whole())
        with pa.ipc.new_stream(pa.PythonFile(self._spool, "w"), QUARANTINE) as stream:
            for part, judged in zip(parts, self._judges.each(Bench.part, parts), strict=True):
                for tally, finding in zip(asked, judged.findings, strict=True):
                    tally.add(finding)
                stream.write_batch(judged.refused)
                self.refused += judged.refused.num_rows
                self.reasons.update(judged.refused.column("reasons").flatten().to_pylist())
                note = f"{self.refused:,} rows refused"
                report("validate", part.stop, max(self._table.rows, 1), note)
                if self._wanted:
                    yield from self._kept(
                        part, judged.refused.column("row").to_numpy() - part.start
                    )

    def _kept(self, part: Part, refused: np.ndarray) -> Iterator[pa.RecordBatch]:
        keep = np.ones(part.stop - part.start, dtype=bool)
        keep[refused] = False
        start = 0
        for batch in lake.span(self._table, part.start, part.stop):
            mask = keep[start : start + batch.num_rows]
            start += batch.num_rows
            rows = cast(batch, self._schema)
            yield rows if mask.all() else rows.filter(pa.array(mask))

    def _parts(self, repeated: Sequence[tuple[str, np.ndarray]]) -> list[Part]:
        size, parts = part_rows(self._schema), []
        for start in range(self._start, self._stop, size):
            stop = min(start + size, self._stop)
            ends = [(words, np.searchsorted(at, (start, stop)), at) for words, at in repeated]
            inside = tuple((words, at[first:last] - start) for words, (first, last), at in ends)
            parts.append(Part(start, stop, inside))
        return parts

    def _judge_whole(self) -> list[tuple[str, np.ndarray]]:
        """Judge what takes the whole table; the row rules among it with their rows."""
        repeated = []
        for tally in self.tallies:
            expectation = tally.expectation
            if expectation.unique:
                positions = repeats(self._charter, self._table, expectation.columns)
                unique = not len(positions)
                found = Finding(success=unique, elements=self._table.rows, positions=positions)
                tally.add(found)
                if expectation.kind == "row":
                    repeated.append((expectation.broken, positions))
            elif expectation.type in AGGREGATES and not sampled(expectation):
                tally.add(judge_number(self._charter, self._table, expectation))
            elif distinct(expectation):
                tally.add(judge_values(self._charter, self._table, expectation, self._judges))
        by_sample = [tally for tally in self.tallies if sampled(tally.expectation)]
        asked = [tally.expectation for tally in by_sample]
        spread = self._judges.call(Bench.spread, asked) if asked else []
        for tally, finding in zip(by_sample, spread, strict=True):
            tally.add(finding)
        return repeated


def part_rows(schema: pa.Schema) -> int:
    """How many rows of this width are judged at once."""
    width = sum(field.type.bit_width // 8 if _fixed(field.type) else WIDTH for field in schema)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(width, 1)))


def _fixed(kind: pa.DataType) -> bool:
    return bool(types.is_primitive(kind)) and kind.bit_width >= 8


def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    return parts[0] if len(parts) == 1 else pa.concat_batches(parts)


def whole(expectation: Expectation) -> bool:
    """Whether no batch can answer it."""
    asked = expectation.unique or expectation.type in AGGREGATES
    return asked or distinct(expectation) or sampled(expectation)


def _refused(
    batch: pa.RecordBatch, start: int, broken: Sequence[tuple[str, np.ndarray]]
) -> pa.RecordBatch:
    reasons: dict[int, list[str]] = {}
    for words, positions in broken:
        for position in positions.tolist():
            said = reasons.setdefault(position, [])
            if words not in said:
                said.append(words)
    rows = np.array(sorted(reasons), dtype=np.int64)
    records = [json.dumps(row, default=str, ensure_ascii=False) for row in _records(batch, rows)]
    columns = [rows + start, [reasons[row] for row in rows.tolist()], records]
    arrays = [
        pa.array(values, type=column.type)
        for values, column in zip(columns, QUARANTINE, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=QUARANTINE)


def _records(batch: pa.RecordBatch, rows: np.ndarray) -> list[dict[str, Any]]:
    if not len(rows):
        return []
    records = batch.take(pa.array(rows)).to_pylist()
    return [{name: _plain(value) for name, value in record.items()} for record in records]


def _plain(value: object) -> object:
    """JSON has no number that is none and none without end."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def nameless() -> IO[bytes]:
    """A file that is gone when it is closed, or its process ends."""
    folder = place("scratch")
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)
