"""The best trials of other families together, put together by a small model over their answers."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sklearn.base import BaseEstimator

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Choice, Space, Value
from tasks.models.blend import Blend, parts


class Stack(Blend):
    """Stacked generalization (Wolpert, 1992); the weights are found in `tasks/tuning/stacking.py`."""

    name: FamilyName = "stack"
    start: Mapping[str, Value] = {**Blend.start, "levels": "[]"}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {name: Choice((value,)) for name, value in self.start.items()}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        from tasks.models.stacked import StackedClassifier, StackedRegressor

        kind = StackedRegressor if task == "regression" else StackedClassifier
        return kind(*parts(task, params, seed, device), json.loads(str(params["levels"])))
