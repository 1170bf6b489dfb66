"""How the service did: requests, failures, latency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from charter import Frozen
from serving.journal import Minute
from serving.journaling.minutes import EDGES

PERIODS = 56
"""Three hours each in a week, twelve in four."""


class Period(Frozen):
    """Some minutes of the window."""

    begins: float
    """Seconds since 1970."""
    requests: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None


class Health(Frozen):
    """The service over the window; None where nothing was asked."""

    requests: int
    refused: int
    """Answered with 4xx: the client was wrong."""
    failed: int
    """Answered with 5xx: the service was wrong."""
    failing: float
    """Share of requests that failed."""
    surely: float
    """Lower end of its 95 % interval (Wilson, 1927)."""
    p50_ms: float | None
    p99_ms: float | None
    course: tuple[Period, ...]


def health(minutes: Sequence[Minute], since: float, until: float) -> Health:
    """The sums of all processes, and their course in at most `PERIODS` equal parts."""
    requests = sum(minute.requests for minute in minutes)
    failed = sum(minute.failed for minute in minutes)
    latency = _latency(minutes)
    return Health(
        requests=requests,
        refused=sum(minute.refused for minute in minutes),
        failed=failed,
        failing=failed / requests if requests else 0.0,
        surely=wilson(failed, requests),
        p50_ms=quantile(latency, 0.5),
        p99_ms=quantile(latency, 0.99),
        course=tuple(_course(minutes, since, until)),
    )


def wilson(hits: int, rows: int) -> float:
    """Lower end of the 95 % interval of a share."""
    if not rows:
        return 0.0
    share, z = hits / rows, 1.96
    half = z * float(np.sqrt(share * (1 - share) / rows + z * z / (4 * rows**2)))
    return max(0.0, (share + z * z / (2 * rows) - half) / (1 + z * z / rows))


def quantile(counts: np.ndarray, share: float) -> float | None:
    """Milliseconds that this share of the requests kept, evenly spread within a count's ends."""
    total = counts.sum()
    if not total:
        return None
    upto = np.cumsum(counts)
    at = int(np.searchsorted(upto, share * total))
    if at >= len(EDGES):
        return EDGES[-1]
    low, before = (EDGES[at - 1], upto[at - 1]) if at else (0.0, 0)
    return float(low + (EDGES[at] - low) * (share * total - before) / counts[at])


def _latency(minutes: Sequence[Minute]) -> np.ndarray:
    empty = np.zeros(len(EDGES) + 1, dtype=np.int64)
    return sum((np.array(minute.latency) for minute in minutes), empty)


def _course(minutes: Sequence[Minute], since: float, until: float) -> list[Period]:
    width = max(60.0, (until - since) / PERIODS)
    parts: dict[int, list[Minute]] = {}
    for minute in minutes:
        parts.setdefault(int((minute.minute * 60 - since) // width), []).append(minute)
    return [
        Period(
            begins=since + at * width,
            requests=sum(minute.requests for minute in part),
            failed=sum(minute.failed for minute in part),
            p50_ms=quantile(_latency(part), 0.5),
            p99_ms=quantile(_latency(part), 0.99),
        )
        for at, part in sorted(parts.items())
    ]
