"""How far a row is from all others, as one more input of a linear model.

What `goal.target.anomalies` finds by distance is a function of that alone, which no other family
comes near; what a forest or neighbours find, boosting learns better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.detectors.distance import measured
from tasks.models.base import Real, Space, Style, Value, real
from tasks.models.foreseen import Foreseen, Shape, matrix


class OddnessClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression on the inputs and the logarithm of the row's distance.

    The distance is that of `tasks.detectors.distance`, learned from the rows without their answers.
    `C`: as in `LogisticRegression`.
    """

    def __init__(self, C: float = 100.0) -> None:
        self.C = C

    def fit(self, X: Any, y: Any, sample_weight: np.ndarray | None = None) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_ = np.unique(y)
        self.middle_, self.root_ = measured(X)
        self.scaler_ = StandardScaler()
        Z = self.scaler_.fit_transform(self._wider(X))
        self.linear_ = LogisticRegression(C=self.C, max_iter=1_000)
        self.linear_.fit(Z, y, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Float64, shape (rows, 2)."""
        check_is_fitted(self, "linear_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.linear_.predict_proba(self.scaler_.transform(self._wider(X))))

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def _wider(self, X: np.ndarray) -> np.ndarray:
        """The inputs, and log(1 + squared distance)."""
        squared = np.square((X - self.middle_) @ self.root_).sum(axis=1)
        return np.column_stack([X, np.log1p(squared)])


class Oddness:
    """A linear model that knows how far a row is from all others."""

    name: FamilyName = "oddness"
    tasks: tuple[Task, ...] = ("binary",)
    style: Style = "scaled"
    interpretable: bool = False
    effort: float = 0.5
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"C": 100.0}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"C": Real(0.01, 10_000.0, grid=(1.0, 100.0, 10_000.0), log=True)}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        return OddnessClassifier(C=real(params, "C"))

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        return matrix(shape.columns**2 + 4 * shape.columns)
