"""How well each column alone tells the target.

Every estimate for a row comes from the rows of the other folds, so that a column with many levels
cannot look informative by remembering single rows; missing values are a level of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tasks.exploration.columns import Content
from tasks.exploration.store import Store, mark
from tasks.exploration.tallies import Array, Tally, coded, tally
from tasks.exploration.target import Truth

SMOOTHING = 5.0
"""Rows of the overall mean in each level's estimate (Micci-Barreca, 2001)."""
Z = 1.96


@dataclass(frozen=True)
class Relation:
    """One column and the target."""

    content: Content
    strength: float
    """0 (nothing) to 1 (everything). Two classes: 2 AUC - 1; more classes: the mean of that over
    each class against the rest; numbers: R²."""
    low: float
    high: float
    """Both ends of its 95 % interval."""
    tally: Tally = field(repr=False)

    @property
    def column(self) -> str:
        return self.content.name


def relations(
    store: Store, truth: Truth, columns: Sequence[Content]
) -> Iterator[tuple[Content, Relation | None]]:
    """The relation of each column with the target; none for one that never changes."""
    mark(store, coded(store, truth))
    given = {content.field: content for content in columns}
    for part in store.parts("truth", "fold"):
        for content in (given[one] for one in part.fields if one in given):
            yield content, _relation(part, truth, content)


def _relation(store: Store, truth: Truth, content: Content) -> Relation | None:
    varies = content.distinct + (content.missing > 0) > 1
    if content.field == truth.field or not varies:
        return None
    counted = tally(store, truth, content)
    return Relation(content, *strength(counted.cells, truth), counted)


def strength(cells: Array, truth: Truth) -> tuple[float, float, float]:
    """How well the out-of-fold estimates of the levels tell the target, and its 95 % interval.

    The interval is DeLong's for an AUC (1988), and that of Olkin and Finn for R² (1995), as if rows
    were independent: rows that hang together (days, customers) make it too narrow.
    """
    if truth.task == "regression":
        value = _r2(cells)
        n = max(float(cells[:, :, 0].sum()), 1.0)
        half = max(2 * Z * (max(0.0, value) / n) ** 0.5 * (1 - value), Z**2 / n)
    else:
        positive = [1] if truth.task == "binary" else range(len(truth.classes))
        areas, errors = np.array([_auc(cells, at) for at in positive]).T
        # Over classes the half widths are averaged, as if the areas moved together: never too small.
        value, half = float(np.maximum(0.0, 2 * areas - 1).mean()), float(2 * Z * errors.mean())
    low, high = max(0.0, value - half), min(1.0, value + half)
    return max(0.0, value), low, max(low, high)


def _auc(cells: Array, positive: int) -> tuple[float, float]:
    """Area under the ROC curve of one class, the mean over folds weighted by rows, and its
    standard error."""
    rows, hits = cells.sum(axis=2), cells[:, :, positive]
    estimates = _estimates(rows, hits)
    found = []
    for fold in range(rows.shape[1]):
        positives, negatives = hits[:, fold], rows[:, fold] - hits[:, fold]
        if positives.sum() and negatives.sum():
            area, variance = _area(estimates[:, fold], positives, negatives)
            found.append((area, variance, rows[:, fold].sum()))
    if not found:
        return 0.5, 0.5
    areas, variances, weights = np.array(found).T
    weights = weights / weights.sum()
    return float(weights @ areas), float(np.sqrt(weights**2 @ variances))


def _area(scores: Array, positives: Array, negatives: Array) -> tuple[float, float]:
    """Mann and Whitney's U over its largest value, ties counting half, and DeLong's variance."""
    _, group = np.unique(scores, return_inverse=True)
    up, down = np.bincount(group, positives), np.bincount(group, negatives)
    ups, downs = up.sum(), down.sum()
    above = (
        np.cumsum(down) - down / 2
    ) / downs  # how many negatives a positive of this group beats
    below = 1 - (np.cumsum(up) - up / 2) / ups
    area = float(up @ above / ups)
    spread = [
        float(rows @ (beaten - area) ** 2 / max(total - 1, 1)) / total
        for rows, beaten, total in ((up, above, ups), (down, below, downs))
    ]
    return area, sum(spread)


def _r2(cells: Array) -> float:
    rows, sums, squares = cells[:, :, 0], cells[:, :, 1], cells[:, :, 2]
    means = _estimates(rows, sums)
    others = rows.sum() - rows.sum(axis=0)
    plain = (sums.sum() - sums.sum(axis=0)) / np.maximum(others, 1)
    error = (squares - 2 * means * sums + rows * means**2).sum()
    spread = (squares - 2 * plain * sums + rows * plain**2).sum()
    return float(1 - error / spread) if spread > 0 else 0.0


def _estimates(rows: Array, sums: Array) -> Array:
    """Per level and fold: the mean of the level in the other folds, drawn to their overall mean."""
    other_rows = rows.sum(axis=1, keepdims=True) - rows
    other_sums = sums.sum(axis=1, keepdims=True) - sums
    overall = other_sums.sum(axis=0) / np.maximum(other_rows.sum(axis=0), 1)
    return np.asarray((other_sums + SMOOTHING * overall) / (other_rows + SMOOTHING))
