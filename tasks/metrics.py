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
    "redrawn",
    "resolve",
    "spread",
    "spreads",
]

RESAMPLES = 500
TAIL = 0.025
DRAWN, LEAST = 50_000_000, 100
CELLS = 4_000_000  # weights held in memory at once: 32 MB
LOSSES = frozenset({"log_loss", "brier", "cost", "rmse", "mae"})


@dataclass(frozen=True)
class Interval:
    """A value with its percentile interval, of 95 % where nothing else is asked for; NaN where the rows cannot say."""

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
    blocks: np.ndarray | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The metric with its interval over seeded resamples of the rows, or of whole `blocks`."""
    statistic = STATISTICS[metric](Case(truth, prediction, decision, cost))
    return spread(statistic, len(truth), blocks, seed=seed, resamples=resamples)


def paired(
    metric: str,
    truth: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    decision: Decision | None = None,
    cost: np.ndarray | None = None,
    *,
    their_decision: Decision | None = None,
    blocks: np.ndarray | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    tail: float = TAIL,
) -> Interval:
    """By how much `ours` is better than `theirs` (positive: better), on the same resamples.

    `blocks`, shape (n,), numbers what belongs together from 0 (the day of each row): whole blocks
    are drawn, and the interval is widened for their small number. `tail` is the share that the
    interval leaves out at each end.
    """
    one = STATISTICS[metric](Case(truth, ours, decision, cost))
    two = STATISTICS[metric](Case(truth, theirs, their_decision, cost))
    sign = 1.0 if greater_is_better(metric) else -1.0

    def difference(weights: np.ndarray) -> np.ndarray:
        return np.asarray(sign * (one(weights) - two(weights)) + 0.0)  # never -0

    return spread(difference, len(truth), blocks, seed=seed, resamples=resamples, tail=tail)


def spread(
    statistic: Statistic,
    rows: int,
    blocks: np.ndarray | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    tail: float = TAIL,
) -> Interval:
    """Any function of row weights with its interval, rows or whole blocks drawn anew."""
    one = spreads(
        lambda weights: statistic(weights)[:, None], rows, blocks,
        seed=seed, resamples=resamples, tail=tail,
    )  # fmt: skip
    return one[0]


def spreads(
    statistics: Statistic,
    rows: int,
    blocks: np.ndarray | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    tail: float = TAIL,
) -> list[Interval]:
    """Many functions at once, on the same resamples: weights to values, (resamples, functions)."""
    values = statistics(np.ones((1, rows)))[0]
    if blocks is None:
        drawn = [statistics(weights) for weights in _weights(rows, seed, resamples)]
        return _intervals(values, np.concatenate(drawn), tail)
    count = int(blocks.max()) + 1
    weights_of = _weights(count, seed, resamples, rows)
    drawn = [statistics(weights[:, blocks]) for weights in weights_of]
    return _intervals(values, np.concatenate(drawn), _expanded(tail, count))


def redrawn(
    metric: str,
    cases: Sequence[Case],
    blocks: np.ndarray | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> np.ndarray:
    """The metric of several cases on the same rows: first as it is, then under each resample of
    the rows or of whole `blocks`, the same for all; shape (cases, 1 + resamples)."""
    rows = len(cases[0].truth)
    statistics = [STATISTICS[metric](case) for case in cases]
    values = [np.stack([statistic(np.ones((1, rows))) for statistic in statistics])]
    count = rows if blocks is None else int(blocks.max()) + 1
    for drawn in _weights(count, seed, resamples, rows):
        weights = drawn if blocks is None else drawn[:, blocks]
        values.append(np.stack([statistic(weights) for statistic in statistics]))
    return np.concatenate(values, axis=1)


def _intervals(values: np.ndarray, drawn: np.ndarray, tail: float) -> list[Interval]:
    return [
        _interval(float(value), resampled[np.isfinite(resampled)], tail)
        for value, resampled in zip(values, drawn.T, strict=True)
    ]


def _interval(value: float, drawn: np.ndarray, tail: float) -> Interval:
    if not drawn.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def _expanded(tail: float, count: int) -> float:
    """The share to cut off each end when only `count` blocks are drawn.

    The percentile interval is too narrow for few of them; this is the expanded one (Hesterberg,
    What teachers should know about the bootstrap, 2015, section 5.3).
    """
    from scipy.stats import norm, t

    if count < 2:
        return 0.0
    return float(norm.cdf(-np.sqrt(count / (count - 1)) * t.ppf(1 - tail, count - 1)))


def _weights(
    rows: int, seed: int, resamples: int, width: int | None = None
) -> Iterator[np.ndarray]:
    """Counts of each row per resample, shape (a few resamples, rows), the same for each seed.

    `width` is how wide the caller makes them, where it is more than `rows`. Of very many rows there
    are fewer resamples, at least LEAST: their intervals are narrow.
    """
    resamples = min(resamples, max(LEAST, DRAWN // max(1, rows, width or 0)))
    rng = np.random.default_rng(seed)
    step = max(1, CELLS // max(1, rows, width or 0))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = rng.integers(rows, size=(count, rows)) + rows * np.arange(count)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=count * rows)
        yield counts.reshape(count, rows).astype(np.float64)
