"""The rows outside of the holdout where aggregates can be asked for, out of core."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serving.signature import Kind
from tasks import lake
from tasks.lake import Table

FOLDS = 5
WIDE = 128
"""A table of more columns is asked in parts: each query takes as long as its table is wide."""
PART = 50
"""Columns of one part."""
MOST_ROWS = 1_000_000
"""Rows that distributions and relations are made from; of more, that many are drawn."""
SEED = 7919
Array = np.ndarray


@dataclass(frozen=True)
class Field:
    """One column of the table and its name in the store."""

    name: str
    at: str
    """`c0`, `c1` …: names of the user need quoting, and may be those of our own columns."""
    kind: Kind
    whole: bool = False
    """Whether the numbers are integers."""


@dataclass(frozen=True)
class Store:
    """The rows that may be looked at, as the table `data` with the columns of `fields`; `rowid`
    counts them in the order of the table. Rows of the holdout are never in it."""

    connection: duckdb.DuckDBPyConnection
    table: Table
    fields: tuple[Field, ...]
    rows: int
    """Rows of `data`."""
    held: Array
    """Which rows of the table are held out; bool, shape (rows of the table,)."""
    source: str = "data"
    """Where the columns of `fields` are; `data` has those of every field."""

    @property
    def outside(self) -> int:
        """Rows outside of the holdout."""
        return len(self.held) - int(self.held.sum())

    @property
    def complete(self) -> bool:
        """Whether `data` holds every row outside of the holdout, and no sample of them."""
        return self.rows == self.outside

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def rows_of(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def one(self, sql: str) -> tuple[Any, ...]:
        return self.rows_of(sql)[0]

    def arrow(self, sql: str) -> pa.Table:
        return self.connection.sql(sql).to_arrow_table()

    def batches(self, sql: str, rows: int = 500_000) -> Iterator[pa.RecordBatch]:
        reader: pa.RecordBatchReader = self.connection.sql(sql).to_arrow_reader(rows)
        yield from reader

    def parts(self, *beside: str, of: str = "data") -> Iterator[Store]:
        """The same rows of `of` with some of the columns at a time, each with those named `beside`.

        Of a table that is not wide, this is the store itself. A part is gone when the next is asked for.
        """
        if len(self.fields) <= WIDE:
            yield replace(self, source=of)
            return
        for first in range(0, len(self.fields), PART):
            fields = self.fields[first : first + PART]
            picked = ", ".join([*(field.at for field in fields), *beside])
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE part AS SELECT {picked} FROM {of}"
            )
            yield replace(self, fields=fields, source="part")

    @contextmanager
    def passing(self, fields: Sequence[Field], rows: Array | None = None) -> Iterator[str]:
        """SQL that reads these columns of every row of the table once, as they pass by.

        `held` says which side a row is on; `rows` (bool) picks the rows instead.
        """
        wanted = [field.name for field in fields]
        types = lake.dataset(self.table).schema
        schema = pa.schema([pa.field(f.at, _wide(types.field(f.name).type)) for f in fields])
        schema = schema.append(pa.field("held", pa.bool_()))
        passing = _batches(lake.read(self.table, wanted), schema, self.held, rows)
        self.connection.register("passing", pa.RecordBatchReader.from_batches(schema, passing))
        columns = [
            f"{_normal(field, schema.field(field.at).type)} AS {field.at}" for field in fields
        ]
        try:
            yield f"(SELECT {', '.join([*columns, 'held'])} FROM passing)"
        finally:
            self.connection.unregister("passing")

    @contextmanager
    def everything(self, fields: Sequence[Field]) -> Iterator[str]:
        """SQL that reads these columns of every row outside of the holdout, once."""
        if self.complete:
            yield self.source
            return
        with self.passing(fields, ~self.held) as rows:
            yield rows


def mark(store: Store, truth: str) -> None:
    """Add the columns `truth` (this SQL, as DOUBLE) and `fold`, 0 to FOLDS - 1 and the same in
    every run."""
    store.connection.execute("ALTER TABLE data ADD COLUMN truth DOUBLE")
    store.connection.execute("ALTER TABLE data ADD COLUMN fold INTEGER")
    store.connection.execute(f"UPDATE data SET truth = {truth}, fold = hash(rowid) % {FOLDS}")


def sampled(share: float) -> str:
    """SQL that is true for this share of the rows, the same ones in every run."""
    return f"hash(rowid + 7919) % 1000000 < {round(share * 1_000_000)}"


@contextmanager
def opened(
    table: Table,
    memory_gb: float,
    held: Array | None = None,
    columns: Sequence[str] | None = None,
    most: int = MOST_ROWS,
) -> Iterator[Store]:
    """The rows outside of the holdout in a temporary database file that is gone afterwards.

    `held` is bool, one value per row of the table (default: nothing is held out). Of more than
    `most` rows, that many are drawn, the same ones in every run.
    """
    custody = np.zeros(table.rows, dtype=bool) if held is None else held
    with tempfile.TemporaryDirectory(prefix="perennial-explore-") as folder:
        connection = duckdb.connect(
            str(Path(folder) / "rows.duckdb"),
            config={
                "memory_limit": f"{max(256, int(memory_gb * 1024 * 0.5))}MiB",
                "temp_directory": folder,
                "autoinstall_known_extensions": "false",
            },
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield _filled(connection, table, custody, columns, most)
        finally:
            connection.close()


def _filled(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    held: Array,
    columns: Sequence[str] | None,
    most: int,
) -> Store:
    schema = lake.dataset(table).schema
    fields = tuple(
        _field(at, column)
        for at, column in enumerate(schema)
        if columns is None or column.name in columns
    )
    store = Store(connection, table, fields, 0, held)
    with store.passing(fields, _drawn(held, most)) as passing:
        connection.execute(f"CREATE TABLE data AS SELECT * EXCLUDE held FROM {passing}")
    (rows,) = store.one("SELECT count(*) FROM data")
    return replace(store, rows=int(rows))


def _drawn(held: Array, most: int) -> Array:
    """The rows to look at: all outside of the holdout, or `most` of them by a fixed seed."""
    places = np.flatnonzero(~held)
    if len(places) > most:
        places = np.random.default_rng(SEED).choice(places, most, replace=False)
    drawn = np.zeros(len(held), dtype=bool)
    drawn[places] = True
    return drawn


def _batches(
    given: Iterator[pa.RecordBatch], schema: pa.Schema, held: Array, rows: Array | None
) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in given:
        span = slice(first, first + batch.num_rows)
        columns = [_finite(column) for column in batch.columns]
        marked = pa.RecordBatch.from_arrays([*columns, pa.array(held[span])], schema=schema)
        yield marked if rows is None else marked.filter(pa.array(rows[span]))
        first += batch.num_rows


def _wide(type: pa.DataType) -> pa.DataType:
    return pa.float64() if pa.types.is_floating(type) else type


def _finite(column: pa.Array) -> pa.Array:
    """Numbers with decimals without NaN and infinity, which count as missing.

    In Arrow, since DuckDB takes a second to plan a thousand such conditions.
    """
    if not pa.types.is_floating(column.type):
        return column
    values = column.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))


def _field(at: int, column: pa.Field) -> Field:
    return Field(column.name, f"c{at}", kind_of(column.type), pa.types.is_integer(column.type))


def kind_of(type: pa.DataType) -> Kind:
    """What the values are to a model; what is none of the others is text."""
    if pa.types.is_boolean(type):
        return "flag"
    if pa.types.is_integer(type) or pa.types.is_floating(type) or pa.types.is_decimal(type):
        return "number"
    if pa.types.is_timestamp(type) or pa.types.is_date(type):
        return "time"
    return "text"


def _normal(field: Field, type: pa.DataType) -> str:
    """SQL for the value as its kind: times are seconds, other numbers than integers doubles."""
    if field.kind == "time":
        return f"epoch({field.at})"
    if field.kind == "flag" or field.whole or pa.types.is_floating(type):
        return field.at
    if field.kind == "number":
        return f"CAST({field.at} AS DOUBLE)"
    return f"CAST({field.at} AS VARCHAR)"


def as_number(field: Field) -> str:
    """SQL for a number, flag (0 or 1) or time (seconds) as DOUBLE."""
    return f"CAST({field.at} AS DOUBLE)"


def as_label(field: Field) -> str:
    """SQL for the value as a class label: `true`, `3` also for 3.0, texts as they stand."""
    if field.kind in ("number", "time") and not field.whole:
        whole = f"{field.at} = trunc({field.at}) AND abs({field.at}) < 1e15"
        return (
            f"CASE WHEN {whole} THEN CAST(CAST({field.at} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({field.at} AS VARCHAR) END"
        )
    return f"CAST({field.at} AS VARCHAR)"


def finite(values: Sequence[Any]) -> list[float | None]:
    """Numbers that can stand in JSON."""
    return [
        None if value is None or not math.isfinite(float(value)) else float(value)
        for value in values
    ]
