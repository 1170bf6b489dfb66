"""What came out, month by month: the frozen model and the loop on the same rows."""

from __future__ import annotations

from datetime import date

import numpy as np

from charter import Charter, Frozen
from serving.signature import Signature
from tasks.evaluate import Measure
from tasks.metrics import Interval, interval, paired, prices

RESAMPLES = 200


class Month(Frozen):
    """One month of the replay, judged on the rows whose truth is known."""

    month: str
    """As in 2013-04 (UTC)."""
    rows: int
    frozen: Measure
    loop: Measure
    gain: Measure
    """By how much the loop is better, in the metric's unit, on the same rows; the interval draws
    whole days."""
    releases: tuple[int, ...]
    """Which releases answered; 1 is the frozen one."""


class Ledger:
    """Both answers to every row; a month is judged, and its rows let go, once it is over."""

    def __init__(self, charter: Charter, signature: Signature, metric: str) -> None:
        self._metric = metric
        self._task = signature.task
        self._cost = prices(charter.goal.cost, signature.task, signature.classes)
        self._seed = charter.evaluation.seed
        self._month = ""
        self._parts: list[tuple[np.ndarray, ...]] = []
        self._releases: set[int] = set()
        self.months: list[Month] = []

    def add(
        self, day: date, truth: np.ndarray, frozen: np.ndarray, loop: np.ndarray,
        releases: set[int],
    ) -> None:  # fmt: skip
        """Answers to rows of one day; `truth` is NaN where it never became known."""
        month = f"{day:%Y-%m}"
        if month != self._month:
            self.close()
            self._month = month
        known = ~np.isnan(truth)
        days = np.full(int(known.sum()), day.day)
        self._parts.append((truth[known], frozen[known], loop[known], days))
        self._releases |= releases

    def close(self) -> None:
        """Judge the month that is open."""
        if not self._parts:
            return
        truth, frozen, loop, days = map(np.concatenate, zip(*self._parts, strict=True))
        if len(truth):
            self.months.append(self._judged(truth, frozen, loop, days))
        self._parts, self._releases = [], set()

    def _judged(
        self, truth: np.ndarray, frozen: np.ndarray, loop: np.ndarray, days: np.ndarray
    ) -> Month:
        if self._task != "regression":
            truth = truth.astype(np.int64)
        metric, cost = self._metric, self._cost
        blocks = np.unique(days, return_inverse=True)[1]  # what happens on one day hangs together
        more = paired(
            metric, truth, loop, frozen, None, cost, blocks=blocks, seed=self._seed,
            resamples=RESAMPLES,
        )  # fmt: skip
        return Month(
            month=self._month, rows=len(truth), frozen=self._alone(truth, frozen),
            loop=self._alone(truth, loop), gain=self._said(more),
            releases=tuple(sorted(self._releases)),
        )  # fmt: skip

    def _alone(self, truth: np.ndarray, answers: np.ndarray) -> Measure:
        return self._said(
            interval(
                self._metric, truth, answers, None, self._cost, seed=self._seed, resamples=RESAMPLES
            )
        )

    def _said(self, found: Interval) -> Measure:
        return Measure(name=self._metric, value=found.value, low=found.low, high=found.high)
