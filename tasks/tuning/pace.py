"""How long fits take, and how many rows a family can afford in its share of the time."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.models.base import Family
from tasks.tuning.bench import Answer, try_fold
from tasks.tuning.crew import asked
from tasks.tuning.ground import Ground

LARGE = 8_000
"""Folds with fewer rows are tried as they are."""
PROBE = 1_000
"""Rows of the first probe, and rows that each probe answers; each one has 4 times the rows …"""
GROWTH = 4
PROBE_SHARE = 0.2
"""… of the one before, as long as it takes at most this share of the family's time."""
WHOLE_SHARE = 0.8
"""A trial should take at most this share: rather all rows and few trials than the other way."""


@dataclass(frozen=True)
class Pace:
    """What the largest probe took; more rows take more in proportion."""

    rows: int
    fit_seconds: float
    answer_seconds: float
    """Per answered row."""
    remembers: bool

    def fit(self, rows: int) -> float:
        """Seconds of a fit on so many rows."""
        return self.fit_seconds * rows / self.rows

    def trial(self, fits: tuple[int, ...], tests: tuple[int, ...], rows: int) -> float:
        """Seconds of a trial whose folds are fitted on at most `rows` rows."""
        total = 0.0
        for fit, test in zip(fits, tests, strict=True):
            used = min(fit, rows)
            grown = used / self.rows if self.remembers else 1.0
            total += self.fit(used) + self.answer_seconds * test * grown
        return total


@dataclass(frozen=True)
class Sample:
    """The rows that a family's folds are fitted on (None: all of them), and why."""

    rows: int | None = None
    why: str = ""
    pace: Pace | None = None


def afford(ground: Ground, family: Family, share: float, limit: float) -> Sample:
    """As many rows as a trial can have in `share` seconds.

    Raises `Stopped` when a probe does not end within `limit` seconds.
    """
    fits = ground.survey.fits
    if max(fits) <= LARGE:
        return Sample()
    tests = tuple(len(test) for test in ground.survey.tests)
    pace = _probe(ground, family, share, limit)
    whole = pace.trial(fits, tests, max(fits))
    if whole <= WHOLE_SHARE * share:
        return Sample(pace=pace)
    rows = max(fits)
    while rows > PROBE and pace.trial(fits, tests, rows) > WHOLE_SHARE * share:
        rows = max(PROBE, int(rows * 0.9))
    why = f"searched on {rows:,} of {max(fits):,} rows, since a trial on all takes about {whole:.0f} s"
    return Sample(rows, why, pace)


def _probe(ground: Ground, family: Family, share: float, limit: float) -> Pace:
    def run(rows: int) -> Answer:
        params, last = dict(family.start), len(ground.survey.fits) - 1
        answer: Answer = asked(
            ground.crew, try_fold, family, params, last, rows, PROBE, seconds=limit
        )
        return answer

    run(PROBE)  # a first call is not the pace
    rows, answer = PROBE, run(PROBE)
    most = max(ground.survey.fits)
    while rows * GROWTH < most and answer.seconds * GROWTH <= PROBE_SHARE * share:
        rows *= GROWTH
        answer = run(rows)
    return Pace(rows, answer.fit_seconds, answer.predict_seconds / PROBE, family.remembers)
