"""The target that the charter derives: an SQL expression over the columns of one row."""

from __future__ import annotations

import re

import duckdb
import pyarrow as pa

from charter import Charter, Refusal
from tasks.ingestion.joins import widened
from tasks.nearest import suggestion
from tasks.sources.types import settle, settled

WHERE = "goal.target.derive"


class Derived:
    """The expression, checked against the columns before the first row."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, charter: Charter, schema: pa.Schema
    ) -> None:
        target = charter.goal.target
        self._connection = connection
        self._expression = target.made or ""
        self._schema = schema
        if target.column in schema.names:
            raise Refusal(
                "goal.target.column",
                f"found {target.column} in the data already",
                f"wanted a new name for the column that is {'found' if target.sought else 'derived'}",
                f"Choose another name, or take {target.sought.clause if target.sought else 'derive'} out.",
            )
        found = self._evaluate(schema.empty_table(), check=True).type
        type = settled(found)
        if type is None:
            raise self._refusal(f"it gives values of type {found}", "Let it give a plain value.")
        self.field = pa.field(target.column, type)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the target as its last column."""
        values = self._evaluate(pa.Table.from_batches([batch])).combine_chunks()
        return widened(batch, pa.table([settle(values, self.field.type)], pa.schema([self.field])))

    def _evaluate(self, table: pa.Table, check: bool = False) -> pa.ChunkedArray:
        self._connection.register("landing", table)
        try:
            if check:
                self._check_one_row()
            query = f"SELECT ({self._expression}) AS derived FROM landing"
            return self._connection.sql(query).to_arrow_table()["derived"]
        except duckdb.Error as error:
            raise self._explained(str(error)) from error
        finally:
            self._connection.unregister("landing")

    def _check_one_row(self) -> None:
        """Batches pass one by one, so a value may depend on its own row only.

        In a WHERE clause DuckDB itself refuses aggregates and windows.
        """
        query = f"SELECT 1 FROM landing WHERE ({self._expression}) IS NULL"
        self._connection.execute(f"EXPLAIN {query}").fetchall()
        parsed = self._connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        if '"class":"SUBQUERY"' in str(parsed[0][0]):
            raise self._refusal("it holds a query of its own", "Use the columns of one row only.")

    def _explained(self, error: str) -> Refusal:
        message = " ".join(error.split("\n\nLINE")[0].split())
        unknown = re.search(r'Referenced column "(.+?)" not found', message)
        if unknown:
            return self._refusal(
                f"there is no column {unknown[1]}", suggestion(unknown[1], self._schema.names)
            )
        columns = ", ".join(f"{field.name} ({field.type})" for field in self._schema)
        return self._refusal(f"DuckDB says: {message}", f"The columns are: {columns}.")

    def _refusal(self, found: str, remedy: str) -> Refusal:
        return Refusal(
            WHERE,
            f"found the expression {self._expression!r}, but {found}",
            "wanted an SQL expression over the columns of one row",
            remedy,
        )
