"""Which smaller tables the winner is fitted on: as many as there is time for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tasks.appraisal.draws import Fold
from tasks.appraisal.fewer import Fewer, Sizes, try_rows
from tasks.models.base import Family, Value
from tasks.tuning.clock import Clock
from tasks.tuning.sandbox import Failed, Sandbox, Stopped

log = logging.getLogger(__name__)

DOUBLINGS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
BETWEEN = (3 / 8, 3 / 16, 3 / 32)
"""Tried after the doublings, where time is left."""
LEAST = 40
"""Rows of the smallest table worth a fit."""
JUDGED = 20_000
"""Most rows of a fold's test side."""
CLOSING = 1.0
"""Seconds kept for the papers."""


@dataclass
class Course:
    """The winner's answers for the test side of each fold, by the share of its fit side."""

    sandbox: Sandbox[Fewer]
    clock: Clock
    family: Family
    params: Mapping[str, Value]
    sizes: Sizes
    answers: dict[float, list[np.ndarray]] = field(default_factory=dict)
    why: str = ""
    """Why the last fit brought none."""
    base: list[np.ndarray] | None = None
    """What tuning answered for the whole test side of each fold."""
    pace: float | None = None
    """Seconds of the last share, as if it had been all rows."""

    @property
    def left(self) -> float:
        """Seconds that fits may take."""
        return self.clock.left - CLOSING

    def know(self, answers: np.ndarray, *, whole: bool) -> None:
        """What tuning found, fold after fold; `whole`: with all rows of the fit sides."""
        ends = np.cumsum([len(test) for test in self.sizes.tests])[:-1]
        self.base = np.split(answers, ends)
        if whole:
            self.answers[1.0] = [part[:JUDGED] for part in self.base]

    def run(self, shares: tuple[float, ...]) -> None:
        """Fit on each of the shares that are not known yet, in this order, until time is over."""
        for share in shares:
            if share in self.answers or share * min(self.sizes.fits) < LEAST:
                continue
            if not self._affords(share):
                self.why = self.why or "there was no time for more"
                return
            if not self._try(share):
                return

    def _affords(self, share: float) -> bool:
        return self.left > 0 and (self.pace is None or 1.2 * self.pace * share < self.left)

    def _try(self, share: float) -> bool:
        """Whether to go on."""
        began = self.clock.spent
        self.clock.say(f"the winner on {share:.0%} of the rows")
        found: list[np.ndarray] = []
        for fold, fit in enumerate(self.sizes.fits):
            try:
                answer = self.sandbox.call(
                    try_rows, self.family, self.params, fold, round(share * fit), JUDGED,
                    seconds=max(0.0, self.left),
                )  # fmt: skip
            except Stopped as stopped:
                self.why = f"a fit on {share:.1%} of the rows {stopped}"
                log.info(self.why)
                return isinstance(stopped, Failed)  # as neighbours with more of them than rows
            found.append(answer.prediction)
        self.answers[share] = found
        self.pace = (self.clock.spent - began) / share
        return True

    @property
    def shares(self) -> list[float]:
        return sorted(self.answers)

    def rows(self) -> np.ndarray:
        """Mean rows of the fit sides per share, smallest first."""
        return np.array(self.shares) * float(np.mean(self.sizes.fits))

    def folds(self) -> list[Fold]:
        """Truth and answers of each fold, smallest share first."""
        return [self._fold(at, test[:JUDGED]) for at, test in enumerate(self.sizes.tests)]

    def _fold(self, at: int, test: np.ndarray) -> Fold:
        answers = tuple(self.answers[share][at] for share in self.shares)
        spans = self.sizes.spans
        if spans is not None:  # numbered anew, from 0 and without gaps
            spans = np.unique(spans[test], return_inverse=True)[1]
        return Fold(self.sizes.truth[test], answers, spans)
