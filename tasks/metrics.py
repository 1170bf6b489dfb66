"""Every metric of the charter, with its bootstrap interval.

A metric is written once, as a function of row weights. Weights of one give the metric itself;
the counts of a resample give one bootstrap value (Efron, Bootstrap methods, 1979), so hundreds
of resamples are a few matrix products and the same resamples compare two models row by row.
The formulas are in `tasks/statistic.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charter import Refusal
from charter.evaluation import AUTO, METRICS, Metric
from charter.goal import Cost, Task
from serving.signature import Decision
from tasks.statistic import STATISTICS, Case, Statistic, answers

__all__ = [
    "Interval",
    "answers",
    "gain",
    "greater_is_better",
    "interval",
    "measure",
    "paired",
    "prices",
    "resolve",
]

RESAMPLES = 500
CELLS = 4_000_000  # weights held in memory at once: 32 MB
LOSSES = frozenset({"log_loss", "brier", "cost", "rmse", "mae"})


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % percentile interval; NaN where the rows cannot say."""

    value: float
    low: float
    high: float


def resolve(metric: str, task: Task) -> Metric:
    """The metric that is meant, `auto` filled in; one without meaning for the task is refused."""
    if metric == "auto":
        return AUTO[task]
    for known in METRICS[task]:
        if known == metric:
            return known
    raise Refusal(
        "charter.evaluation.metric",
        f"found {metric}, but the target is of the kind {task}",
        f"wanted one of {', '.join(METRICS[task])}",
        "Take one of these, or leave the key out.",
    )


def greater_is_better(metric: str) -> bool:
    return metric not in LOSSES


def gain(metric: str, ours: float, theirs: float) -> float:
    """By how much the first value is better, in the metric's unit."""
    return ours - theirs if greater_is_better(metric) else theirs - ours


def prices(cost: Cost, task: Task, classes: Sequence[str] = ()) -> np.ndarray:
    """The charter's costs, 1 where none is given.

    Classes: shape (C, C), true class by answered class, 0 on the diagonal. A number: shape (2,),
    per unit above the truth and per unit below.
    """
    if task == "regression":
        return np.array([cost.over or 1.0, cost.under or 1.0])
    if task == "binary":
        return np.array([[0.0, cost.false_alarm or 1.0], [cost.miss or 1.0, 0.0]])
    missed = np.array([cost.missed.get(label, 1.0) for label in classes])
    return np.outer(missed, np.ones(len(classes))) - np.diag(missed)


def measure(
    metric: str,
    truth: np.ndarray,
    prediction: np.ndarray,
    decision: Decision | None = None,
    cost: np.ndarray | None = None,
) -> float:
    """The metric over all rows; NaN where it has no value (one class only, for roc_auc).

    `truth` holds class positions or values, shape (n,); `prediction` probabilities (n, C) or
    values (n,); `cost` comes from `prices`. Accuracy, balanced accuracy and f1 judge the answers
    under `decision` (without one: the likeliest class), cost those of `decision` or else the
    answer of least expected cost.
    """
    statistic = STATISTICS[metric](Case(truth, prediction, decision, cost))
    return float(statistic(np.ones((1, len(truth))))[0])


def interval(
    metric: str,
    truth: np.ndarray,
    prediction: np.ndarray,
    decision: Decision | None = None,
    cost: np.ndarray | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The metric with its interval over seeded resamples of the rows."""
    statistic = STATISTICS[metric](Case(truth, prediction, decision, cost))
    values = [statistic(weights) for weights in _weights(len(truth), seed, resamples)]
    return _interval(statistic, len(truth), values)


def paired(
    metric: str,
    truth: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    decision: Decision | None = None,
    cost: np.ndarray | None = None,
    *,
    their_decision: Decision | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """By how much `ours` is better than `theirs` (positive: better), on the same resamples."""
    one = STATISTICS[metric](Case(truth, ours, decision, cost))
    two = STATISTICS[metric](Case(truth, theirs, their_decision, cost))
    sign = 1.0 if greater_is_better(metric) else -1.0

    def difference(weights: np.ndarray) -> np.ndarray:
        return np.asarray(sign * (one(weights) - two(weights)) + 0.0)  # never -0

    values = [difference(weights) for weights in _weights(len(truth), seed, resamples)]
    return _interval(difference, len(truth), values)


def _interval(statistic: Statistic, rows: int, values: list[np.ndarray]) -> Interval:
    value = float(statistic(np.ones((1, rows)))[0])
    drawn = np.concatenate(values)
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def _weights(rows: int, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """Counts of each row per resample, shape (a few resamples, rows), the same for each seed."""
    rng = np.random.default_rng(seed)
    step = max(1, CELLS // max(1, rows))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = rng.integers(rows, size=(count, rows)) + rows * np.arange(count)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=count * rows)
        yield counts.reshape(count, rows).astype(np.float64)
