"""A weighted sum: logistic regression for classes, ridge regression for numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, real
from tasks.models.foreseen import Foreseen, Shape, matrix
from tasks.models.logged import choice, logged

MANY = 500
"""Columns above which two classes are fitted without second derivatives."""


class Logistic(LogisticRegression):  # type: ignore[misc]
    """Logistic regression by the quicker of two ways to the same minimum.

    Second derivatives take a fifth of the time of lbfgs on many rows. Their matrix grows with the square of
    the columns, though, and with the classes: on 2,400 rows of 5,000 columns it takes 400 times as long.
    """

    def __init__(self, C: float = 1.0) -> None:
        super().__init__(C=C, max_iter=2000)

    def fit(self, X: Any, y: Any, sample_weight: np.ndarray | None = None) -> Self:
        few = np.shape(X)[1] <= MANY and len(np.unique(y)) == 2
        self.solver = "newton-cholesky" if few else "lbfgs"
        super().fit(X, y, sample_weight=sample_weight)
        return self


class Linear:
    """One coefficient per prepared column, held small by a squared penalty."""

    name: FamilyName = "linear"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "scaled"
    interpretable: bool = True
    effort: float = 2.0
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"penalty": 1.0, "log": False}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "penalty": Real(1e-3, 1e3, grid=(0.01, 0.1, 1.0, 10.0, 100.0), log=True),
            "log": choice(task),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        penalty = real(params, "penalty")
        if task == "regression":
            return logged(Ridge(alpha=penalty), params)
        return Logistic(C=1.0 / penalty)

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        return matrix(shape.columns * shape.outputs)
