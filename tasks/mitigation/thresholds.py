"""The threshold is moved for each row by the groups that it probably belongs to."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from charter.fairness import MitigationName
from charter.goal import Task
from serving.signature import Decision
from tasks.mitigation.base import Aim, Learnt, Lesson, Mitigation, Told, learn
from tasks.mitigation.estimators import Adjusted, moved
from tasks.mitigation.shifts import cells, search


class Thresholds(Mitigation):
    """Chen, Klochkov and Liu, Post-hoc bias scoring is optimal for fair classification, 2024.

    A classifier that must treat groups alike does best by the probability, less a multiple of the
    chance of each cell (group by answer), at one threshold. A second model learns these chances
    from the inputs, so that no group is asked for; where the charter allows the group as an input,
    the chances are those of the group itself, and each group has a threshold of its own. Nothing is
    drawn by lot (Hardt et al., 2016, draw): the same row always gets the same answer.
    """

    name: ClassVar[MitigationName] = "thresholds"
    when: ClassVar[Literal["before", "during", "after"]] = "after"
    tasks: ClassVar[tuple[Task, ...]] = ("binary",)
    about: ClassVar[str] = "the threshold moves with the groups that the inputs make likely"
    settling: ClassVar[float] = 0.3

    def fit(self, lesson: Lesson) -> Learnt:
        model = learn(lesson, lesson.build(), lesson.y, lesson.weight)
        helpers, seen = [], []
        for one in lesson.groups:
            known, numbered = np.unique(cells(one.codes, lesson.y), return_inverse=True)
            helpers.append(learn(lesson, lesson.helper("multiclass"), numbered, lesson.weight))
            seen.append([int(cell) for cell in known])
        shifts = [[0.0] * (2 * len(one.values)) for one in lesson.groups]
        return Learnt(Adjusted(model, helpers, seen, shifts))

    def signals(self, model: Adjusted, X: np.ndarray) -> np.ndarray:
        return model.signals(X)

    def settle(self, told: Told) -> tuple[float, ...]:
        return search(told)

    def answers(self, signals: np.ndarray, settings: tuple[float, ...]) -> np.ndarray:
        positive = moved(signals, np.array(settings[1:]), settings[0])
        return np.column_stack([1.0 - positive, positive])

    def finished(self, model: Adjusted, settings: tuple[float, ...]) -> Adjusted:
        shifts, rest = [], [float(one) for one in settings[1:]]
        for before in model.shifts:
            shifts.append(rest[: len(before)])
            rest = rest[len(before) :]
        return Adjusted(model.model, model.helpers, model.seen, shifts, float(settings[0]))

    def decision(self, aim: Aim) -> Decision | None:
        return Decision(threshold=aim.threshold)
