"""Values as the graph's estimator sees them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin


class Single(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Cuts values at plus and minus `limit`, rounds them to float32 and returns float64.

    The graph does the same right before its estimator, so both sides compare the same numbers
    with the same thresholds. The limit keeps sums and squares of absurd inputs finite in float32.
    """

    def __init__(self, limit: float = 1e15) -> None:
        self.limit = limit

    def fit(self, X: Any, y: object = None) -> Self:
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Float64, shape unchanged."""
        cut = np.clip(np.asarray(X, dtype=np.float64), -self.limit, self.limit)
        return cut.astype(np.float32).astype(np.float64)
