"""What happens to each group, counted under row weights, so that one pass gives all intervals.

Classes: a table of truth by answer for each group, from which every rate follows. Numbers: the sum
of errors for each group. The measures are those of Fairlearn (Bird et al., 2020):
demographic_parity_difference, equalized_odds_difference, equal_opportunity_difference; a test holds
them against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from charter.fairness import FairnessMetric
from serving.signature import Decision
from tasks import metrics
from tasks.auditing.groups import Groups


@dataclass(frozen=True)
class Judged:
    """Predictions with their truth: probabilities (rows, classes), or values (rows,)."""

    truth: np.ndarray
    ours: np.ndarray
    decision: Decision

    @property
    def classes(self) -> int:
        """0 for numbers."""
        return 0 if self.ours.ndim == 1 else int(self.ours.shape[1])

    @property
    def answers(self) -> np.ndarray:
        """The class positions that are answered, shape (rows,)."""
        return metrics.answers(self.ours, self.decision)


@dataclass(frozen=True)
class Tally:
    """Sums of some quantities for each group; call it with weights, (resamples, rows)."""

    cells: Any
    """A sparse matrix, (rows, quantities): what each row adds to which sum."""
    shape: tuple[int, ...]

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Shape (resamples, groups, …)."""
        summed = np.asarray((self.cells.T @ weights.T).T)
        return summed.reshape(len(weights), *self.shape)

    @property
    def counts(self) -> np.ndarray:
        """The sums with each row counted once."""
        return np.asarray(self(np.ones((1, self.cells.shape[0])))[0])


def confusions(case: Judged, groups: Groups) -> Tally:
    """Rows by group, truth and answer: shape (groups, classes, classes)."""
    count = case.classes
    cell = (groups.codes * count + case.truth) * count + case.answers
    return _tally(cell, np.ones(len(cell)), (len(groups.values), count, count))


def sums(values: np.ndarray, groups: Groups) -> Tally:
    """The sum of a value by group, and the rows: shape (groups, 2)."""
    from scipy import sparse

    width = len(groups.values)
    cell = np.concatenate([2 * groups.codes, 2 * groups.codes + 1])
    row = np.tile(np.arange(len(values)), 2)
    what = np.concatenate([values.astype(np.float64), np.ones(len(values))])
    cells = sparse.csr_matrix((what, (row, cell)), shape=(len(values), 2 * width))
    return Tally(cells, (width, 2))


def _tally(cell: np.ndarray, what: np.ndarray, shape: tuple[int, ...]) -> Tally:
    from scipy import sparse

    rows = np.arange(len(cell))
    cells = sparse.csr_matrix((what, (rows, cell)), shape=(len(cell), int(np.prod(shape))))
    return Tally(cells, shape)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Above by below; NaN where below is 0."""
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    empty = np.full(shape, np.nan)
    return np.asarray(np.divide(above, below, out=empty, where=np.broadcast_to(below, shape) > 0))


def compared(metric: FairnessMetric, tally: np.ndarray) -> np.ndarray:
    """The rates that must not differ: shape (resamples, groups, rates).

    `tally` is that of `confusions`, (resamples, groups, classes, classes), or of `sums` of absolute
    errors. Two classes are judged by the positive answer, more of them by each.
    """
    if metric == "error_ratio":
        return ratio(tally[..., 0], tally[..., 1])[..., None]
    count = tally.shape[-1]
    answered = [1] if count == 2 else list(range(count))
    if metric == "demographic_parity":
        return ratio(tally.sum(axis=2), tally.sum(axis=(2, 3))[..., None])[..., answered]
    given = ratio(tally, tally.sum(axis=3)[..., None])[..., answered]
    if metric == "equal_opportunity":
        return given[..., 1, :] if count == 2 else np.diagonal(given, axis1=2, axis2=3)
    return given.reshape(*given.shape[:2], -1)


def resting(metric: FairnessMetric, tally: np.ndarray) -> np.ndarray:
    """The fewest rows that one of the rates of each group rests on, shape (groups,)."""
    if metric == "error_ratio":
        return np.asarray(tally[..., 1])
    if metric == "demographic_parity":
        return np.asarray(tally.sum(axis=(1, 2)))
    rows = tally.sum(axis=2)
    return np.asarray(
        rows[:, 1] if metric == "equal_opportunity" and rows.shape[1] == 2 else rows.min(axis=1)
    )


def apart(metric: FairnessMetric, rates: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """The largest difference of a rate between two judged groups, shape (resamples,).

    error_ratio: by what share the largest error exceeds the smallest. NaN with fewer than two.
    """
    if judged.sum() < 2:
        return np.full(len(rates), np.nan)
    among = rates[:, judged]
    return np.asarray(_beyond(metric, among.max(axis=1), among.min(axis=1)).max(axis=1))


def widest(metric: FairnessMetric, rates: np.ndarray, judged: np.ndarray) -> tuple[int, int, int]:
    """The two groups that lie furthest apart, higher first, and in which rate; `rates` of one draw."""
    among = np.where(judged[:, None], rates, np.nan)
    if judged.sum() < 2 or not np.isfinite(among).any(axis=0).all():
        return 0, 0, 0
    high, low = np.nanargmax(among, axis=0), np.nanargmin(among, axis=0)
    rate = np.arange(rates.shape[1])
    worst = int(np.argmax(_beyond(metric, among[high, rate], among[low, rate])))
    return int(high[worst]), int(low[worst]), worst


def between(metric: FairnessMetric, rates: np.ndarray, pair: tuple[int, int, int]) -> np.ndarray:
    """The difference of one rate between the same two groups in every draw; may be below 0."""
    high, low, rate = pair
    return _beyond(metric, rates[:, high, rate], rates[:, low, rate])


def _beyond(metric: FairnessMetric, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    return ratio(high, low) - 1.0 if metric == "error_ratio" else np.asarray(high - low)
