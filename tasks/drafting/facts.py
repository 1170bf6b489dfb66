"""What the columns of a file hold, over all of its rows, in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pyarrow.types as pt

from charter.data import FileSource
from tasks.scratch import scratch
from tasks.sources import opened, rows
from tasks.sources.refused import Spool


@dataclass(frozen=True)
class Fact:
    """One column."""

    name: str
    kind: str
    """whole, number, flag, time or text."""
    missing: int
    distinct: int
    low: object = None
    high: object = None
    examples: tuple[str, ...] = ()
    """The most frequent values."""


@dataclass(frozen=True)
class Looked:
    """A file with its rows in DuckDB, as the view `t`."""

    connection: duckdb.DuckDBPyConnection
    rows: int
    unreadable: int
    facts: tuple[Fact, ...]

    def fact(self, name: str) -> Fact:
        return next(fact for fact in self.facts if fact.name == name)

    def number(self, query: str) -> float:
        """The one number that a query gives, 0 where it gives none."""
        found = self.connection.execute(query).fetchall()
        return float(found[0][0]) if found and found[0][0] is not None else 0.0


@contextmanager
def looked(source: FileSource) -> Iterator[Looked]:
    """Read the file as ingest will, and describe each column; memory is bounded."""
    with scratch("draft") as room, duckdb.connect() as connection:
        connection.execute("SET memory_limit = '1GB'; SET TimeZone = 'UTC'")
        connection.execute(f"SET temp_directory = {literal(str(room))}")
        refused = Spool(room / "refused")
        count, kinds = _kept(source, room, refused)
        connection.execute(
            f"CREATE VIEW t AS SELECT * FROM read_parquet({literal(str(room / 't.parquet'))})"
        )
        facts = tuple(_fact(connection, name, kind) for name, kind in kinds.items())
        yield Looked(connection, count, refused.count, facts)


def _kept(source: FileSource, room: Path, refused: Spool) -> tuple[int, dict[str, str]]:
    incoming = rows(opened(source, "--data"), {}, room, refused)
    count = 0
    with pq.ParquetWriter(room / "t.parquet", incoming.schema) as writer:
        for batch in incoming.batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count, {field.name: _kind(field.type) for field in incoming.schema}


def _kind(type: object) -> str:
    if pt.is_boolean(type):
        return "flag"
    if pt.is_integer(type):
        return "whole"
    if pt.is_floating(type):
        return "number"
    return "time" if pt.is_timestamp(type) else "text"


def _fact(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> Fact:
    column = quoted(name)
    known = f"{column} IS NOT NULL" + (f" AND NOT isnan({column})" if kind == "number" else "")
    missing, distinct, low, high = connection.execute(
        f"SELECT count(*) FILTER (WHERE NOT ({known})), count(DISTINCT {column}) FILTER"
        f" (WHERE {known}), min({column}) FILTER (WHERE {known}), max({column}) FILTER"
        f" (WHERE {known}) FROM t"
    ).fetchall()[0]
    examples = connection.execute(
        f"SELECT {column}::VARCHAR FROM t WHERE {known} GROUP BY 1 ORDER BY count(*) DESC, 1"
        " LIMIT 4"
    ).fetchall()
    return Fact(name, kind, missing, distinct, low, high, tuple(value for (value,) in examples))


def quoted(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def day(value: object) -> str:
    return value.strftime("%Y-%m-%d") if isinstance(value, datetime) else str(value)
