"""The floor: class shares or the mean, whatever the row says."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Space, Style, Value
from tasks.models.foreseen import NUMBER, Foreseen, Shape


class Dummy:
    """Class shares of the training rows, or their mean."""

    name: FamilyName = "dummy"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "tree"
    interpretable: bool = True
    effort: float = 0.2
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        if task == "regression":
            return DummyRegressor(strategy="mean")
        return DummyClassifier(strategy="prior")

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        return Foreseen(NUMBER * shape.outputs, micros=5)
