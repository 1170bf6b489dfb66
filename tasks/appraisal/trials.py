"""Generated rows on trial: each generator that suits, against the winner without, fold by fold."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from charter import Charter
from tasks.appraisal.beyond import beyond
from tasks.appraisal.course import Course
from tasks.appraisal.made import try_made
from tasks.generators.base import Generator
from tasks.judgement.decision import decide
from tasks.metrics import Interval, gain, measure, prices
from tasks.split import Training
from tasks.tuning.sandbox import Stopped

log = logging.getLogger(__name__)

GROWN = 2.0
"""A fit with generated rows has at most so many times the rows."""


@dataclass(frozen=True)
class Trial:
    """What one generator brought."""

    generator: Generator
    answers: list[np.ndarray] | None = None
    """For the test side of each fold; None where it was not tried, or a fit brought none."""
    why: str = ""
    seconds: float = 0.0
    """Of all folds together."""


def hindrance(charter: Charter, training: Training, one: Generator, truth: np.ndarray) -> str:
    """Why the generator is not tried, in words; empty where it is."""
    chosen = charter.tuning.generate
    if chosen != "auto" and one.name not in chosen:
        return f"tuning.generate is {chosen if isinstance(chosen, str) else ', '.join(chosen)}"
    if charter.fairness.sensitive:
        return "fairness.sensitive names groups, and generated rows may treat them otherwise"
    return one.hindrance(training.task, truth)


def run(
    charter: Charter, training: Training, course: Course, one: Generator, rows: int | None
) -> Trial:
    """Fit every fold with what the generator makes of its fit side; `rows` as the search had."""
    why = hindrance(charter, training, one, course.sizes.truth)
    if why:
        return Trial(one, why=f"not tried: {why}")
    if course.pace is not None and GROWN * course.pace > course.left:
        return Trial(one, why="not tried: there was no time")
    began = course.clock.spent
    course.clock.say(f"the winner with {one.about}")
    answers = []
    for fold in range(len(course.sizes.fits)):
        try:
            answer = course.sandbox.call(
                try_made, course.family, course.params, fold, rows, one,
                seconds=max(0.0, course.left),
            )  # fmt: skip
        except Stopped as stopped:
            log.info("%s: a fit %s", one.name, stopped)
            return Trial(one, why=f"a fit with its rows {stopped}")
        answers.append(answer.prediction)
    return Trial(one, answers, seconds=course.clock.spent - began)


def gained(
    charter: Charter, training: Training, course: Course, ours: list[np.ndarray],
    theirs: list[np.ndarray], ways: int,
) -> Interval:  # fmt: skip
    """By how much `ours` is better over the folds, each with the threshold that the same rule
    gives it: generated rows of a rare class move all probabilities, which a threshold undoes."""
    tests, costs = course.sizes.tests, prices(charter.goal.cost, training.task, training.classes)
    truth = course.sizes.truth
    every = truth[np.concatenate(tests)]
    rules = [
        decide(charter, training.task, training.classes, every, np.concatenate(answers))
        for answers in (ours, theirs)
    ]
    gains = [
        gain(
            training.metric,
            measure(training.metric, truth[test], our, rules[0], costs),
            measure(training.metric, truth[test], their, rules[1], costs),
        )
        for test, our, their in zip(tests, ours, theirs, strict=True)
    ]
    return beyond(gains, course.sizes.fits, [len(test) for test in tests], ways)
