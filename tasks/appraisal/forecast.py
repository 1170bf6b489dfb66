"""What twice the rows would bring, or why nobody can say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.appraisal import power
from tasks.appraisal.draws import Scores, interval
from tasks.appraisal.spoken import signed
from tasks.metrics import Interval, greater_is_better

TWICE = 2.0
WIDE = 0.5
"""Share of what was gained so far that the interval may be wide."""
STEPS = 33
"""Points of the drawn curve."""


@dataclass(frozen=True)
class Ahead:
    """The curve beyond the measured rows; scores and gains in the metric's unit, gains positive
    where they are for the better."""

    gain: Interval
    """From all rows to twice as many, widened by `missed`."""
    score: Interval
    """With twice as many."""
    missed: float
    """By how much the same forecast, made with half of the rows, missed what all of them gave."""
    course: tuple[tuple[float, Interval], ...]
    """Rows and score along the fitted curve."""


@dataclass(frozen=True)
class Doubt:
    """Why there is no forecast."""

    why: str
    flat: bool = False
    """Whether more rows made no difference that can be told from chance."""
    most: float = 0.0
    """How much they may have brought at most, where it is flat."""


def ahead(metric: str, sizes: np.ndarray, found: Scores, rows: int) -> Ahead | Doubt:
    """Follow the curve from the mean sizes of the folds' fit sides to twice `rows`.

    Nothing is foretold from fewer than 4 sizes, where the score got worse with more rows by more
    than chance, where it did not get better by more than chance, or where the interval is wider
    than half of all that was gained.
    """
    if len(sizes) < power.LEAST:
        return Doubt(
            f"only {len(sizes)} sizes of the table could be tried, and {power.LEAST} are needed"
        )
    sign = 1.0 if greater_is_better(metric) else -1.0
    fallen = _fallen(metric, sizes, found, sign)
    if fallen:
        return Doubt(fallen)
    whole = found.of(sign * _step(len(sizes), 0, len(sizes) - 1))
    if not whole.low > 0:
        return Doubt(
            f"from {sizes[0]:,.0f} to {sizes[-1]:,.0f} rows {metric} changed by "
            f"{_spoken(whole, sign)}, which may be chance", flat=True, most=whole.high,
        )  # fmt: skip
    made = _ahead(metric, sizes / rows, found, rows, sign)
    if made.gain.high - made.gain.low > WIDE * whole.value:
        return Doubt(
            f"what twice the rows would bring is known no better than {_spoken(made.gain, 1.0)}, "
            f"which is wider than half of all that was gained from {sizes[0]:,.0f} rows on"
        )
    return made


def _step(count: int, start: int, end: int) -> np.ndarray:
    way = np.zeros(count)
    way[end] += 1.0
    way[start] -= 1.0
    return way


def _fallen(metric: str, sizes: np.ndarray, found: Scores, sign: float) -> str:
    """Where more rows made it worse, beyond the noise of as many looks as there are steps."""
    count = len(sizes)
    tail = 0.025 / (count - 1)
    for at in range(count - 1):
        way = sign * _step(count, at, at + 1)
        step = interval(float(found.known @ way), found.drawn @ way, tail)
        if step.high < 0:
            return (
                f"{metric} got worse by {-step.value:.2g} from {sizes[at]:,.0f} to "
                f"{sizes[at + 1]:,.0f} rows, which is more than chance: the curve follows no law"
            )
    return ""


def _ahead(metric: str, sizes: np.ndarray, found: Scores, rows: int, sign: float) -> Ahead:
    floor = -1.0 if greater_is_better(metric) else 0.0  # what a perfect model loses
    usable = np.isfinite(found.drawn).all(axis=1)
    losses = -sign * np.vstack([found.known, found.drawn[usable]])
    law = power.fit(sizes, losses, floor)
    missed = _missed(sizes, losses[:1], floor)
    gained = law.at(1.0) - law.at(TWICE)
    spread = interval(gained[0], gained[1:])
    gain = Interval(spread.value, spread.low - missed, spread.high + missed)
    return Ahead(
        gain=gain,
        score=_around(-sign * law.at(1.0)[0], gain, sign),
        missed=missed,
        course=tuple(
            (rows * share, interval(-sign * at[0], -sign * at[1:]))
            for share in np.geomspace(sizes[0], TWICE, STEPS)
            for at in (law.at(share),)
        ),
    )


def _around(now: float, gain: Interval, sign: float) -> Interval:
    ends = sorted((now + sign * gain.low, now + sign * gain.high))
    return Interval(now + sign * gain.value, ends[0], ends[1])


def _missed(sizes: np.ndarray, losses: np.ndarray, floor: float) -> float:
    """The same forecast one doubling earlier, where the outcome is known; 0 where there are too
    few sizes for it."""
    earlier = sizes <= sizes[-1] / TWICE * 1.01
    if earlier.sum() < power.LEAST:
        return 0.0
    told = power.fit(sizes[earlier], losses[:, earlier], floor).at(sizes[-1])
    return float(abs(told[0] - losses[0, -1]))


def _spoken(found: Interval, sign: float) -> str:
    low, high = sorted((sign * found.low, sign * found.high))
    return f"{signed(sign * found.value)} ({signed(low)} to {signed(high)})"
