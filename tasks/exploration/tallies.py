"""Rows per level of a column, fold and target: all that relations with the target need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.exploration.columns import Content
from tasks.exploration.store import FOLDS, Store, as_label, as_number
from tasks.exploration.target import Truth
from tasks.pages.figures import moment, number

BINS = 64
CELLS = 5_000_000
"""Most cells of one tally; beyond it the rarest levels are counted together."""
MISSING = "missing"
OTHERS = "all others"
Array = np.ndarray


@dataclass(frozen=True)
class Tally:
    """Counts of one column."""

    levels: tuple[str, ...]
    """Values, or bins in order; `missing` last where there are such rows."""
    cells: Array
    """Shape (levels, FOLDS, K): rows per class, or for numbers rows, sum and sum of squares (of
    the target from its mean)."""
    edges: tuple[float, ...] | None = None
    """For bins: the lowest value of each but the first."""

    @property
    def total(self) -> Array:
        """All folds together, shape (levels, K)."""
        return np.asarray(self.cells.sum(axis=1))


def coded(store: Store, truth: Truth) -> str:
    """SQL for the target: the position of its class, or a number's distance from the mean."""
    value = as_number(truth.field)
    if truth.task == "regression":
        (mean,) = store.one(f"SELECT avg({value}) FROM data")
        return f"{value} - {mean!r}"
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in truth.classes)
    return f"list_position([{names}], {as_label(truth.field)}) - 1"


def tally(store: Store, truth: Truth, content: Content) -> Tally:
    """Count the rows with a known target; numbers and times in bins of about equal size."""
    if content.field.kind in ("number", "time"):
        return _binned(store, truth, content)
    return _named(store, truth, content)


def _depth(truth: Truth) -> int:
    return len(truth.classes) or 3


def _named(store: Store, truth: Truth, content: Content) -> Tally:
    level, source = as_label(content.field), store.source
    most = max(2, CELLS // (FOLDS * _depth(truth)))
    if content.distinct > most:
        store.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE common AS SELECT {level} AS name FROM {store.source} "
            f"WHERE {content.field.at} IS NOT NULL AND truth IS NOT NULL "
            f"GROUP BY name ORDER BY count(*) DESC, name LIMIT {most}"
        )
        source = f"{store.source} LEFT JOIN common ON common.name = {level}"
        level = (
            f"CASE WHEN {content.field.at} IS NOT NULL THEN coalesce(common.name, '{OTHERS}') END"
        )
    found = store.arrow(
        f"SELECT {level} AS level, fold, {_sums(truth)} FROM {source} "
        f"WHERE truth IS NOT NULL GROUP BY ALL ORDER BY level, fold"
    )
    names = pc.dictionary_encode(found["level"].combine_chunks())
    known = [str(name) for name in names.dictionary.to_pylist()]
    at = pc.fill_null(names.indices, len(known)).to_numpy(zero_copy_only=False).astype(np.int64)
    size = len(known) + int(names.null_count > 0)
    cells = _cells(at, found, truth, size)
    return Tally((*known, MISSING)[:size], cells)


def _sums(truth: Truth) -> str:
    if truth.classes:
        return "truth, count(*) AS n"
    return "count(*) AS n, sum(truth) AS s, sum(truth * truth) AS q"


def _cells(at: Array, found: pa.Table, truth: Truth, size: int) -> Array:
    cells = np.zeros((size, FOLDS, _depth(truth)))
    fold = found["fold"].to_numpy().astype(np.int64)
    if truth.classes:
        np.add.at(
            cells, (at, fold, found["truth"].to_numpy().astype(np.int64)), found["n"].to_numpy()
        )
    else:
        for place, name in enumerate(("n", "s", "q")):
            np.add.at(cells[:, :, place], (at, fold), found[name].to_numpy())
    return cells


def _binned(store: Store, truth: Truth, content: Content) -> Tally:
    value = as_number(content.field)
    edges = _edges(store, content)
    depth, size = _depth(truth), len(edges) + 2
    cells = np.zeros(size * FOLDS * depth)
    query = f"SELECT {value} AS x, fold, truth AS y FROM {store.source} WHERE truth IS NOT NULL"
    for batch in store.batches(query):
        x = batch["x"].to_numpy(zero_copy_only=False)
        place = np.searchsorted(np.asarray(edges), x, side="right")
        place = np.where(np.isnan(x), size - 1, place) * FOLDS + batch["fold"].to_numpy()
        y = batch["y"].to_numpy()
        for weight, column in _weights(y, truth):
            cells += np.bincount(place * depth + column, weight, minlength=len(cells))
    shaped = cells.reshape(size, FOLDS, depth)
    names = (*_names(content, edges), MISSING)
    empty = shaped[-1].sum() == 0
    return Tally(names[:-1] if empty else names, shaped[:-1] if empty else shaped, edges)


def _weights(y: Array, truth: Truth) -> Sequence[tuple[Array | None, Array | int]]:
    if truth.classes:
        return [(None, y.astype(np.int64))]
    return [(None, 0), (y, 1), (y * y, 2)]


def _edges(store: Store, content: Content) -> tuple[float, ...]:
    """The lowest value of each bin but the first: every value, or 64 quantiles."""
    value = as_number(content.field)
    if content.distinct <= BINS:
        found = store.rows_of(
            f"SELECT DISTINCT {value} AS x FROM {store.source} WHERE x IS NOT NULL ORDER BY x"
        )
        return tuple(float(row[0]) for row in found[1:])
    steps = [at / BINS for at in range(1, BINS)]
    (cuts,) = store.one(f"SELECT quantile_cont({value}, {steps}) FROM {store.source}")
    return tuple(sorted({float(cut) for cut in cuts} - {content.low}))


def _names(content: Content, edges: tuple[float, ...]) -> list[str]:
    shown = moment if content.field.kind == "time" else number
    low, high = content.low or 0.0, content.high or 0.0
    if content.distinct == len(edges) + 1:
        return [shown(value) for value in (low, *edges)]
    ends = (low, *edges, high)
    return [f"{shown(a)} to {shown(b)}" for a, b in pairwise(ends)]
