"""Every row of the table where aggregates can be asked for, out of core."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from serving.signature import Kind
from tasks import lake
from tasks.lake import Table

FOLDS = 5


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
    """The table `data` with the columns of `fields`; `rowid` counts the rows as written."""

    connection: duckdb.DuckDBPyConnection
    fields: tuple[Field, ...]
    rows: int

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
def opened(table: Table, memory_gb: float) -> Iterator[Store]:
    """The table's rows in a temporary database file that is gone afterwards."""
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
            yield _filled(connection, table)
        finally:
            connection.close()


def _filled(connection: duckdb.DuckDBPyConnection, table: Table) -> Store:
    schema = lake.dataset(table).schema
    fields = tuple(_field(at, column) for at, column in enumerate(schema))
    renamed = pa.schema(
        pa.field(f.at, column.type) for f, column in zip(fields, schema, strict=True)
    )
    batches = (
        pa.RecordBatch.from_arrays(batch.columns, schema=renamed) for batch in lake.read(table)
    )
    incoming = pa.RecordBatchReader.from_batches(renamed, batches)
    connection.register("incoming", incoming)
    columns = ", ".join(
        f"{_normal(field, column.type)} AS {field.at}"
        for field, column in zip(fields, schema, strict=True)
    )
    connection.execute(f"CREATE TABLE data AS SELECT {columns} FROM incoming")
    connection.unregister("incoming")
    rows = connection.execute("SELECT count(*) FROM data").fetchall()[0][0]
    return Store(connection, fields, int(rows))


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
    """SQL for the value as its kind: NaN and infinity count as missing, times are seconds."""
    if field.kind == "time":
        return f"epoch({field.at})"
    if field.kind == "flag" or field.whole:
        return field.at
    if field.kind == "number":
        value = f"CAST({field.at} AS DOUBLE)"
        return f"CASE WHEN isfinite({value}) THEN {value} END"
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
