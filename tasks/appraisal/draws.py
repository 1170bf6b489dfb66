"""Scores of the same folds under the same resamples, so that their differences have intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.metrics import TAIL, Interval, redrawn
from tasks.statistic import Case

RESAMPLES = 200


@dataclass(frozen=True)
class Fold:
    """The test side of one fold."""

    truth: np.ndarray
    answers: tuple[np.ndarray, ...]
    """One prediction per size of the table, smallest first."""
    spans: np.ndarray | None = None
    """What belongs together, numbered from 0."""


@dataclass(frozen=True)
class Scores:
    """The metric per size: as it is, shape (sizes,), and drawn anew, shape (resamples, sizes)."""

    known: np.ndarray
    drawn: np.ndarray

    def of(self, way: np.ndarray) -> Interval:
        """A weighted sum over the sizes, with its interval."""
        return interval(float(self.known @ way), self.drawn @ way)


def scores(
    metric: str,
    folds: Sequence[Fold],
    prices: np.ndarray,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Scores:
    """The mean over the folds, where both folds and the rows in each (whole spans, where rows have
    a time) are drawn with replacement: which rows a model got to see and which ones judge it are
    both chance.
    """
    found = [
        redrawn(
            metric, [Case(fold.truth, answer, None, prices) for answer in fold.answers], fold.spans,
            seed=seed + at, resamples=resamples,
        )
        for at, fold in enumerate(folds)
    ]  # fmt: skip
    values = np.stack(found)  # folds, sizes, 1 + resamples
    chosen = np.random.default_rng(seed).integers(len(folds), size=(resamples, len(folds)))
    each = values[chosen, :, 1 + np.arange(resamples)[:, None]]  # resamples, folds, sizes
    return Scores(_mean(values[:, :, 0], 0), _mean(each, 1))


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Without the folds that cannot say."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def interval(value: float, drawn: np.ndarray, tail: float = TAIL) -> Interval:
    """The value with the percentile interval of what was drawn."""
    known = drawn[np.isfinite(drawn)]
    if not known.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [tail, 1 - tail])
    return Interval(value, float(low), float(high))
