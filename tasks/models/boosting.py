"""Trees that each mend what the ones before left wrong (XGBoost)."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, Whole, real, whole
from tasks.models.device import resolve
from tasks.models.foreseen import Foreseen, Shape, leaves, trees
from tasks.models.logged import choice, logged
from tasks.models.threads import THREADS


class Boosting:
    """Gradient boosting on histograms (Chen and Guestrin, XGBoost, 2016)."""

    name: FamilyName = "boosting"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "tree"
    interpretable: bool = False
    effort: float = 12.0
    remembers: bool = False
    streams: bool = True
    minutes: float = 0.0
    start: Mapping[str, Value] = {
        "trees": 150, "rate": 0.06, "depth": 6, "weight": 5.0,
        "rows": 0.8, "share": 0.5, "penalty": 3.0,
        "log": False,
    }  # fmt: skip

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "trees": Whole(50, 600, grid=(150, 400), log=True),
            "rate": Real(0.02, 0.3, grid=(0.03, 0.06), log=True),
            "depth": Whole(2, 9, grid=(3, 6, 8)),
            "weight": Real(1.0, 50.0, grid=(5.0,), log=True),
            "rows": Real(0.5, 1.0, grid=(0.8,)),
            "share": Real(0.3, 1.0, grid=(0.5,)),
            "penalty": Real(0.1, 30.0, grid=(3.0,), log=True),
            "log": choice(task),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        from xgboost import XGBClassifier, XGBRegressor

        kind = XGBRegressor if task == "regression" else XGBClassifier
        boosted = kind(
            n_estimators=whole(params, "trees"),
            learning_rate=real(params, "rate"),
            max_depth=whole(params, "depth"),
            min_child_weight=real(params, "weight"),
            subsample=real(params, "rows"),
            colsample_bytree=real(params, "share"),
            reg_lambda=real(params, "penalty"),
            tree_method="hist",
            device=resolve(device),
            n_jobs=THREADS,
            random_state=seed,
        )
        return logged(boosted, params)

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        rows = shape.rows * (0.25 if shape.classes else 1.0)  # a row of a class weighs p (1 - p)
        leaf = leaves(rows, whole(params, "depth"), real(params, "weight"))
        return trees(whole(params, "trees") * shape.outputs, leaf)
