"""Many trees whose splits are drawn at random, averaged."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, Whole, real, whole
from tasks.models.foreseen import Foreseen, Shape, leaves, trees
from tasks.models.threads import THREADS


class ExtraTrees:
    """Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006): on all rows, each split at
    the best of a few random thresholds; smoother than a forest, and it needs more trees."""

    name: FamilyName = "extra_trees"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "tree"
    interpretable: bool = False
    effort: float = 1.0
    remembers: bool = False
    streams: bool = False
    minutes: float = 3.0
    start: Mapping[str, Value] = {"trees": 100, "depth": 14, "leaf": 5, "share": 0.6}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "trees": Whole(30, 300, grid=(100,), log=True),
            "depth": Whole(4, 20, grid=(10, 14)),
            "leaf": Whole(1, 100, grid=(2, 5), log=True),
            "share": Real(0.1, 1.0, grid=(0.6, 1.0)),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
        return kind(
            n_estimators=whole(params, "trees"),
            max_depth=whole(params, "depth"),
            min_samples_leaf=whole(params, "leaf"),
            max_features=real(params, "share"),
            n_jobs=THREADS,
            random_state=seed,
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        leaf = leaves(shape.rows, whole(params, "depth"), whole(params, "leaf"))
        return trees(whole(params, "trees"), leaf, shape.classes if shape.outputs > 1 else 0)
