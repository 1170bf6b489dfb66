"""Many deep trees on resampled rows, averaged."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, Whole, real, whole
from tasks.models.foreseen import Foreseen, Shape, leaves, trees
from tasks.models.threads import THREADS


class Forest:
    """A random forest (Breiman, 2001); `share` of the columns is tried at each split."""

    name: FamilyName = "forest"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "tree"
    interpretable: bool = False
    effort: float = 3.0
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {"trees": 100, "depth": 10, "leaf": 10, "share": 0.4}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "trees": Whole(30, 300, grid=(100,), log=True),
            "depth": Whole(4, 20, grid=(6, 10, 14)),
            "leaf": Whole(1, 100, grid=(3, 10), log=True),
            "share": Real(0.1, 1.0, grid=(0.2, 0.4)),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
        return kind(
            n_estimators=whole(params, "trees"),
            max_depth=whole(params, "depth"),
            min_samples_leaf=whole(params, "leaf"),
            max_features=real(params, "share"),
            n_jobs=THREADS,
            random_state=seed,
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        leaf = leaves(0.63 * shape.rows, whole(params, "depth"), whole(params, "leaf"))
        return trees(whole(params, "trees"), leaf, shape.classes if shape.outputs > 1 else 0)
