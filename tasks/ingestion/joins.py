"""The joins of the charter: a left join with at most one match, batch by batch, in source order.

DuckDB holds the joined source in a file and within the charter's memory; the rows themselves pass
by in batches, so that their order and the memory do not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.types as pt

from charter import Charter, Refusal
from charter.data import Join
from tasks.nearest import suggestion
from tasks.protection.door import Withholding
from tasks.sources import Roles, Rows, Source, opened, rows
from tasks.sources.refused import Spool

THREADS = 2


@contextmanager
def workbench(charter: Charter, room: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with half of the charter's memory, spilling into `room`; it loads no extension."""
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{int(charter.constraints.memory_gb * 512)}MiB",
        "temp_directory": str(room / "spill"),
        "threads": THREADS,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(str(room / "workbench.duckdb"), config=options)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_external_access = false")
        yield connection
    finally:
        connection.close()


@dataclass
class Joined:
    """One join under way: what it adds, and what it counted so far."""

    join: Join
    where: str
    name: str
    table: str
    keys: dict[str, str]
    """Per column of `on`, the SQL condition."""
    added: pa.Schema
    refused: Spool
    """Lines of the joined source that are no rows."""
    unmatched: int = 0
    seen: int = 0
    """Rows that came by."""

    def apply(self, connection: duckdb.DuckDBPyConnection, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the added columns, its rows in their order."""
        keys = pa.table([batch.column(name) for name in self.keys], names=list(self.keys))
        keys = keys.append_column(_fresh("row", self.keys), pa.array(range(batch.num_rows)))
        columns = ", ".join(f"j.{quoted(name)}" for name in self.added.names)
        connection.register("batch", keys)
        found = connection.sql(
            f"SELECT {columns}, j.__matched IS NULL AS __unmatched "
            f"FROM batch b LEFT JOIN {self.table} j ON {' AND '.join(self.keys.values())} "
            f"ORDER BY b.{quoted(keys.column_names[-1])}"
        ).to_arrow_table()
        connection.unregister("batch")
        self.seen += batch.num_rows
        self.unmatched += found["__unmatched"].to_pylist().count(True)
        return widened(batch, found.drop_columns(["__unmatched"]).cast(self.added))


def joined_sources(charter: Charter) -> list[Source]:
    """The source of each join; nothing is read yet."""
    return [
        opened(join.source, f"data.joins.{number}.source")
        for number, join in enumerate(charter.data.joins)
    ]


def prepare(
    connection: duckdb.DuckDBPyConnection,
    charter: Charter,
    left: pa.Schema,
    roles: Roles,
    room: Path,
    sources: Sequence[Source],
    scoring: bool = False,
) -> list[Joined]:
    """Load the joined sources (`joined_sources`) and check that each row can have one match at most.

    `scoring`: a join is left out where its keys are not there, or its columns are there already.
    """
    prepared: list[Joined] = []
    for number, (join, source) in enumerate(zip(charter.data.joins, sources, strict=True)):
        if scoring and not set(join.on) <= set(left.names):
            continue
        if scoring and join.columns is not None and set(join.columns) <= set(left.names):
            continue
        where = f"data.joins.{number}"
        withheld = charter.privacy.guards or charter.privacy.found.action != "refuse"
        refused = (Withholding if withheld else Spool)(room / f"{where}.refused")
        right = rows(source, roles, room, refused)
        _check_keys(join, where, left, right.schema, source.name)
        added = _added(join, where, left, right.schema, scoring)
        if not added.names:
            continue
        table = f"joined_{number}"
        _load(connection, table, right, [*join.on, *added.names])
        keys = {name: _condition(name, left, right.schema, where) for name in join.on}
        joined = Joined(join, where, source.name, table, keys, added, refused)
        _check_single(connection, joined, charter.privacy.identifiers)
        left = pa.schema([*left, *added])
        prepared.append(joined)
    return prepared


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def widened(batch: pa.RecordBatch, table: pa.Table) -> pa.RecordBatch:
    """The batch with the columns of a table of as many rows."""
    extra = table.combine_chunks()
    columns = [
        column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for column in extra.columns
    ]
    schema = pa.schema([*batch.schema, *extra.schema])
    return pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=schema)


def _load(
    connection: duckdb.DuckDBPyConnection, table: str, right: Rows, columns: list[str]
) -> None:
    """The failure of the source itself counts, not what DuckDB makes of it."""
    failures: list[Exception] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from right.batches
        except Exception as error:
            failures.append(error)
            raise

    connection.register("source", pa.RecordBatchReader.from_batches(right.schema, batches()))
    wanted = ", ".join(map(quoted, columns))
    try:
        connection.execute(
            f"CREATE TABLE {table} AS SELECT {wanted}, true AS __matched FROM source"
        )
    except duckdb.Error as error:
        raise failures[0] if failures else error from None
    connection.unregister("source")


def _check_keys(join: Join, where: str, left: pa.Schema, right: pa.Schema, name: str) -> None:
    for column in join.on:
        for side, schema in (("the rows", left), (name, right)):
            if column not in schema.names:
                raise Refusal(
                    f"{where}.on",
                    f"found no column {column} in {side}",
                    "wanted it on both sides",
                    suggestion(column, schema.names),
                )


def _added(join: Join, where: str, left: pa.Schema, right: pa.Schema, scoring: bool) -> pa.Schema:
    if join.columns is None:
        names = [name for name in right.names if name not in left.names]
    else:
        names = [name for name in join.columns if not (scoring and name in left.names)]
    for name in names:
        if name not in right.names:
            remedy = suggestion(name, right.names)
            raise Refusal(f"{where}.columns", f"found no column {name}", "wanted it there", remedy)
        if name in left.names:
            raise Refusal(
                f"{where}.columns",
                f"found {name} in the rows already",
                "wanted columns that the rows do not have",
                "Leave it out of columns, or rename it in one of the sources.",
            )
    if not names and not scoring:
        raise Refusal(where, "found no column to add", "wanted at least one", "Take the join out.")
    return pa.schema([right.field(name) for name in names])


def _condition(name: str, left: pa.Schema, right: pa.Schema, where: str) -> str:
    """Equality of both sides; numbers meet as numbers, a whole number meets a text as text."""
    ours, theirs = left.field(name).type, right.field(name).type
    mine, other = f"b.{quoted(name)}", f"j.{quoted(name)}"
    numbers = {pa.int64(), pa.float64()}
    if ours == theirs or {ours, theirs} == numbers:
        return f"{mine} = {other}"
    if {ours, theirs} == {pa.int64(), pa.string()}:
        return f"CAST({mine} AS VARCHAR) = CAST({other} AS VARCHAR)"
    zones = pt.is_timestamp(ours) and pt.is_timestamp(theirs)
    raise Refusal(
        f"{where}.on",
        f"found {name} as {ours} in the rows and as {theirs} in the joined source",
        "wanted values that can be equal",
        "Write the time zone in both sources, or in neither."
        if zones
        else f"Give it one role for both: data.columns: {{{name}: {{role: category}}}}.",
    )


def _check_single(
    connection: duckdb.DuckDBPyConnection, joined: Joined, persons: Sequence[str]
) -> None:
    """`persons`: columns whose values are names, which no message may tell."""
    names = ", ".join(map(quoted, joined.keys))
    filled = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in joined.keys)
    twice = connection.execute(
        f"SELECT {names}, count(*) FROM {joined.table} WHERE {filled} "
        f"GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
    ).fetchall()
    if twice:
        *values, count = twice[0]
        pairs = ", ".join(
            f"the same {name}" if name in persons else f"{name} {value}"
            for name, value in zip(joined.keys, values, strict=True)
        )
        raise Refusal(
            f"{joined.where}.on",
            f"found {count} rows of {joined.name} with {pairs}",
            "wanted at most one match for each row",
            "Add the columns to `on` that tell them apart, or make the source unique.",
        )


def _fresh(name: str, taken: dict[str, str]) -> str:
    """A name that no key has; DuckDB does not tell upper from lower case."""
    lower = {known.casefold() for known in taken}
    while name in lower:
        name += "_"
    return name
