"""One decision tree: a set of rules that can be read."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Space, Style, Value, Whole, whole
from tasks.models.foreseen import Foreseen, Shape, leaves, trees


class Tree:
    """A single tree, kept shallow enough to be printed."""

    name: FamilyName = "tree"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "tree"
    interpretable: bool = True
    effort: float = 1.0
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"depth": 6, "leaf": 20}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "depth": Whole(2, 12, grid=(4, 6, 9)),
            "leaf": Whole(2, max(50, rows // 50), grid=(5, 20, 50), log=True),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
        return kind(
            max_depth=whole(params, "depth"),
            min_samples_leaf=whole(params, "leaf"),
            random_state=seed,
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        leaf = leaves(shape.rows, whole(params, "depth"), whole(params, "leaf"))
        return trees(1, leaf, shape.classes if shape.outputs > 1 else 0)
