"""The answer of the most similar training rows."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Choice, Space, Style, Value, Whole, whole
from tasks.models.foreseen import Foreseen, Shape, matrix
from tasks.models.nearest import NearestClassifier, NearestRegressor


class Neighbours:
    """The k nearest rows by Euclidean distance; the model is the training rows themselves."""

    name: FamilyName = "neighbours"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "scaled"
    interpretable: bool = False
    effort: float = 1.0
    remembers: bool = True
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"neighbours": 15, "weights": "uniform"}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        most = max(15, min(200, rows // 5))
        grid = tuple(k for k in (5, 15, 50, 150) if k <= most)
        return {
            "neighbours": Whole(3, most, grid=grid, log=True),
            "weights": Choice(("uniform", "distance")),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kind = NearestRegressor if task == "regression" else NearestClassifier
        return kind(
            n_neighbors=whole(params, "neighbours"),
            weights=params["weights"],
            algorithm="brute",  # exact, and the only index that the ONNX graph has
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        table = shape.rows * (shape.columns / 2 + 1 + max(1, shape.classes))  # float32 rows
        found = matrix(table)
        return Foreseen(found.bytes, found.micros + 0.01 * shape.rows)
