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


@dataclass(frozen=True)
class Relation:
    """One column and the target."""

    content: Content
    strength: float
    """0 (nothing) to 1 (everything). Two classes: 2 AUC - 1; more classes: the mean of that over
    each class against the rest; numbers: R²."""
    tally: Tally = field(repr=False)

    @property
    def column(self) -> str:
        return self.content.name


def relations(
    store: Store, truth: Truth, columns: Sequence[Content]
) -> Iterator[tuple[Content, Relation | None]]:
    """The relation of each column with the target; none for one that never changes."""
    mark(store, coded(store, truth))
    for content in columns:
        varies = content.distinct + (content.missing > 0) > 1
        if content.field == truth.field or not varies:
            yield content, None
            continue
        counted = tally(store, truth, content)
        yield content, Relation(content, strength(counted.cells, truth), counted)


def strength(cells: Array, truth: Truth) -> float:
    """How well the out-of-fold estimates of the levels tell the target, 0 to 1."""
    if truth.task == "regression":
        return max(0.0, _r2(cells))
    if truth.task == "binary":
        return max(0.0, 2 * _auc(cells, 1) - 1)
    gains = [max(0.0, 2 * _auc(cells, at) - 1) for at in range(len(truth.classes))]
    return float(np.mean(gains))


def _auc(cells: Array, positive: int) -> float:
    """Area under the ROC curve of one class, the mean over folds weighted by rows."""
    rows, hits = cells.sum(axis=2), cells[:, :, positive]
    estimates = _estimates(rows, hits)
    areas, weights = [], []
    for fold in range(rows.shape[1]):
        positives, negatives = hits[:, fold], rows[:, fold] - hits[:, fold]
        if positives.sum() and negatives.sum():
            areas.append(_area(estimates[:, fold], positives, negatives))
            weights.append(rows[:, fold].sum())
    return float(np.average(areas, weights=weights)) if areas else 0.5


def _area(scores: Array, positives: Array, negatives: Array) -> float:
    """Mann and Whitney's U over its largest value, ties counting half."""
    _, group = np.unique(scores, return_inverse=True)
    up, down = np.bincount(group, positives), np.bincount(group, negatives)
    below = np.cumsum(down) - down
    return float((up * (below + down / 2)).sum() / (up.sum() * down.sum()))


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
