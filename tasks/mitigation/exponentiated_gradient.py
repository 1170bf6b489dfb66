"""A game between a learner and the limits, whose mixture of classifiers is averaged."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Literal

import numpy as np

from charter.fairness import MitigationName
from charter.goal import Task
from tasks.auditing import fairlearn
from tasks.mitigation.base import Learnt, Lesson, Mitigation, joint, learn
from tasks.mitigation.estimators import Mixture

SHARE = 0.5
"""Share of the time that the fits of the game may take by the first one's measure."""


class ExponentiatedGradient(Mitigation):
    """Agarwal et al., A Reductions Approach to Fair Classification, 2018, through Fairlearn.

    The method draws one of its classifiers by lot for each answer. A released model must give the
    same row the same answer, so their probabilities are averaged instead; what this costs in
    fairness shows in the comparison. `Lesson.seconds` bounds the number of fits.
    """

    name: ClassVar[MitigationName] = "exponentiated_gradient"
    when: ClassVar[Literal["before", "during", "after"]] = "during"
    tasks: ClassVar[tuple[Task, ...]] = ("binary",)
    about: ClassVar[str] = "classifiers fitted against the limits in turn, averaged by their shares"

    def fit(self, lesson: Lesson) -> Learnt:
        from sklearn.utils.validation import has_fit_parameter

        from tasks.tuning.weights import drawn

        if not has_fit_parameter(lesson.build(), "sample_weight"):
            raise TypeError("the learner takes no weights, and the game needs them")
        began = time.perf_counter()
        learn(lesson, lesson.build(), lesson.y, None)
        steps = int(SHARE * lesson.seconds / (2 * max(1e-3, time.perf_counter() - began)))
        rows = np.arange(len(lesson.y))
        if lesson.weight is not None:  # the game weighs the rows itself
            rows = drawn(lesson.y, lesson.weight, lesson.aim.seed)
        members, shares = fairlearn.mixture(
            lesson.build(), lesson.aim.metric, min(limit for _, limit in lesson.aim.limits),
            lesson.X[rows], lesson.y[rows], joint(lesson.groups)[rows], steps,
        )  # fmt: skip
        return Learnt(_mixture(members, shares))


def _mixture(members: list[Any], shares: list[float]) -> Mixture:
    """The members; those that always answer the same become a constant."""
    kept, constant = [], 0.0
    for member, share in zip(members, shares, strict=True):
        always = getattr(member, "constant", None)
        if always is None:
            kept.append((member, share))
        else:
            constant += share * float(always)
    for member, _ in kept:
        if getattr(member, "device", None) == "cuda":
            member.set_params(device="cpu")
    return Mixture([one for one, _ in kept], [share for _, share in kept], constant)
