"""The charter's own rules: what a person would answer without a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, real
from tasks.models.foreseen import NUMBER, Foreseen, Shape


class _Rules(BaseEstimator):  # type: ignore[misc]
    """What each rule's rows came to, drawn towards what the rule says.

    Takes the matrix of `tasks.recipe.rules.FirstRule`: number of the first rule that holds, and
    what it says. A rule's word counts as `trust` rows: it stands alone where no training row
    falls under the rule, and gives way where many say otherwise.
    """

    def __init__(self, trust: float = 10.0) -> None:
        self.trust = trust

    def _count(self, X: np.ndarray, truth: np.ndarray, weight: Any) -> None:
        """Fills `rows_`, weight per rule, and `sums_`, shape (rules, columns of truth); the last
        entry of both is for rules that no row fell under."""
        weight = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)
        rule = X[:, 0].astype(int)
        self.rows_ = np.append(np.bincount(rule, weights=weight), 0.0)
        self.sums_ = np.zeros((len(self.rows_), truth.shape[1]))
        np.add.at(self.sums_, rule, truth * weight[:, None])

    def _answer(self, X: np.ndarray, said: np.ndarray) -> np.ndarray:
        rule = np.minimum(X[:, 0].astype(int), len(self.rows_) - 1)
        known, rows = self.sums_[rule], self.rows_[rule, None]
        return np.asarray((known + self.trust * said) / (rows + self.trust))


class RulesClassifier(ClassifierMixin, _Rules):  # type: ignore[misc]
    """Class shares of the rows under each rule."""

    def fit(self, X: Any, y: Any, sample_weight: np.ndarray | None = None) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._count(X, np.eye(len(self.classes_))[codes], sample_weight)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Float64, shape (rows, classes)."""
        check_is_fitted(self, "sums_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        last = len(self.classes_) - 1
        return self._answer(X, np.eye(last + 1)[np.minimum(X[:, 1].astype(int), last)])

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class RulesRegressor(RegressorMixin, _Rules):  # type: ignore[misc]
    """The mean of the rows under each rule."""

    def fit(self, X: Any, y: Any, sample_weight: np.ndarray | None = None) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._count(X, np.asarray(y, dtype=np.float64)[:, None], sample_weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Float64, shape (rows,)."""
        check_is_fitted(self, "sums_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._answer(X, X[:, [1]]).ravel()


class Heuristic:
    """`goal.heuristic`: its rules decide, the training rows say how sure each of them is."""

    name: FamilyName = "heuristic"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "rules"
    interpretable: bool = True
    effort: float = 0.2
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"trust": 10.0}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"trust": Real(1.0, 1000.0, grid=(1.0, 10.0, 100.0), log=True)}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kind = RulesRegressor if task == "regression" else RulesClassifier
        return kind(trust=real(params, "trust"))

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        return Foreseen(NUMBER * 8 * shape.outputs, micros=20)
