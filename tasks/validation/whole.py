"""What no batch can see: keys across batches and numbers over all rows, asked of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from charter import Charter
from serving.home import place
from tasks import lake
from tasks.lake import Table
from tasks.validation.expectation import ROW_COUNT, Expectation
from tasks.validation.tally import Finding

ALL_ROWS = "over all rows"
AGGREGATES = {
    ROW_COUNT: "count(*)",
    "expect_table_row_count_to_equal": "count(*)",
    "expect_column_min_to_be_between": "min({column})",
    "expect_column_max_to_be_between": "max({column})",
    "expect_column_sum_to_be_between": "sum({column})",
    "expect_column_mean_to_be_between": "avg({column})",
    "expect_column_median_to_be_between": "median({column})",
    "expect_column_stdev_to_be_between": "stddev_samp({column})",
    "expect_column_unique_value_count_to_be_between": "count(DISTINCT {column})",
    "expect_column_proportion_of_unique_values_to_be_between": (
        "count(DISTINCT {column}) / nullif(count({column}), 0)"
    ),
}


def quoted(column: str) -> str:
    """A column's name inside SQL."""
    return '"' + column.replace('"', '""') + '"'


@contextmanager
def connected(charter: Charter, rows: object) -> Iterator[Any]:
    """DuckDB over `rows` (anything of Arrow), within half of the charter's memory."""
    import duckdb

    spill = place("scratch")
    spill.mkdir(parents=True, exist_ok=True)
    megabytes = max(256, int(charter.constraints.memory_gb * 512))
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{megabytes}MB",
        "temp_directory": str(spill),
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", rows)
        yield connection


def judge_number(charter: Charter, table: Table, expectation: Expectation) -> Finding:
    """Judged by the number that the expectation is about, over all rows."""
    value = _number(charter, table, expectation)
    return Finding(
        success=within(value, expectation.kwargs),
        observed={"observed_value": value},
        basis=ALL_ROWS,
    )


def _number(charter: Charter, table: Table, expectation: Expectation) -> float | None:
    """None where there is no value."""
    column = quoted(str(expectation.kwargs.get("column", "")))
    with connected(charter, lake.dataset(table)) as connection:
        sql = AGGREGATES[expectation.type].format(column=column)
        value = connection.execute(f"SELECT {sql} FROM rows").fetchall()[0][0]
    return None if value is None else float(value)


def within(value: float | None, kwargs: dict[str, Any]) -> bool:
    """Whether the number lies between the expectation's bounds, or is the one that it names."""
    if value is None:
        return False
    if "value" in kwargs:
        return bool(value == kwargs["value"])
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    above = low is None or (value > low if kwargs.get("strict_min") else value >= low)
    return above and (high is None or (value < high if kwargs.get("strict_max") else value <= high))


def repeats(charter: Charter, table: Table, columns: Sequence[str]) -> np.ndarray:
    """Positions (int64, ascending) of all but the first row of each combination of values.

    A row in which all of the columns are missing repeats nothing. Combinations are counted by their
    hash, which takes a quarter of the memory; only rows that share one are compared by value.
    """
    key = ", ".join(quoted(column) for column in columns)
    filled = " OR ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    with connected(charter, lake.dataset(table)) as connection:
        connection.execute(
            f"CREATE TEMP TABLE shared AS SELECT hash({key}) AS hashed FROM rows "
            f"WHERE {filled} GROUP BY hashed HAVING count(*) > 1"
        )
        if connection.execute("SELECT count(*) FROM shared").fetchall()[0][0] == 0:
            return np.empty(0, dtype=np.int64)
        connection.register("numbered", _numbered(table, columns))
        turns = (
            f"SELECT {POSITION} AS position, row_number() OVER "
            f"(PARTITION BY {key} ORDER BY {POSITION}) AS turn FROM numbered "
            f"WHERE ({filled}) AND hash({key}) IN (SELECT hashed FROM shared)"
        )
        later = f"SELECT position FROM ({turns}) WHERE turn > 1 ORDER BY position"
        found: np.ndarray = connection.execute(later).fetchnumpy()["position"]
        return found.astype(np.int64)


POSITION = "position_in_table"


def _numbered(table: Table, columns: Sequence[str]) -> pa.RecordBatchReader:
    """The columns with each row's position in the table."""
    schema = lake.dataset(table).schema
    fields = [schema.field(column) for column in columns]
    numbered = pa.schema([*fields, pa.field(POSITION, pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in lake.read(table, columns=list(columns)):
            positions = pa.array(np.arange(start, start + batch.num_rows, dtype=np.int64))
            yield pa.RecordBatch.from_arrays([*batch.columns, positions], schema=numbered)
            start += batch.num_rows

    return pa.RecordBatchReader.from_batches(numbered, batches())
