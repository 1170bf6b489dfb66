"""How good the answers were, where the truth is known, and how good they seem where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from charter import Frozen
from serving.signature import Decision
from tasks import metrics
from tasks.monitoring.days import DAY, named
from tasks.monitoring.estimate import estimated
from tasks.monitoring.reference import Reference
from tasks.monitoring.window import Answered

LEAST = 100
"""Rows that a metric needs; fewer say too little."""
CLUSTERS = 5
"""Days from which on the interval is over days instead of rows."""
POINTS = 40


class Point(Frozen):
    """The metric in some days of the window."""

    first: str
    rows: int
    value: float
    low: float
    high: float


class Performance(Frozen):
    """The metric with its 95 % interval, beside what the scorecard promised."""

    kind: Literal["measured", "estimated"]
    metric: str
    rows: int
    value: float
    low: float
    high: float
    promised: float
    """The metric on the holdout."""
    fall: float
    """By how much it is worse than promised, in the metric's unit; negative: better."""
    certain: bool
    """Whether the whole interval is worse than promised."""
    course: tuple[Point, ...] = ()
    """Day by day, or more days together where they have few rows."""


@dataclass(frozen=True)
class Ruler:
    """What performance is measured with."""

    metric: str
    promised: float
    decision: Decision
    prices: np.ndarray

    def of(
        self, answers: np.ndarray, truth: np.ndarray, seconds: np.ndarray, resamples: int = 300
    ) -> metrics.Interval:
        truth = truth.astype(np.int64) if answers.ndim == 2 else truth
        return metrics.interval(
            self.metric, truth, answers, self.decision, self.prices,
            blocks=clusters(seconds), resamples=resamples,
        )  # fmt: skip

    def performance(
        self, kind: Literal["measured", "estimated"], rows: int, found: metrics.Interval,
        course: tuple[Point, ...] = (),
    ) -> Performance:  # fmt: skip
        best = found.high if metrics.greater_is_better(self.metric) else found.low
        return Performance(
            kind=kind, metric=self.metric, rows=rows,
            value=found.value, low=found.low, high=found.high, promised=self.promised,
            fall=-metrics.gain(self.metric, found.value, self.promised),
            certain=metrics.gain(self.metric, best, self.promised) < 0, course=course,
        )  # fmt: skip


def measured(ruler: Ruler, kept: Answered) -> Performance | None:
    """The metric where the truth is known; None where that is too little."""
    known = kept.only(~np.isnan(kept.truth))
    if len(known.truth) < LEAST:
        return None
    found = ruler.of(known.answers, known.truth, known.seconds)
    if not np.isfinite([found.value, found.low, found.high]).all():
        return None
    course = tuple(_course(ruler, known))
    return ruler.performance("measured", len(known.truth), found, course)


def expected(ruler: Ruler, kept: Answered, reference: Reference) -> Performance | None:
    """The metric that the answers of the window lead one to expect, without any truth.

    What the same estimate was off by on rows whose truth was known is taken off.
    """
    recent = kept.only(kept.recent)
    if len(recent.answers) < LEAST or reference.expected is None:
        return None
    found = estimated(
        ruler.metric, recent.answers, reference.curves, ruler.decision, ruler.prices,
        clusters(recent.seconds),
    )  # fmt: skip
    if found is None or not np.isfinite([found.value, found.low, found.high]).all():
        return None
    off = reference.measured - reference.expected
    moved = metrics.Interval(found.value + off, found.low + off, found.high + off)
    return ruler.performance("estimated", len(recent.answers), moved)


def clusters(seconds: np.ndarray) -> np.ndarray | None:
    """The number of each row's day; None where there are too few days to draw from."""
    days, numbers = np.unique(np.floor(seconds / DAY), return_inverse=True)
    return numbers if len(days) >= CLUSTERS else None


def _course(ruler: Ruler, known: Answered) -> Iterator[Point]:
    """Days in a row with enough rows each."""
    order = np.argsort(known.seconds, kind="stable")
    least = max(LEAST, len(order) // POINTS)
    days = np.floor(known.seconds[order] / DAY)
    starts = [0]
    for at in np.flatnonzero(np.diff(days)) + 1:
        if at - starts[-1] >= least and len(order) - at >= least:
            starts.append(int(at))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = known.only(order[start:end])
        found = ruler.of(rows.answers, rows.truth, rows.seconds, resamples=100)
        if np.isfinite([found.value, found.low, found.high]).all():
            yield Point(
                first=named(days[start]), rows=end - start,
                value=found.value, low=found.low, high=found.high,
            )  # fmt: skip
