"""Two preparations of the same rows, side by side."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class Beside(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The width of the first part, then the columns of both; so who fits it can tell them apart.

    `first` and `second` are preparations of raw frames; they are fitted in place.
    """

    def __init__(self, first: Any, second: Any) -> None:
        self.first = first
        self.second = second

    def fit(self, X: Any, y: object = None) -> Self:
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: object = None) -> np.ndarray:
        parts = self.first.fit_transform(X), self.second.fit_transform(X)
        self.width_ = int(parts[0].shape[1])
        return self._joined(*parts)

    def transform(self, X: Any) -> np.ndarray:
        """Float64, shape (rows, 1 + columns of both)."""
        return self._joined(self.first.transform(X), self.second.transform(X))

    def _joined(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.hstack([np.full((len(first), 1), float(self.width_)), first, second])


def sides(X: np.ndarray) -> tuple[slice, slice]:
    """Where the columns of the first part and of the second stand in such a matrix."""
    width = int(X[0, 0])
    return slice(1, 1 + width), slice(1 + width, X.shape[1])
