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
POSITION = "position_in_table"
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
    with _opened(charter) as connection:
        connection.register("rows", rows)
        yield connection


@contextmanager
def stored(charter: Charter, table: Table) -> Iterator[Any]:
    """DuckDB over the table's own files, so that what it reads counts in its limit.

    `rows` has a column more, the position in the table.
    """
    files, starts, start = [], [], 0
    for fragment in lake.dataset(table).get_fragments():
        files.append(fragment.path)
        starts.append(start)
        start += fragment.metadata.num_rows
    with _opened(charter) as connection:
        firsts = pa.table({"in_file": files, "first_position": pa.array(starts, pa.int64())})
        connection.register("files", firsts)
        connection.execute(
            f"CREATE TEMP VIEW rows AS SELECT stored.*, first_position + file_row_number AS "
            f"{POSITION} FROM read_parquet({files!r}, filename = 'in_file', "
            "file_row_number = true, union_by_name = true) AS stored JOIN files USING (in_file)"
        )
        yield connection


@contextmanager
def _opened(charter: Charter) -> Iterator[Any]:
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
    with stored(charter, table) as connection:
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
    with stored(charter, table) as connection:
        connection.execute(
            f"CREATE TEMP TABLE shared AS SELECT hash({key}) AS hashed FROM rows "
            f"WHERE {filled} GROUP BY hashed HAVING count(*) > 1"
        )
        turns = (
            f"SELECT {POSITION}, row_number() OVER (PARTITION BY {key} ORDER BY {POSITION}) AS turn "
            f"FROM rows WHERE ({filled}) AND hash({key}) IN (SELECT hashed FROM shared)"
        )
        later = f"SELECT {POSITION} FROM ({turns}) WHERE turn > 1 ORDER BY {POSITION}"
        found: np.ndarray = connection.execute(later).fetchnumpy()[POSITION]
        return found.astype(np.int64)
