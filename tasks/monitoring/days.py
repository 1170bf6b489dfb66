"""Which rows belong together: rows of a day share their weather, so a day counts as one draw."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

DAY = 86_400.0
MOST = 400
"""Days that a reference holds: the newest ones, a year and a bit of the season."""
FEW = 30
"""Rows of a block; a day with fewer is counted with the next one."""


def blocks(seconds: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The block of each row (-1: without a time, or older than the newest days) and the first
    day of each block."""
    day = np.floor(seconds / DAY)
    known = ~np.isnan(day)
    if not known.any():
        return np.full(len(day), -1), ()
    days, counts = np.unique(day[known], return_counts=True)
    days, counts = days[-MOST:], counts[-MOST:]
    block = _filled(counts)
    firsts = days[np.searchsorted(block, np.arange(block[-1] + 1))]
    at = np.searchsorted(days, np.nan_to_num(day, nan=-np.inf))
    inside = known & (at < len(days)) & (day >= days[0])
    return np.where(inside, block[np.minimum(at, len(days) - 1)], -1), tuple(map(named, firsts))


def _filled(counts: np.ndarray) -> np.ndarray:
    """The block of each day: neighbours together until they have enough rows."""
    block, current, rows = np.empty(len(counts), dtype=np.int64), 0, 0
    for at, count in enumerate(counts):
        block[at] = current
        rows += int(count)
        if rows >= FEW:
            current, rows = current + 1, 0
    if rows and current:  # what is left at the end goes with the block before
        block[block == current] = current - 1
    return block


def named(day: float) -> str:
    return datetime.fromtimestamp(float(day) * DAY, UTC).date().isoformat()
