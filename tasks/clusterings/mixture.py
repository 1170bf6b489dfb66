"""Groups that are normal distributions, each with its own width in every column."""

from __future__ import annotations

import warnings

import numpy as np

from tasks.clusterings.base import Clustering, Found, counts

STARTS = 3
SMALLEST = 1e-3
"""Least variance of a column within a group, where all columns have a variance near 1."""


def _fit(X: np.ndarray, groups: int, seed: int) -> Found | None:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    if len(np.unique(X, axis=0)) < groups:
        return None
    mixture = GaussianMixture(
        groups, covariance_type="diag", n_init=STARTS, reg_covar=SMALLEST, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stability tells what came of it
        fitted = mixture.fit(X)
    return Found(groups, lambda rows: np.asarray(fitted.predict(rows), dtype=np.int64))


MIXTURE = Clustering("mixture", counts, False, _fit)
