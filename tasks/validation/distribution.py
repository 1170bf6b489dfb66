"""Rules on how a column's values are spread, which no batch can answer for the whole table.

Which values there are is asked of all rows; quantiles and their like of a sample whose seed is
fixed, so that the same table gets the same answer. Each answer says what it stands on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from charter import Charter, Refusal
from tasks import lake
from tasks.lake import Table
from tasks.validation.expectation import Expectation
from tasks.validation.judge import Judge, matter
from tasks.validation.panel import Judges
from tasks.validation.tally import Finding
from tasks.validation.whole import AGGREGATES, ALL_ROWS, connected, quoted

DISTINCT = (
    "expect_column_distinct_values_to_be_in_set",
    "expect_column_distinct_values_to_contain_set",
    "expect_column_distinct_values_to_equal_set",
)
SAMPLED = (
    "expect_column_quantile_values_to_be_between",
    "expect_column_kl_divergence_to_be_less_than",
    "expect_column_most_common_value_to_be_in_set",
)
SAMPLE_ROWS = 100_000
SEED = 20_130_101
DISTINCT_VALUES = 1_000_000


def distinct(expectation: Expectation) -> bool:
    return expectation.type in DISTINCT and "row_condition" not in expectation.kwargs


def sampled(expectation: Expectation) -> bool:
    """Whether it is judged on a sample; with a condition on rows, numbers over all rows are too."""
    narrowed = "row_condition" in expectation.kwargs
    return expectation.type in SAMPLED or (
        narrowed and expectation.type in (*AGGREGATES, *DISTINCT)
    )


def judge_values(
    charter: Charter, table: Table, expectation: Expectation, judges: Judges[Any]
) -> Finding:
    """Judged on all different values of the column."""
    column = str(expectation.kwargs["column"])
    with connected(charter, lake.dataset(table)) as connection:
        values = connection.sql(
            f"SELECT DISTINCT {quoted(column)} FROM rows LIMIT {DISTINCT_VALUES + 1}"
        ).to_arrow_table()
    if values.num_rows > DISTINCT_VALUES:
        raise Refusal(
            expectation.where,
            f"{column} has more than {DISTINCT_VALUES:,} different values",
            f"wanted fewer for {expectation.type}",
            "Use expect_column_values_to_be_in_set, which looks at one row at a time.",
        )
    finding = judges.call(_judged, expectation, values)
    finding.basis = ALL_ROWS
    return finding


def _judged(_state: object, expectation: Expectation, values: pa.Table) -> Finding:
    return Judge([expectation]).judge(values)[0]


def judge_sample(
    table: Table, schema: pa.Schema, expectations: Sequence[Expectation]
) -> list[Finding]:
    """One finding for each, all on the same rows."""
    rows = sample(table, schema, _seen(schema, expectations))
    findings = Judge(expectations).judge(rows)
    for finding in findings:
        finding.basis = f"in a sample of {rows.num_rows:,} of {table.rows:,} rows, seed {SEED}"
        if rows.num_rows == table.rows:
            finding.basis = ALL_ROWS
    return findings


def _seen(schema: pa.Schema, expectations: Sequence[Expectation]) -> list[str]:
    """The columns that any of them has to see."""
    seen = [matter(one) for one in expectations]
    if None in seen:
        return list(schema.names)
    return [name for name in schema.names if any(name in (one or ()) for one in seen)]


def sample(table: Table, schema: pa.Schema, columns: list[str]) -> pa.Table:
    """These columns of at most SAMPLE_ROWS rows, each with the same chance, in the table's order."""
    size = min(SAMPLE_ROWS, table.rows)
    random = np.random.default_rng(SEED)
    chosen = np.sort(random.choice(table.rows, size, replace=False, shuffle=False))
    parts, start = [], 0
    for batch in lake.read(table, columns):
        first, last = np.searchsorted(chosen, (start, start + batch.num_rows))
        parts.append(batch.take(pa.array(chosen[first:last] - start)))
        start += batch.num_rows
    stored = lake.dataset(table).schema
    kept = pa.schema([stored.field(name) for name in columns])
    return pa.Table.from_batches(parts, kept).cast(pa.schema([schema.field(n) for n in columns]))
