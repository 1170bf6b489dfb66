"""Which numbers are possible in a column, read off those that were seen.

The ranges are for what cannot be: a sentinel such as 9999, another unit, a lost sign. What is only
unusual, a colder winter or a busier month, must not cost a row; finding that is not validation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

Range = tuple[float, float]

SLACK = 3.0
"""How many times the seen span lies beyond what was seen, on either side."""
LONG_TAIL = 9.0
"""The same for the side of a long tail, where a new extreme is ordinary."""
LONELY = 10.0
"""An extreme this many times the next one is a mistake, unless it is frequent."""
RARE = 0.001

# Columns with a nature of their own: what is seen in one season says nothing about the next.
NATURAL: dict[str, Range] = {
    "year": (1900, 2100), "quarter": (1, 4), "month": (1, 12), "week": (0, 53), "day": (0, 31),
    "hour": (0, 24), "minute": (0, 60), "second": (0, 60), "weekday": (0, 7), "dayofweek": (0, 7),
    "day_of_week": (0, 7), "dayofyear": (0, 366), "day_of_year": (0, 366),
    "lat": (-90, 90), "latitude": (-90, 90), "lon": (-180, 180), "longitude": (-180, 180),
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """The numbers of one column."""

    name: str
    whole: bool
    rows: int
    distinct: int
    low: float
    median: float
    high: float
    zeros: int
    lowest: tuple[tuple[float, int], ...] = ()
    """The smallest values and how many rows have each, smallest first."""
    highest: tuple[tuple[float, int], ...] = ()
    """The largest, largest first."""


def possible(seen: Seen) -> Range | None:
    """The smallest and largest number that can be, or None where nothing can be said."""
    natural = NATURAL.get(seen.name.lower())
    if natural and natural[0] <= seen.low and seen.high <= natural[1]:
        return float(natural[0]), float(natural[1])
    low = -_believed([(-value, rows) for value, rows in seen.lowest], seen.rows, -seen.low)
    high = _believed(list(seen.highest), seen.rows, seen.high)
    counter = seen.whole and seen.distinct > 0.9 * seen.rows
    if low >= high or counter:
        return None
    span = high - low
    below = low - span * _slack(seen.median - low, high - seen.median)
    above = high + span * _slack(high - seen.median, seen.median - low)
    floor = 0.0 if _starts_at_zero(seen, low, high) else below
    step = 10.0 ** (math.floor(math.log10(span)) - 1)
    if seen.whole:
        step = max(step, 1.0)
    return _clean(math.floor(floor / step) * step), _clean(math.ceil(above / step) * step)


def _slack(this_side: float, other_side: float) -> float:
    return LONG_TAIL if this_side > 3 * other_side else SLACK


def _starts_at_zero(seen: Seen, low: float, high: float) -> bool:
    """Counts and codes do; a measure does where it has zeros, or is lopsided and comes near zero."""
    if low < 0:
        return False
    near = low <= 0.1 * (high - low)
    sides = (high - seen.median, seen.median - low)
    lopsided = max(sides) > 3 * min(sides)
    return seen.whole or seen.zeros >= RARE * seen.rows or (near and lopsided)


def _believed(extremes: list[tuple[float, int]], rows: int, otherwise: float) -> float:
    """The largest value that does not stand alone, ten times beyond all others."""
    for (value, count), (following, _) in pairwise(extremes):
        if not (value > LONELY * following > 0 and count < RARE * rows):
            return value
    return otherwise


def _clean(number: float) -> float:
    """Without the digits that binary fractions add."""
    return float(f"{number:.12g}")
