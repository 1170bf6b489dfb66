"""A weighted sum: logistic regression for classes, ridge regression for numbers."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, real
from tasks.models.foreseen import Foreseen, Shape, matrix
from tasks.models.logged import choice, logged


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
        # Second order: a fifth of the time of lbfgs on many rows; its matrix grows with the classes.
        solver = "newton-cholesky" if task == "binary" else "lbfgs"
        return LogisticRegression(C=1.0 / penalty, solver=solver, max_iter=2000)

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        return matrix(shape.columns * shape.outputs)
