"""The estimators of a blend: members that are fitted on the same rows, their answers weighted.

Their nodes stand in `tasks/graph/blended.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from tasks.models.threads import spread
from tasks.recipe.beside import sides


def mean(each: Sequence[np.ndarray], shares: Sequence[float] | np.ndarray) -> np.ndarray:
    """The weighted mean of answers."""
    return np.asarray(
        np.sum([share * one for one, share in zip(each, shares, strict=True)], axis=0)
    )


def learned(member: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Any:
    """A fitted copy of the member."""
    from tasks.tuning.weights import fit

    model = clone(member)
    spread(model, len(X))
    fit(model, X, y, weight, getattr(model, "random_state", None) or 0)
    if getattr(model, "device", None) == "cuda":
        model.set_params(device="cpu")  # what is kept answers anywhere
    return model


class Blended(BaseEstimator):  # type: ignore[misc]
    """`members` are unfitted estimators, `scaled` says which of them take the second side of the
    matrix (`tasks.recipe.beside`), `shares` are their weights and add up to 1."""

    def __init__(self, members: list[Any], scaled: list[bool], shares: list[float]) -> None:
        self.members = members
        self.scaled = scaled
        self.shares = shares

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        self.sides_ = [[side.start, side.stop] for side in sides(X)]
        self.members_ = [
            learned(member, self._side(X, scaled), y, sample_weight)
            for member, scaled in zip(self.members, self.scaled, strict=True)
        ]
        return self

    def _side(self, X: np.ndarray, scaled: bool) -> np.ndarray:
        start, stop = self.sides_[scaled]
        return np.ascontiguousarray(X[:, start:stop])

    def _asked(self, X: np.ndarray) -> list[tuple[Any, np.ndarray]]:
        """Each fitted member with its side of the matrix."""
        return [
            (member, self._side(X, scaled))
            for member, scaled in zip(self.members_, self.scaled, strict=True)
        ]

    def _values(self, X: np.ndarray) -> list[np.ndarray]:
        return [
            np.asarray(member.predict(side), dtype=np.float64) for member, side in self._asked(X)
        ]


class BlendedClassifier(ClassifierMixin, Blended):  # type: ignore[misc]
    """The weighted mean of probabilities."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        self.classes_ = np.unique(y)
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows, classes)."""
        each = [
            np.asarray(member.predict_proba(side), dtype=np.float64)
            for member, side in self._asked(X)
        ]
        return mean(each, self.shares)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class BlendedRegressor(RegressorMixin, Blended):  # type: ignore[misc]
    """The weighted mean of values."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""
        return mean(self._values(X), self.shares)
