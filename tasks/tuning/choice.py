"""Which rung is taken (law 6): the best that is allowed, or a simpler one that is as good."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from charter.tuning import FamilyName
from tasks.metrics import Interval, gain, interval, paired
from tasks.tuning.ground import Ground
from tasks.tuning.search import Entry

SMALL = 0.05
"""A tie may cost at most this share of what the best rung gains over knowing nothing, if that is
more than luck."""
TIME_SHARE = 0.02
"""Share of the charter's minutes that the bootstraps may take."""
MOST, LEAST = 500, 100
"""Resamples of a bootstrap."""
PROBE = 10
"""Of them, to see how long one takes."""
ROWS = 20_000
"""Rows that are drawn again; where there are more, so many of them stand for all, and the spread is
scaled to all (the m out of n bootstrap, Bickel, Götze and van Zwet, 1997)."""


@dataclass(frozen=True)
class Contender:
    """A rung that is allowed: its best trial and its out-of-fold predictions."""

    family: FamilyName
    entry: Entry
    answers: np.ndarray

    @property
    def score(self) -> float:
        assert self.entry.score is not None
        return self.entry.score


class Choice:
    """Comparisons of contenders on the same out-of-fold rows; simplest contender first."""

    def __init__(self, ground: Ground, contenders: Sequence[Contender]) -> None:
        self._ground = ground
        self.contenders = tuple(contenders)

    @cached_property
    def best(self) -> Contender:
        """The best score; the simpler one where two are equal."""
        sign = 1.0 if self._ground.greater else -1.0
        return max(self.contenders, key=lambda contender: sign * contender.score)

    @cached_property
    def taken(self) -> Contender:
        """The simplest contender that ties with the best, or the best where the charter prefers that.

        One that the charter wants beaten by more than nothing could only fail that gate.
        """
        able = [one for one in self.contenders if not self._to_beat(one)]
        return next(one for one in (*able, self.best) if one is self.best or self._ties(one))

    @property
    def _prefers_best(self) -> bool:
        return self._ground.charter.tuning.prefer == "best"

    def _to_beat(self, one: Contender) -> bool:
        beat = self._ground.charter.evaluation.beat
        return any(name == one.family and margin > 0 for name, margin in beat.items())

    def ahead(self, one: Contender, other: Contender) -> Interval:
        """By how much `one` is better: of the scores, with the interval of a paired bootstrap."""
        some = self._some
        drawn = paired(
            self._ground.training.metric, self._truth, one.answers[some], other.answers[some],
            None, self._ground.prices, seed=self._ground.seed, resamples=self._resamples,
        )  # fmt: skip
        return self._moved(drawn, gain(self._ground.training.metric, one.score, other.score))

    def interval(self, one: Contender) -> Interval:
        """The score with the interval of a bootstrap of the out-of-fold rows."""
        drawn = interval(
            self._ground.training.metric, self._truth, one.answers[self._some],
            None, self._ground.prices, seed=self._ground.seed, resamples=self._resamples,
        )  # fmt: skip
        return self._moved(drawn, one.score)

    def why(self, one: Contender) -> str:
        """Why this contender was taken or passed over, in words."""
        if one is not self.taken:
            ahead = self.ahead(self.taken, one)
            if ahead.low > 0:
                return f"passed over: {_words(ahead)} worse than {self.taken.family}"
            if self._to_beat(one):
                return (
                    "passed over: evaluation.beat wants it beaten, "
                    f"and {self.taken.family} is {_words(ahead)} ahead"
                )
            if self._prefers_best and one is not self.best:
                return f"passed over: {self.taken.family} is {_words(ahead)} ahead, and tuning.prefer is best"
            return f"passed over: no better than {self.taken.family} ({_words(ahead)})"
        if one is not self.best:
            behind = f"{_words(self.ahead(self.best, one))} behind {self.best.family}"
            if self._to_beat(self.best):
                return f"took: as good as what evaluation.beat wants beaten, {behind}"
            return f"took: simpler and as good, {behind}"
        simpler = self.contenders[: self.contenders.index(one)]
        if not simpler:
            return "took: nothing simpler was allowed, nothing above it is better"
        rival = max(simpler, key=lambda other: gain(self._ground.training.metric, other.score, 0))
        return f"took: {_words(self.ahead(one, rival))} better than {rival.family}"

    def seconds(self) -> float:
        """About how long all comparisons take."""
        count = 2 * len(self.contenders) + 3
        return 1.5 * count * self._resamples * self._each

    def _ties(self, one: Contender) -> bool:
        behind = gain(self._ground.training.metric, self.best.score, one.score)
        return behind <= self._small and self.ahead(self.best, one).low <= 0

    @cached_property
    def _small(self) -> float:
        """How far behind a tie may be: not at all, where the charter prefers the best; as far as it
        likes, where the best gains nothing but luck."""
        metric, floor = self._ground.training.metric, self._ground.floor
        drawn = self.interval(self.best)
        if min(gain(metric, end, floor) for end in (drawn.low, drawn.high)) <= 0:
            return float("inf")
        if self._prefers_best:
            return 0.0
        return max(0.0, SMALL * gain(metric, self.best.score, floor))

    @cached_property
    def _resamples(self) -> int:
        allowed = TIME_SHARE * self._ground.clock.total / (self._each * 16)
        return int(min(MOST, max(LEAST, allowed)))

    @cached_property
    def _each(self) -> float:
        """Seconds of one resample."""
        began = time.perf_counter()
        interval(
            self._ground.training.metric, self._truth, self.contenders[0].answers[self._some],
            None, self._ground.prices, resamples=PROBE,
        )  # fmt: skip
        return max(1e-6, (time.perf_counter() - began) / PROBE)

    @cached_property
    def _some(self) -> np.ndarray:
        """Positions of the rows that are drawn again; of every class as large a share."""
        truth = self._ground.truth
        if len(truth) <= ROWS:
            return np.arange(len(truth))
        rng = np.random.default_rng(self._ground.seed)
        classes = np.unique(truth) if np.issubdtype(truth.dtype, np.integer) else [None]
        sides = [np.flatnonzero(truth == one) if one is not None else np.arange(len(truth)) for one in classes]  # fmt: skip
        share = ROWS / len(truth)
        return np.sort(np.concatenate([rng.permutation(one)[: math.ceil(share * len(one))] for one in sides]))  # fmt: skip

    @cached_property
    def _truth(self) -> np.ndarray:
        return np.asarray(self._ground.truth[self._some])

    def _moved(self, drawn: Interval, value: float) -> Interval:
        """The score is a mean over folds, the bootstrap sees all folds as one: its spread is kept."""
        scale = math.sqrt(len(self._some) / len(self._ground.truth))
        low, high = drawn.low - drawn.value, drawn.high - drawn.value
        return Interval(value, value + scale * low, value + scale * high)


def _words(found: Interval) -> str:
    return f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g})"
