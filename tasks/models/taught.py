"""A model of another family that was taught by a mixture too large or too slow to be served."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sklearn.base import BaseEstimator

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Choice, Space, Style, Value
from tasks.models.blend import Member, spelled, student
from tasks.models.foreseen import Foreseen, Shape
from tasks.models.linear import Linear
from tasks.models.tree import Tree


def taught(name: str, own: Mapping[str, Value], teacher: Mapping[str, Value]) -> dict[str, Value]:
    """The family that learns with its parameters, and those of a blend or stack, as parameters."""
    return {**teacher, "student": json.dumps([name, own], sort_keys=True)}


class Taught:
    """Distillation (Hinton, Vinyals and Dean, 2015); who teaches whom is found in
    `tasks/tuning/teaching.py`."""

    name: FamilyName = "taught"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "both"
    interpretable: bool = False
    effort: float = 0.0
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = taught(
        "tree",
        Tree.start,
        spelled([Member("linear", Linear.start, 0.5), Member("tree", Tree.start, 0.5)]),
    )

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {name: Choice((value,)) for name, value in self.start.items()}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        from tasks.models import family
        from tasks.models.pupil import PupilClassifier, PupilRegressor

        name, own = student(params)
        learner, teacher = family(name), family("stack" if "levels" in params else "blend")
        kind = PupilRegressor if task == "regression" else PupilClassifier
        return kind(
            learner.build(task, own, seed, device),
            learner.style == "scaled",
            teacher.build(task, params, seed, device),
            seed,
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        from tasks.models import family

        name, own = student(params)
        return family(name).foresee(task, own, shape)
