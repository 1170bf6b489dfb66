"""The landed rows, batch by batch: judged once, then parted into those that are fit and the rest.

Refused rows wait in a nameless temporary file between the two, so that memory holds a few batches
however many there are, and a killed run leaves nothing behind.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as types

from charter import Charter
from serving.home import place
from tasks import lake
from tasks.lake import QUARANTINE, Table
from tasks.progress import report
from tasks.validation.distribution import distinct, judge_sample, judge_values, sampled
from tasks.validation.expectation import Expectation
from tasks.validation.judge import Judge
from tasks.validation.shape import cast
from tasks.validation.tally import Finding, Tally
from tasks.validation.whole import AGGREGATES, judge_number, repeats

BATCH_ROWS = 500_000
"""Rows that Great Expectations and pandas see at once: each batch costs it a fifth of a second."""
BATCH_BYTES = 96 * 2**20
"""The same in bytes, for tables with many columns; a text counts as WIDTH."""
WIDTH = 24
READ_ROWS = 131_072


@dataclass
class Sifted:
    """What was found, and the refused rows on disk: one batch for each that was read."""

    tallies: list[Tally]
    fit: int
    refused: int
    spool: IO[bytes]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The refused rows, schema QUARANTINE, in the order of the table."""
        self.spool.seek(0)
        with pa.ipc.open_stream(pa.PythonFile(self.spool, "r")) as stream:
            yield from stream


def sift(
    charter: Charter,
    table: Table,
    schema: pa.Schema,
    expectations: Sequence[Expectation],
    spool: IO[bytes],
) -> Sifted:
    """Judge every row of the table and put those that break a rule into `spool`."""
    tallies = [Tally(expectation) for expectation in expectations]
    by_batch = [tally for tally in tallies if not _whole(tally.expectation)]
    earlier = _judge_whole(charter, table, schema, tallies)
    judge = Judge([tally.expectation for tally in by_batch])
    sifted = Sifted(tallies, 0, 0, spool)
    start = 0
    with pa.ipc.new_stream(pa.PythonFile(spool, "w"), QUARANTINE) as stream:
        for batch in chunks(table, schema):
            broken = _broken(by_batch, judge.judge(batch.to_pandas()))
            for tally, positions in earlier:
                inside = (positions >= start) & (positions < start + batch.num_rows)
                broken.append((tally.expectation.broken, positions[inside] - start))
            refused = _refused(batch, start, broken)
            stream.write_batch(refused)
            start += batch.num_rows
            sifted.refused += refused.num_rows
            report("validate", start, max(table.rows, 1), f"{sifted.refused:,} rows refused")
    sifted.fit = start - sifted.refused
    return sifted


def fit(table: Table, schema: pa.Schema, sifted: Sifted) -> pa.RecordBatchReader:
    """The rows that broke nothing, in the order of the table."""

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch, refused in zip(chunks(table, schema), sifted.batches(), strict=True):
            keep = np.ones(batch.num_rows, dtype=bool)
            keep[refused.column("row").to_numpy() - start] = False
            start += batch.num_rows
            yield batch if keep.all() else batch.filter(pa.array(keep))

    return pa.RecordBatchReader.from_batches(schema, batches())


def chunks(table: Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The table's rows in batches of one size, whatever the sizes of its files are."""
    rows = batch_rows(schema)
    waiting: list[pa.RecordBatch] = []
    for batch in lake.read(table, rows=min(rows, READ_ROWS)):
        rest = cast(batch, schema)
        while (gap := rows - sum(part.num_rows for part in waiting)) <= rest.num_rows:
            yield _joined([*waiting, rest.slice(0, gap)])
            waiting, rest = [], rest.slice(gap)
        if rest.num_rows:
            waiting.append(rest)
    if waiting:
        yield _joined(waiting)


def batch_rows(schema: pa.Schema) -> int:
    """How many rows of this width are judged at once."""
    width = sum(field.type.bit_width // 8 if _fixed(field.type) else WIDTH for field in schema)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(width, 1)))


def _fixed(kind: pa.DataType) -> bool:
    return bool(types.is_primitive(kind)) and kind.bit_width >= 8


def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    return parts[0] if len(parts) == 1 else pa.concat_batches(parts)


def _whole(expectation: Expectation) -> bool:
    """Whether no batch can answer it."""
    asked = expectation.unique or expectation.type in AGGREGATES
    return asked or distinct(expectation) or sampled(expectation)


def _judge_whole(
    charter: Charter, table: Table, schema: pa.Schema, tallies: Sequence[Tally]
) -> list[tuple[Tally, np.ndarray]]:
    """Judge what takes the whole table; the row rules among it with their rows."""
    by_row = []
    by_sample = [tally for tally in tallies if sampled(tally.expectation)]
    found = judge_sample(table, schema, [tally.expectation for tally in by_sample])
    for tally, finding in zip(by_sample, found, strict=True):
        tally.add(finding)
    for tally in (tally for tally in tallies if not sampled(tally.expectation)):
        expectation = tally.expectation
        if expectation.unique:
            positions = repeats(charter, table, expectation.columns)
            unique = not len(positions)
            tally.add(Finding(success=unique, elements=table.rows, positions=positions))
            if expectation.kind == "row":
                by_row.append((tally, positions))
        elif expectation.type in AGGREGATES:
            tally.add(judge_number(charter, table, expectation))
        elif distinct(expectation):
            tally.add(judge_values(charter, table, expectation))
    return by_row


def _broken(tallies: Sequence[Tally], findings: Sequence[Finding]) -> list[tuple[str, np.ndarray]]:
    """Each broken row rule in words, with the batch's rows that break it."""
    broken = []
    for tally, finding in zip(tallies, findings, strict=True):
        tally.add(finding)
        if tally.expectation.kind == "row" and finding.positions is not None:
            broken.append((tally.expectation.broken, finding.positions))
    return broken


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
