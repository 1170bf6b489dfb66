"""Rows count as if group and answer had nothing to do with each other."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from charter.fairness import MitigationName
from charter.goal import Task
from tasks.mitigation.base import Learnt, Lesson, Mitigation, joint, learn

PARTS = 5
"""Parts of equal size that a number is cut into."""
MOST = 10.0
"""The largest weight, and the inverse of the smallest: few rows must not decide everything."""


class Reweighing(Mitigation):
    """Kamiran and Calders, Data preprocessing techniques for classification without
    discrimination, 2012."""

    name: ClassVar[MitigationName] = "reweighing"
    when: ClassVar[Literal["before", "during", "after"]] = "before"
    tasks: ClassVar[tuple[Task, ...]] = ("binary", "multiclass", "regression")
    about: ClassVar[str] = "rows count as if group and answer had nothing to do with each other"

    def fit(self, lesson: Lesson) -> Learnt:
        weight = weights(joint(lesson.groups), lesson.y, lesson.weight, lesson.aim.task)
        return Learnt(learn(lesson, lesson.build(), lesson.y, weight))


def weights(group: np.ndarray, y: np.ndarray, weight: np.ndarray | None, task: Task) -> np.ndarray:
    """P(group) P(answer) / P(group, answer) of each row, times its own weight; shape (rows,)."""
    own = np.ones(len(y)) if weight is None else weight / weight.mean()
    answer = _parts(y) if task == "regression" else np.asarray(y, dtype=np.int64)
    shape = (int(group.max()) + 1, int(answer.max()) + 1)
    both = (
        np.bincount(group * shape[1] + answer, own, shape[0] * shape[1]).reshape(shape) / own.sum()
    )
    wanted = both.sum(axis=1, keepdims=True) * both.sum(axis=0, keepdims=True)
    factor = np.divide(wanted, both, out=np.ones(shape), where=both > 0)
    return np.asarray(own * np.clip(factor, 1 / MOST, MOST)[group, answer])


def _parts(values: np.ndarray) -> np.ndarray:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, PARTS + 1)[1:-1]))
    return np.asarray(np.searchsorted(edges, values, "right"))
