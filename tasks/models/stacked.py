"""The estimators of a stack: the members of a blend, put together by weights that were learned.

Their nodes stand in `tasks/graph/blended.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from xgboost import XGBClassifier

from tasks.models.blended import Blended

FLOOR = 1e-6
"""A member's probability counts as at least this."""


def logs(chances: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities."""
    return np.asarray(np.log(np.maximum(chances, FLOOR)))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities; shape (rows, classes)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def pooled(each: Sequence[np.ndarray], shares: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The logarithmic pool of log-probabilities, shape (rows, classes) each, on a level per class."""
    return softmax(summed(each, shares, levels))


def summed(each: Sequence[np.ndarray], shares: np.ndarray, levels: np.ndarray) -> np.ndarray:
    parts = [share * one for one, share in zip(each, shares, strict=True)]
    return np.asarray(np.sum(parts, axis=0) + levels)


@singledispatch
def chances(model: Any, X: np.ndarray) -> np.ndarray:
    """Probabilities in double, shape (rows, classes)."""
    return np.asarray(model.predict_proba(X), dtype=np.float64)


@chances.register
def _(model: XGBClassifier, X: np.ndarray) -> np.ndarray:
    """Not its own float32, whose one minus the other is too coarse for a logarithm."""
    scores = np.asarray(model.predict(X, output_margin=True), dtype=np.float64)
    return softmax(np.column_stack([np.zeros_like(scores), scores]) if scores.ndim == 1 else scores)


class Stacked(Blended):
    """`levels` are added to what the members say: one for numbers, one for each class; none: zero."""

    def __init__(
        self, members: list[Any], scaled: list[bool], shares: list[float], levels: list[float]
    ) -> None:
        super().__init__(members, scaled, shares)
        self.levels = levels


class StackedClassifier(ClassifierMixin, Stacked):  # type: ignore[misc]
    """A softmax over weighted log-probabilities."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Rows that lack a class, as only a part of the training rows can, leave no levels: nobody
        says which one it is."""
        self.classes_ = np.unique(y)
        known = len(self.levels) == len(self.classes_)
        self.levels_ = self.levels if known else [0.0] * len(self.classes_)
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows, classes)."""
        each = [logs(chances(member, side)) for member, side in self._asked(X)]
        return pooled(each, np.array(self.shares), np.array(self.levels_))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class StackedRegressor(RegressorMixin, Stacked):  # type: ignore[misc]
    """A weighted sum on a level."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        self.levels_ = self.levels or [0.0]
        return super().fit(X, y, sample_weight)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""
        return summed(self._values(X), np.array(self.shares), np.array(self.levels_))
