"""A target over several powers of ten: learned as its logarithm, told as it is.

Of a logarithm a model learns the middle, so answers are multiplied by what the mean lies above it
(Duan, Smearing estimate: a nonparametric retransformation method, 1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

from charter.goal import Task
from tasks.models.base import Choice, Value

SKEWED = 1.0
"""Skewness of a target from which on its logarithm is tried."""
BEYOND = 1.0
"""So far an answer may lie outside of what was learned from, in units of the logarithm."""


def choice(task: Task) -> Choice:
    """The dimension `log` of a family's space; the search leaves it out where nothing is skewed."""
    return Choice((False, True) if task == "regression" else (False,))


def logged(model: BaseEstimator, params: Mapping[str, Value]) -> BaseEstimator:
    """The model, or one of the logarithm."""
    return Logged(model) if params.get("log") else model


def skewed(truth: np.ndarray) -> bool:
    """Whether all values are above 0 and far ones lie on the upper side; truth: shape (rows,)."""
    if not len(truth) or truth.min() <= 0 or truth.std() == 0:
        return False
    return bool((((truth - truth.mean()) / truth.std()) ** 3).mean() > SKEWED)


class Logged(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits the model to log(y); y above 0."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        from tasks.tuning.weights import fit

        logs = np.log(np.asarray(y, dtype=np.float64))
        self.low_, self.high_ = float(logs.min()) - BEYOND, float(logs.max()) + BEYOND
        self.model_ = clone(self.model)
        seed = getattr(self.model_, "random_state", None) or 0
        fit(self.model_, X, logs, sample_weight, seed)
        if getattr(self.model_, "device", None) == "cuda":
            self.model_.set_params(device="cpu")  # what is kept answers anywhere
        self.factor_ = 1.0
        said = np.average(self.predict(X), weights=sample_weight)
        self.factor_ = float(np.average(y, weights=sample_weight) / said)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Float64, shape (rows,)."""
        logs = np.asarray(self.model_.predict(X), dtype=np.float64).ravel()
        return np.asarray(self.factor_ * np.exp(np.clip(logs, self.low_, self.high_)))
