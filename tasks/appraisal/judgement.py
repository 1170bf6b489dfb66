"""From the fits to the answer: what was measured, what is foretold, and whether it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from charter import Charter
from tasks.appraisal import wording
from tasks.appraisal.course import Course
from tasks.appraisal.draws import Fold, scores
from tasks.appraisal.forecast import Ahead, Doubt, ahead
from tasks.metrics import Interval, gain, measure, prices
from tasks.split import Training

if TYPE_CHECKING:
    from tasks.appraise import Answer, Curve, Point


MATTERS = 0.02
"""Share of what the model gains over knowing nothing that is worth twice the rows."""


def curve(charter: Charter, training: Training, course: Course) -> Curve:
    """The measured scores, the forecast where one can be believed, and the answer in words."""
    from tasks.appraise import Curve

    if not course.answers:
        return Curve(words=wording.unknown(course.why))
    folds, sizes = course.folds(), course.rows()
    costs = prices(charter.goal.cost, training.task, training.classes)
    found = scores(training.metric, folds, costs, seed=charter.evaluation.seed)
    worth = gain(training.metric, float(found.known[-1]), _floor(training, folds, costs))
    told = ahead(training.metric, sizes, found, training.rows)
    if isinstance(told, Doubt) and course.why:
        told = replace(told, why=f"{told.why} ({course.why})")
    answer = _answer(told, max(0.0, MATTERS * worth))
    each = zip(sizes, map(found.of, np.eye(len(sizes))), strict=True)
    made = Curve(
        points=tuple(_point(rows, score) for rows, score in each),
        worth=worth,
        answer=answer,
        words=wording.said(training, told, answer),
    )
    return made if isinstance(told, Doubt) else _with(made, told)


def _with(made: Curve, told: Ahead) -> Curve:
    from tasks.appraise import Gain

    return made.model_copy(
        update={
            "course": tuple(_point(rows, at) for rows, at in told.course),
            "twice": Gain(value=told.gain.value, low=told.gain.low, high=told.gain.high),
            "missed": told.missed,
        }
    )


def _point(rows: float, at: Interval) -> Point:
    from tasks.appraise import Point

    return Point(rows=round(rows), score=at.value, low=at.low, high=at.high)


def _floor(training: Training, folds: Sequence[Fold], costs: np.ndarray) -> float:
    """The score of who knows only how frequent the classes are, or the mean."""
    truth = np.concatenate([fold.truth for fold in folds])
    if training.task == "regression":
        constant = np.full(len(truth), truth.mean())
    else:
        shares = np.bincount(truth, minlength=len(training.classes)) / len(truth)
        constant = np.tile(shares, (len(truth), 1))
    return measure(training.metric, truth, constant, None, costs)


def _answer(told: Ahead | Doubt, matters: float) -> Answer:
    """`matters`: what is worth having, in the metric's unit."""
    if isinstance(told, Doubt):
        return "enough" if told.flat and told.most < matters else "unknown"
    if told.gain.high < matters:
        return "enough"
    return "more" if told.gain.value >= matters and told.gain.low > 0 else "unsure"
