"""What coarser quasi-identifiers cost in the charter's metric, measured on training rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen
from tasks import lake
from tasks.exploration.custody import custody
from tasks.lake import Table
from tasks.metrics import measure, paired, prices, resolve
from tasks.splitting.labels import labelled, positions
from tasks.splitting.sides import codes_of

if TYPE_CHECKING:
    from tasks.exploration.target import Truth

MOST = 20_000
"""Rows that are learned from and judged on."""
JUDGED = 3
"""One row in so many is judged on."""


class Price(Frozen):
    """The same learner (gradient boosting) before and after, judged on rows as they are asked."""

    metric: str
    before: float
    after: float
    cost: float
    """By how much it is worse after; negative where it is better."""
    low: float
    high: float
    """95 % interval of a paired bootstrap."""
    rows: int


def price(charter: Charter, before: Table, after: Table, places: np.ndarray) -> Price | None:
    """`places` are the rows of `before` that `after` has. None where nothing can be learned.

    Both models answer the same rows with their full detail, since that is what a service is sent.
    """
    truth, held = custody(charter, before)
    raw = _rows(before)
    known = labelled(raw.column(charter.goal.target.column)) & ~held
    kept = np.flatnonzero(known[places])  # positions in `after`
    draw = np.random.default_rng(charter.evaluation.seed)
    kept = np.sort(draw.permutation(kept)[:MOST])
    judged = np.arange(len(kept)) % JUDGED == 0
    if judged.sum() < 30:
        return None
    full, coarse = raw.take(places[kept]), _rows(after).take(kept)
    y = _target(charter, truth, full)
    X, Z = _numbers(charter, full, coarse)
    metric = resolve(charter.evaluation.metric, truth.task)
    asked = [_answers(one[~judged], y[~judged], X[judged], truth) for one in (X, Z)]
    costs = prices(charter.goal.cost, truth.task, truth.classes)
    gain = paired(metric, y[judged], asked[0], asked[1], cost=costs)
    first, second = (measure(metric, y[judged], one, cost=costs) for one in asked)
    return Price(
        metric=metric, before=first, after=second, cost=gain.value, low=gain.low, high=gain.high,
        rows=int(judged.sum()),
    )  # fmt: skip


def _rows(table: Table) -> pa.Table:
    return pa.Table.from_batches(list(lake.read(table)), schema=lake.dataset(table).schema)


def _target(charter: Charter, truth: Truth, rows: pa.Table) -> np.ndarray:
    column = rows.column(charter.goal.target.column)
    if truth.task == "regression":
        return np.asarray(column.to_numpy(), dtype=np.float64)
    return positions(column, truth.classes)


def _numbers(charter: Charter, full: pa.Table, coarse: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Both tables as numbers, categories by their place among those of the full one."""
    barred = {charter.goal.target.column, *charter.privacy.barred, *charter.data.known_later}
    barred |= {*charter.features.drop, *charter.data.key}
    pairs = [
        _pair(full.column(name), coarse.column(name))
        for name in full.column_names
        if name not in barred and name in coarse.column_names
    ]
    told = [pair for pair in pairs if not any(np.isnan(one).all() for one in pair)]
    nothing = np.zeros(full.num_rows)
    left, right = zip((nothing, nothing), *told, strict=True)
    return np.column_stack(left), np.column_stack(right)


def _pair(full: pa.ChunkedArray, coarse: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    if pa.types.is_integer(full.type) or pa.types.is_floating(full.type):
        left, right = (one.cast(pa.float64(), safe=False).to_numpy() for one in (full, coarse))
        return left, right
    if pa.types.is_temporal(full.type):
        left, right = (one.cast(pa.timestamp("us")).cast(pa.int64()) for one in (full, coarse))
        return left.cast(pa.float64(), safe=False).to_numpy(), right.cast(
            pa.float64(), safe=False
        ).to_numpy()
    together, codes = codes_of(pa.chunked_array([*full.chunks, *coarse.chunks], full.type))
    numbers = np.where(codes < 0, np.nan, codes.astype(np.float64))
    if len(together) > MOST // 20:
        numbers[:] = np.nan  # names of single things teach nothing
    return numbers[: len(full)], numbers[len(full) :]


def _answers(X: np.ndarray, y: np.ndarray, asked: np.ndarray, truth: Truth) -> np.ndarray:
    import xgboost as xgb

    classes = len(truth.classes)
    objective: dict[str, object] = {"objective": "reg:squarederror"}
    if classes == 2:
        objective = {"objective": "binary:logistic"}
    elif classes:
        objective = {"objective": "multi:softprob", "num_class": classes}
    # One thread: more would wait for each other, spinning, where others are at work.
    given = {"max_depth": 5, "eta": 0.15, "tree_method": "hist", "nthread": 1, "seed": 0}
    booster = xgb.train({**given, **objective}, xgb.DMatrix(X, y), num_boost_round=60)
    found = np.asarray(booster.predict(xgb.DMatrix(asked)), dtype=np.float64)
    return np.column_stack([1 - found, found]) if classes == 2 else found
