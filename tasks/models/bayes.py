"""Class by class, each column on its own: naive Bayes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, real
from tasks.models.foreseen import NUMBER, Foreseen, Shape


class MixedNB(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Naive Bayes with a normal distribution for numbers and a rate for columns of 0 and 1.

    Columns count as independent given the class (Hastie, Tibshirani and Friedman, The Elements of
    Statistical Learning, 6.6.3). A number is cut at `reach` of its spreads from its mean, so that
    one absurd value does not decide alone. `smoothing`: rows that each rate and each
    spread counts in addition, at the mean of all classes.
    """

    def __init__(self, smoothing: float = 1.0, reach: float = 6.0) -> None:
        self.smoothing = smoothing
        self.reach = reach

    def fit(self, X: Any, y: Any, sample_weight: np.ndarray | None = None) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64)
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight)
        self.classes_, codes = np.unique(y, return_inverse=True)
        member = np.eye(len(self.classes_))[codes] * weight[:, None]
        self.count_ = member.sum(axis=0)
        self.binary_ = ((X == 0.0) | (X == 1.0)).all(axis=0)
        self.log_prior_ = np.log(self.count_ / self.count_.sum())
        total = weight.sum()
        self.mean_, self.spread_ = (weight @ X) / total, np.ones(X.shape[1])
        number = ~self.binary_
        spread = np.sqrt((weight @ (X[:, number] - self.mean_[number]) ** 2) / total)
        self.spread_[number] = np.where(spread > 0, spread, 1.0)
        self._rates(X, member)
        self._normals(self._cut(X[:, number]), member, weight)
        return self

    def _rates(self, X: np.ndarray, member: np.ndarray) -> None:
        """Logarithms of rate and counter-rate, shape (classes, columns of 0 and 1)."""
        ones, overall = X[:, self.binary_], self.mean_[self.binary_]
        held = np.clip(overall, 1e-6, 1 - 1e-6)
        rate = (member.T @ ones + self.smoothing * held) / (self.count_ + self.smoothing)[:, None]
        self.log_rate_, self.log_counter_ = np.log(rate), np.log1p(-rate)

    def _normals(self, Z: np.ndarray, member: np.ndarray, weight: np.ndarray) -> None:
        """Means and variances in spreads, shape (classes, numbers)."""
        heavier = (self.count_ + self.smoothing)[:, None]
        whole = (weight @ Z) / weight.sum()
        self.theta_ = (member.T @ Z + self.smoothing * whole) / heavier
        square = [
            member[:, k] @ (Z - self.theta_[k]) ** 2 + self.smoothing
            for k in range(len(self.count_))
        ]
        self.var_ = np.maximum(np.asarray(square) / heavier, 1e-4)

    def _cut(self, numbers: np.ndarray) -> np.ndarray:
        number = ~self.binary_
        Z = (numbers - self.mean_[number]) / self.spread_[number]
        return np.asarray(np.clip(Z, -self.reach, self.reach))

    def predict_log_joint(self, X: Any) -> np.ndarray:
        """Logarithm of the joint density up to a constant, shape (rows, classes)."""
        check_is_fitted(self, "theta_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        Z, ones = self._cut(X[:, ~self.binary_]), X[:, self.binary_]
        total = ones @ (self.log_rate_ - self.log_counter_).T + self.start_
        bent = (Z**2) @ (-0.5 / self.var_).T + Z @ (self.theta_ / self.var_).T
        return np.asarray(total + bent)

    @property
    def start_(self) -> np.ndarray:
        """What each class has before any column is read, shape (classes,)."""
        normal = -0.5 * (np.log(self.var_) + self.theta_**2 / self.var_).sum(axis=1)
        return np.asarray(self.log_prior_ + self.log_counter_.sum(axis=1) + normal)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Float64, shape (rows, classes)."""
        joint = self.predict_log_joint(X)
        raised = np.exp(joint - joint.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(self.classes_[np.argmax(self.predict_log_joint(X), axis=1)])


class Bayes:
    """Naive Bayes: fitted in one pass, hard to overfit, often overconfident."""

    name: FamilyName = "bayes"
    tasks: tuple[Task, ...] = ("binary", "multiclass")
    style: Style = "scaled"
    interpretable: bool = False
    effort: float = 0.3
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"smoothing": 1.0}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"smoothing": Real(0.1, 1000.0, grid=(1.0, 10.0, 100.0), log=True)}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        return MixedNB(smoothing=real(params, "smoothing"))

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        held = 3 * max(2, shape.classes) * shape.columns
        return Foreseen(NUMBER * held, micros=15 + held / 1000)
