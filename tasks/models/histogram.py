"""Boosted trees that grow leaf by leaf (scikit-learn)."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, Whole, real, whole
from tasks.models.foreseen import Foreseen, Shape, trees


class Histogram:
    """Histogram gradient boosting in the manner of LightGBM (Ke et al., 2017): the leaf that gains
    most is split next, so that few leaves go where they are needed."""

    name: FamilyName = "histogram"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "tree"
    interpretable: bool = False
    effort: float = 1.5
    remembers: bool = False
    streams: bool = False
    minutes: float = 3.0
    start: Mapping[str, Value] = {
        "trees": 120, "rate": 0.08, "leaves": 31, "leaf": 20, "share": 0.6, "penalty": 1.0,
    }  # fmt: skip

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "trees": Whole(40, 500, grid=(120, 300), log=True),
            "rate": Real(0.02, 0.3, grid=(0.03, 0.08), log=True),
            "leaves": Whole(4, 127, grid=(8, 31), log=True),
            "leaf": Whole(2, 200, grid=(20,), log=True),
            "share": Real(0.2, 1.0, grid=(0.6,)),
            "penalty": Real(1e-3, 100.0, grid=(1.0,), log=True),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kinds = HistGradientBoostingRegressor, HistGradientBoostingClassifier
        return kinds[task != "regression"](
            max_iter=whole(params, "trees"),
            learning_rate=real(params, "rate"),
            max_leaf_nodes=whole(params, "leaves"),
            min_samples_leaf=whole(params, "leaf"),
            max_features=real(params, "share"),
            l2_regularization=real(params, "penalty"),
            early_stopping=False,
            random_state=seed,
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        most = max(1.0, shape.rows / (1.5 * whole(params, "leaf")))
        return trees(whole(params, "trees") * shape.outputs, min(most, whole(params, "leaves")))
