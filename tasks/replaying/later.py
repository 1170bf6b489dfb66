"""The rows that the training left for run time, joined and derived as it would, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from charter import Charter, Refusal
from tasks.ingestion.derive import Derived
from tasks.ingestion.incoming import gathered, is_early, roles
from tasks.ingestion.joins import joined_sources, prepare, quoted, workbench
from tasks.scratch import scratch
from tasks.sources import opened, rows
from tasks.sources.refused import Spool


def midnight(day: date | datetime) -> datetime:
    """The moment that a date of the charter means: UTC, as `data.until` is read."""
    moment = day if isinstance(day, datetime) else datetime.combine(day, time())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Later:
    """Rows in a file of DuckDB, given out one stretch of time after the other."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: pa.Schema, name: str) -> None:
        self._connection = connection
        self._name = quoted(name)
        self._zoned = schema.field(name).type.tz is not None
        self.schema = schema

    @property
    def last(self) -> datetime | None:
        """The time of the last row; None where there is no row."""
        found = self._connection.execute(f"SELECT max({self._name}) FROM later").fetchall()[0][0]
        return None if found is None else midnight(found)

    def count(self, since: datetime, until: datetime) -> int:
        """How many rows lie from `since` to before `until`."""
        query = f"SELECT count(*) FROM later WHERE {self._name} >= ? AND {self._name} < ?"
        return int(self._connection.execute(query, self._span(since, until)).fetchall()[0][0])

    def between(self, since: datetime, until: datetime) -> pa.Table:
        """The rows from `since` to before `until`, oldest first, else in the source's order."""
        query = (
            f"SELECT * EXCLUDE __place FROM later WHERE {self._name} >= ? AND {self._name} < ? "
            f"ORDER BY {self._name}, __place"
        )
        span = self._span(since, until)
        return self._connection.sql(query, params=span).to_arrow_table().cast(self.schema)

    def _span(self, since: datetime, until: datetime) -> list[datetime]:
        if self._zoned:
            return [since, until]
        return [moment.astimezone(UTC).replace(tzinfo=None) for moment in (since, until)]


@contextmanager
def later_rows(charter: Charter, since: datetime) -> Iterator[Later]:
    """The source's rows from `since` on, as long as the block lasts; memory is a few batches."""
    name = charter.data.time
    assert name is not None
    with scratch("replay") as room, workbench(charter, room) as connection:
        schema, batches = _rows(charter, connection, room, since)
        if not pt.is_timestamp(schema.field(name).type):
            raise Refusal(
                "data.time", f"found {name} as {schema.field(name).type}", "wanted times",
                "Name a column with ISO 8601 times in data.time.",
            )  # fmt: skip
        _keep(connection, schema, batches)
        yield Later(connection, schema, name)


def _rows(
    charter: Charter, connection: duckdb.DuckDBPyConnection, room: Path, since: datetime
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """What `ingest` does to the rows before `data.until`, for those from `since` on."""
    known = roles(charter)
    source = rows(opened(charter.data.source), known, room, Spool(room / "refused"))
    joins = prepare(connection, charter, source.schema, known, room, joined_sources(charter))
    schema = pa.schema([*source.schema, *(field for join in joins for field in join.added)])
    derived = Derived(connection, charter, schema) if charter.goal.target.made else None
    wanted = charter.model_copy(update={"data": charter.data.model_copy(update={"until": since})})

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in gathered(source.schema, source.batches):
            batch = batch.filter(pc.invert(is_early(wanted, batch)))
            if not batch.num_rows:
                continue
            for join in joins:
                batch = join.apply(connection, batch)
            yield batch if derived is None else derived.apply(batch)

    return (schema if derived is None else schema.append(derived.field)), batches()


def _keep(
    connection: duckdb.DuckDBPyConnection, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> None:
    """One insert a batch: a reader given to DuckDB could not use the same connection for joins."""
    connection.register("shape", schema.empty_table())
    connection.execute("CREATE TABLE later AS SELECT *, 0::BIGINT AS __place FROM shape")
    place = 0
    for batch in batches:
        numbers = pa.array(range(place, place + batch.num_rows))
        connection.register(
            "incoming", pa.Table.from_batches([batch]).append_column("__place", numbers)
        )
        connection.execute("INSERT INTO later SELECT * FROM incoming")
        connection.unregister("incoming")
        place += batch.num_rows
