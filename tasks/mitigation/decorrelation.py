"""What the inputs say of the groups along a line is taken out of them."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from charter.fairness import MitigationName
from charter.goal import Task
from tasks.mitigation.base import Learnt, Lesson, Mitigation
from tasks.mitigation.estimators import Erased
from tasks.recipe.single import Single


class Decorrelation(Mitigation):
    """Belrose et al., LEACE: Perfect linear concept erasure in closed form, 2023.

    Unlike a regression on the group itself, it needs no group once it is fitted.
    """

    name: ClassVar[MitigationName] = "decorrelation"
    when: ClassVar[Literal["before", "during", "after"]] = "before"
    tasks: ClassVar[tuple[Task, ...]] = ("binary", "multiclass", "regression")
    about: ClassVar[str] = "what the inputs say of the groups along a line is taken out of them"

    def fit(self, lesson: Lesson) -> Learnt:
        from tasks.tuning.weights import fit

        members = np.concatenate(
            [np.eye(len(one.values))[one.codes] for one in lesson.groups], axis=1
        )
        steps = (Erased(), Single())
        X = steps[1].fit_transform(steps[0].fit(lesson.X, members).transform(lesson.X))
        model = lesson.build()
        fit(model, X, lesson.y, lesson.weight, lesson.aim.seed)
        if getattr(model, "device", None) == "cuda":
            model.set_params(device="cpu")
        return Learnt(model, steps)
