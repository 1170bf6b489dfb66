"""The metric on parts of the holdout: where the model is worse than on the whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Refusal
from tasks import metrics
from tasks.judgement.case import Case

SUPPORT = 100
"""Rows that a slice needs; fewer say too little."""
RESAMPLES = 200
BINS = 4


def slices(
    case: Case, table: pa.Table, columns: tuple[str, ...]
) -> Iterator[tuple[str, str, int, metrics.Interval]]:
    """Column, value, rows and the metric of every slice with enough rows."""
    for column in columns:
        if column not in table.column_names:
            raise Refusal(
                "charter.evaluation.slices", f"found {column}, which the table does not have",
                f"wanted one of {', '.join(table.column_names)}", "Name a column of the table.",
            )  # fmt: skip
        for value, rows in _parts(table[column]):
            if rows.sum() >= SUPPORT:
                part = case.only(rows)
                measured = metrics.interval(
                    part.metric, part.truth, part.ours, part.decision, part.prices,
                    blocks=part.spans, seed=part.seed, resamples=RESAMPLES,
                )  # fmt: skip
                if np.isfinite(measured.value):
                    yield column, value, int(rows.sum()), measured


def _parts(column: pa.ChunkedArray) -> Iterator[tuple[str, np.ndarray]]:
    """Each value, or each quarter of a number with many values, as a mask of rows."""
    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if numeric and pc.count_distinct(column).as_py() > 20:
        yield from _quarters(column.to_numpy().astype(float))
        return
    words = np.array(["missing" if v is None else str(v) for v in column.to_pylist()])
    for word in np.unique(words):
        yield str(word), words == word


def _quarters(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, BINS + 1)))
    for low, high in itertools.pairwise(edges):
        last = high == edges[-1]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        yield f"{low:g} to {high:g}", inside
    if np.isnan(values).any():
        yield "missing", np.isnan(values)
