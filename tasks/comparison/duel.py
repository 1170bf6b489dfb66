"""Two models on the same rows: the value of each, and the gain of one over the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from charter import Charter
from tasks import metrics
from tasks.comparison.answers import Said
from tasks.comparison.unseen import Unseen
from tasks.evaluate import Measure
from tasks.split import Training

RESAMPLES = 1_000


@dataclass(frozen=True)
class Duel:
    """The challenger (`ours`) and the champion (`theirs`)."""

    rows: Unseen
    ours: Said
    theirs: Said
    prices: np.ndarray
    seed: int
    luck: float
    """The share that the interval of a gain leaves out at each end."""

    @classmethod
    def under(
        cls, charter: Charter, training: Training, rows: Unseen, ours: Said, theirs: Said
    ) -> Duel:
        """With the charter's costs, seed and rate of promotions by luck."""
        prices = metrics.prices(charter.goal.cost, training.task, training.classes)
        luck = charter.runtime.false_promotion_rate
        return cls(rows, ours, theirs, prices, charter.evaluation.seed, luck)

    def gain(self, metric: str) -> Measure:
        """By how much the challenger is better, paired bootstrap of days, hours or rows."""
        found = metrics.paired(
            metric, self.rows.truth, self.ours.prediction, self.theirs.prediction,
            self.ours.decision, self.prices, their_decision=self.theirs.decision,
            blocks=self.rows.blocks, seed=self.seed, resamples=RESAMPLES,
            tail=self.luck,
        )  # fmt: skip
        return Measure(name=metric, value=found.value, low=found.low, high=found.high)

    def both(self, metric: str) -> tuple[float, float]:
        """The metric of the champion and of the challenger."""
        theirs, ours = (
            metrics.measure(metric, self.rows.truth, said.prediction, said.decision, self.prices)
            for said in (self.theirs, self.ours)
        )
        return theirs, ours

    def words(self, gain: Measure) -> str:
        """What the gain says, in one sentence."""
        on = f"on {self.rows.count:,} rows {self.rows.rule}"
        if not np.isfinite([gain.value, gain.low, gain.high]).all():
            return f"{gain.name} has no value {on}: they cannot say which is better"
        by = f"{gain.value:.4g} ({gain.low:.4g} to {gain.high:.4g})"
        if gain.low > 0:
            return f"{gain.name} is better by {by} {on}"
        if gain.value <= 0:
            return f"{gain.name} is not better, by {by} {on}"
        return f"{gain.name} is better by {by} {on}, which may be luck: the interval reaches 0"
