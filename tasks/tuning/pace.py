"""How long fits take, and how many rows a family can afford in its share of the time."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.models.base import Family
from tasks.tuning.bench import Answer, try_fold
from tasks.tuning.ground import Ground

LARGE = 8_000
"""Folds with fewer rows are tried as they are."""
SMALL_PROBE, LARGE_PROBE = 1_000, 4_000
WANTED = 4
"""So many whole trials should fit into a family's share."""


@dataclass(frozen=True)
class Pace:
    """Seconds of one trial as a straight line in the rows, from two probes."""

    per_trial: float
    per_row: float
    per_answer: float
    """Seconds per tested row, of a model fitted on the larger probe."""
    remembers: bool

    def trial(self, fits: tuple[int, ...], tests: tuple[int, ...], rows: int) -> float:
        """Seconds of a trial whose folds are fitted on at most `rows` rows."""
        total = 0.0
        for fit, test in zip(fits, tests, strict=True):
            used = min(fit, rows)
            grown = used / LARGE_PROBE if self.remembers else 1.0
            total += self.per_trial + self.per_row * used + self.per_answer * test * grown
        return total


def afford(
    ground: Ground, family: Family, share: float, limit: float
) -> tuple[int | None, str, Pace | None]:
    """The rows to fit on (None: all) so that a few trials fit into `share` seconds, why, and the
    pace where the folds are large enough to have been probed.

    Raises `Stopped` when a probe does not end within `limit` seconds.
    """
    fits = ground.survey.fits
    if max(fits) <= LARGE:
        return None, "", None
    tests = tuple(len(test) for test in ground.survey.tests)
    pace = _probe(ground, family, limit)
    whole = pace.trial(fits, tests, max(fits))
    if whole <= share / WANTED:
        return None, "", pace
    rows = max(fits)
    while rows > SMALL_PROBE and pace.trial(fits, tests, rows) > share / WANTED:
        rows = max(SMALL_PROBE, int(rows * 0.8))
    why = f"searched on {rows:,} of {max(fits):,} rows, since a trial on all takes about {whole:.0f} s"
    return rows, why, pace


def _probe(ground: Ground, family: Family, limit: float) -> Pace:
    def run(rows: int) -> Answer:
        params = dict(family.start)
        return ground.sandbox.call(
            try_fold, family, params, len(ground.survey.fits) - 1, rows, SMALL_PROBE, seconds=limit
        )

    run(SMALL_PROBE)  # imports and first calls are not the pace
    small, large = run(SMALL_PROBE), run(LARGE_PROBE)
    per_row = max(0.0, large.fit_seconds - small.fit_seconds) / (LARGE_PROBE - SMALL_PROBE)
    return Pace(
        per_trial=max(0.0, small.fit_seconds - per_row * SMALL_PROBE),
        per_row=per_row,
        per_answer=large.predict_seconds / SMALL_PROBE,
        remembers=family.remembers,
    )
