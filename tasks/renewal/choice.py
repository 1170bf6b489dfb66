"""Which rows of source and log stay: the latest of each prediction and key, within the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from charter import Charter
from charter.runtime import Last, seconds
from tasks.lake import Table
from tasks.renewal.candidates import agree, facts, key_of, rows
from tasks.validation.whole import quoted

SOURCE, LOG = 0, 1
BATCH_ROWS = 131_072
AGE = "(coalesce(moment, '-infinity'::DOUBLE), side, position)"
"""Oldest first; a row without a time counts as the oldest."""


class Choice:
    """The rows that stay, worked out in DuckDB over keys and a few numbers of each row."""

    def __init__(
        self, connection: Any, charter: Charter, source: Table, log: Table | None, schema: pa.Schema
    ) -> None:
        self._connection = connection
        self._charter = charter
        self._log = log
        self._schema = schema
        self._load("source", facts(charter, source, schema))
        self._run(
            "CREATE TEMP TABLE kept AS "
            f"SELECT {SOURCE} AS side, position, known, moment FROM source"
        )
        if log is not None:
            agree(charter, schema, log)
            self._load("log", facts(charter, log, schema))
            self._latest_of_each_prediction()
            self._latest_of_each_key()
        if isinstance(charter.runtime.window, Last):
            self._only(charter.runtime.window.last)

    def source_rows(self) -> np.ndarray:
        """Positions in the source, ascending; int64."""
        query = f"SELECT position FROM kept WHERE side = {SOURCE} ORDER BY position"
        found: np.ndarray = self._connection.execute(query).fetchnumpy()["position"]
        return found.astype(np.int64)

    def log_rows(self) -> Iterator[pa.RecordBatch]:
        """The rows of the log in the source's columns, by `data.time` and then as they came."""
        if self._log is None:
            return
        self._connection.register("whole_log", rows(self._log, self._schema))
        names = ", ".join(f"whole_log.{quoted(name)}" for name in self._schema.names)
        found = self._connection.sql(
            f"SELECT {names} FROM whole_log JOIN kept ON whole_log.position = kept.position "
            f"WHERE kept.side = {LOG} ORDER BY kept.moment NULLS LAST, kept.position"
        )
        for batch in found.to_arrow_reader(BATCH_ROWS):
            yield pa.RecordBatch.from_arrays(batch.cast(self._schema).columns, schema=self._schema)

    def _latest_of_each_prediction(self) -> None:
        self._run(
            f"CREATE TEMP TABLE latest AS SELECT {LOG} AS side, * FROM log QUALIFY "
            "row_number() OVER (PARTITION BY prediction ORDER BY position DESC) = 1"
        )
        self._run("INSERT INTO kept SELECT side, position, known, moment FROM latest")

    def _latest_of_each_key(self) -> None:
        """Of rows with one key: those with a label before those without, the log before the
        source, later predictions before earlier ones. A key with a gap names no row."""
        keys = [f"k{at}" for at in range(len(key_of(self._charter, self._schema)))]
        if not keys:
            return
        listed, whole = ", ".join(keys), " AND ".join(f"{key} IS NOT NULL" for key in keys)
        columns = f"side, position, known, {listed}"
        self._run(
            "DELETE FROM kept WHERE (side, position) IN (SELECT (side, position) FROM ("
            f"SELECT {columns}, known_at FROM latest WHERE {whole} UNION ALL "
            f"SELECT {SOURCE} AS side, position, known, {listed}, NULL AS known_at FROM source "
            f"SEMI JOIN latest USING ({listed})) "
            f"QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY known DESC, side DESC, "
            "known_at DESC NULLS LAST, position DESC) > 1)"
        )

    def _only(self, last: str | int) -> None:
        """Delete what is older than the span before the newest label, or than the n-th label."""
        if isinstance(last, str):
            self._run(
                "DELETE FROM kept WHERE coalesce(moment, '-infinity'::DOUBLE) <= "
                f"(SELECT max(moment) FROM kept WHERE known) - {seconds(last)}"
            )
            return
        self._run(
            f"CREATE TEMP TABLE edge AS SELECT {AGE} AS age FROM kept WHERE known "
            f"ORDER BY age DESC LIMIT 1 OFFSET {last - 1}"
        )
        self._run(f"DELETE FROM kept WHERE {AGE} < (SELECT age FROM edge)")

    def _load(self, name: str, batches: pa.RecordBatchReader) -> None:
        """A reader goes by once, so it becomes a table."""
        self._connection.register("passing", batches)
        self._run(f"CREATE TEMP TABLE {name} AS SELECT * FROM passing")
        self._connection.unregister("passing")

    def _run(self, statement: str) -> None:
        self._connection.execute(statement).fetchall()
