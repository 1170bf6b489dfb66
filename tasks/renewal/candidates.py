"""Source and log, row by row: only what decides whether a row stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from charter import Charter
from tasks import lake
from tasks.collection.shape import KNOWN_AT, PREDICTION, other_type, taken_for
from tasks.lake import Table
from tasks.splitting.labels import labelled
from tasks.splitting.sides import moments

FACTS = [("position", pa.int64()), ("known", pa.bool_()), ("moment", pa.float64())]
"""Place in its table, whether it has a label, and `data.time` in seconds."""
SEEN = [(PREDICTION, pa.string()), (KNOWN_AT, pa.timestamp("us", "UTC"))]


def agree(charter: Charter, schema: pa.Schema, log: Table) -> None:
    """Refuse a column that holds something else in the log."""
    there = lake.dataset(log).schema
    for field in schema:
        if field.name in there.names:
            kind = there.field(field.name).type
            if not taken_for(field, kind):
                raise other_type(charter, field.name, field.type, kind)


def key_of(charter: Charter, schema: pa.Schema) -> list[str]:
    """The charter's key, as far as it is there as a whole."""
    key = list(charter.data.key)
    return key if all(name in schema.names for name in key) else []


def facts(charter: Charter, table: Table, schema: pa.Schema) -> pa.RecordBatchReader:
    """FACTS and the key (as k0, k1 …) of each row of the table, which is the source or the log."""
    key = key_of(charter, schema)
    ours = [pa.field(*one) for one in SEEN] if _is_log(table) else []
    keys = [pa.field(f"k{at}", schema.field(name).type) for at, name in enumerate(key)]
    given = pa.schema([*(pa.field(*one) for one in FACTS), *keys, *ours])

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in _read(table, charter, key):
            columns = _facts(charter, batch, start)
            columns += [_column(batch, schema.field(name)) for name in key]
            columns += [batch.column(one.name) for one in ours]
            start += batch.num_rows
            yield pa.RecordBatch.from_arrays(columns, schema=given)

    return pa.RecordBatchReader.from_batches(given, batches())


def rows(log: Table, schema: pa.Schema) -> pa.RecordBatchReader:
    """The log's rows in the source's columns, each with its `position` as last column."""
    numbered = schema.append(pa.field("position", pa.int64()))

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in lake.read(log):
            columns = [_column(batch, field) for field in schema]
            columns.append(_positions(start, batch.num_rows))
            start += batch.num_rows
            yield pa.RecordBatch.from_arrays(columns, schema=numbered)

    return pa.RecordBatchReader.from_batches(numbered, batches())


def _read(table: Table, charter: Charter, key: Sequence[str]) -> Iterator[pa.RecordBatch]:
    wanted = [charter.goal.target.column, charter.data.time, *key]
    wanted += [name for name, _ in SEEN] if _is_log(table) else []
    there = lake.dataset(table).schema.names
    names = dict.fromkeys(name for name in wanted if name in there)
    yield from lake.read(table, [str(name) for name in names])


def _facts(charter: Charter, batch: pa.RecordBatch, start: int) -> list[pa.Array]:
    target, name = charter.goal.target.column, charter.data.time
    known = labelled(batch.column(target)) if target in batch.schema.names else None
    if charter.goal.target.sought is not None:  # in every row it is found anew
        known = np.ones(batch.num_rows, dtype=bool)
    seconds = np.full(batch.num_rows, np.nan)
    if name is not None and name in batch.schema.names:
        seconds = moments(pa.chunked_array([batch.column(name)]), name)
    return [
        _positions(start, batch.num_rows),
        pa.array(np.zeros(batch.num_rows, dtype=bool) if known is None else known),
        pa.array(seconds, from_pandas=True),
    ]


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    """The column of the batch with the source's type; nulls where the log does not have it."""
    if field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    return batch.column(field.name).cast(field.type)


def _positions(start: int, rows: int) -> pa.Array:
    return pa.array(np.arange(start, start + rows, dtype=np.int64))


def _is_log(table: Table) -> bool:
    return table.where.endswith("/collected")
