"""How far a row is from the mean, measured along how columns go together (Mahalanobis, 1936).

The covariance is shrunk (Ledoit and Wolf, 2004), so that columns which repeat each other do no harm,
and of values that are cut off where they are far, so that odd rows do not hide each other.
"""

from __future__ import annotations

import numpy as np

from tasks.detectors.base import Detector, Score

MIDDLE = (0.02, 0.98)
"""Values of a number beyond these quantiles are cut off."""
LEAST = 0.05
"""Least variance of a column, where numbers have 1: what a rare value of a category adds to a
squared distance is at most about 10, as much as three standard deviations of a number."""


def measured(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle, shape (columns,), and root, shape (columns, columns): the squared distance of a row
    is that of `(row - middle) @ root` from 0."""
    from sklearn.covariance import ledoit_wolf

    low, high = np.quantile(X, MIDDLE, axis=0)
    many = high > low  # a rare value of a category is not cut off
    cut = np.where(many, np.clip(X, low, high), X)
    covariance, _ = ledoit_wolf(cut)
    covariance[np.diag_indices_from(covariance)] += np.maximum(0, LEAST - cut.var(axis=0))
    return cut.mean(axis=0), np.linalg.cholesky(np.linalg.inv(covariance))


def _fit(X: np.ndarray, seed: int) -> Score:
    middle, root = measured(X)
    return lambda rows: np.asarray(np.square((rows - middle) @ root).sum(axis=1))


DISTANCE = Detector("distance", _fit)
