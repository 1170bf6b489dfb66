"""From a few measured loads to any load: how busy a service is, and how much one of it takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from charter import Frozen

ROOM = 0.85
"""The part of what saturates a service that it may be planned for: beyond it a queue has no end."""


class Point(Frozen):
    """One load as it was measured."""

    rate: float
    """Answers a second."""
    p50_ms: float | None = None
    p99_ms: float | None = None
    cores: float
    """Seconds of a core that the service used in each second."""


def busy(points: Sequence[Point], rate: float) -> float:
    """Cores that one service uses at this rate, on straight lines between what was measured; beyond
    that with the cost of the last request."""
    known = sorted(points, key=lambda point: point.rate)
    rates, cores = np.array([[point.rate, point.cores] for point in known]).T
    if rate > rates[-1]:
        return float(cores[-1] * rate / rates[-1])
    return float(np.interp(rate, rates, cores))


def most(points: Sequence[Point], saturated: float, limit: float) -> float:
    """The rate at which one service still keeps `limit` (p99, milliseconds).

    `ROOM` of what saturates it at most; where a measured load is too slow, less: on a straight line
    between that and the one before. 0 where even the smallest load is too slow.
    """
    before: Point | None = None
    for point in sorted(points, key=lambda point: point.rate):
        if point.p99_ms is None:
            continue
        if point.p99_ms > limit:
            if before is None or before.p99_ms is None:
                return 0.0
            share = (limit - before.p99_ms) / (point.p99_ms - before.p99_ms)
            return min(before.rate + share * (point.rate - before.rate), ROOM * saturated)
        before = point
    return ROOM * saturated
