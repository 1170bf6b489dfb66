"""Nearest neighbours whose answer does not hang on a tie.

Columns of 0 and 1 put many training rows at exactly the same distance. Which of them are among the
k nearest is then a matter of rounding: scikit-learn answers differently for one row and for many,
and no other runtime can answer as it does. Here every row as near as the k-th counts, and the
formulas are short enough for `tasks/graph` to repeat.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.utils.validation import validate_data

RELATIVE = 1e-6
"""Distances within this share of the k-th count as equal to it; rounding is far below."""
ABSOLUTE = 1e-9
"""The same for distances near zero, per unit of the row's own squared length plus 1."""
SOFT = 1e-6
"""Added to squared distances before they become weights, so that equal rows do not divide by 0."""
CELLS = 2_000_000
"""Distances held at once: 16 MB."""


class NearestClassifier(KNeighborsClassifier):  # type: ignore[misc]
    """Class shares among the k nearest rows, and those at the same distance as the k-th."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Float64, shape (rows, classes)."""
        truth = np.eye(len(self.classes_))[np.asarray(self._y).ravel()]
        return nearest_mean(self, validate_data(self, X, reset=False), truth)

    def predict(self, X: Any) -> np.ndarray:
        labels: np.ndarray = self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        return labels


class NearestRegressor(KNeighborsRegressor):  # type: ignore[misc]
    """The mean of the k nearest rows, and of those at the same distance as the k-th."""

    def predict(self, X: Any) -> np.ndarray:
        """Float64, shape (rows,)."""
        truth = np.asarray(self._y, dtype=np.float64).reshape(-1, 1)
        return nearest_mean(self, validate_data(self, X, reset=False), truth).ravel()


def nearest_mean(model: Any, X: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The weighted mean of `truth`, shape (training rows, columns), over the nearest rows."""
    rows = np.asarray(model._fit_X, dtype=np.float64)
    lengths = (rows**2).sum(axis=1)
    step = max(1, CELLS // len(rows))
    parts = [
        _mean(model, np.asarray(X[i : i + step], dtype=np.float64), rows, lengths, truth)
        for i in range(0, len(X), step)
    ]
    return np.concatenate(parts) if parts else np.empty((0, truth.shape[1]))


def _mean(
    model: Any, X: np.ndarray, rows: np.ndarray, lengths: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    own = (X**2).sum(axis=1, keepdims=True)
    squares = np.maximum(X @ (rows.T * -2.0) + own + lengths, 0.0)
    last = model.n_neighbors - 1
    reach = np.partition(squares, last, axis=1)[:, [last]]
    near = squares <= reach * (1.0 + RELATIVE) + (own + 1.0) * ABSOLUTE
    weights = near.astype(np.float64)
    if model.weights == "distance":
        weights /= np.sqrt(squares + (own + 1.0) * SOFT)
    mean: np.ndarray = (weights @ truth) / weights.sum(axis=1, keepdims=True)
    return mean
