"""When it becomes known how each row went, and what has not been told yet."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count

import numpy as np

Truth = str | float | bool
LEAST = 0.1
MEAN = 0.3
"""Shares of the charter's waiting time: the shortest delay, and the mean of what is added to it."""


class Outcomes:
    """Truths on their way: each is known some time after its row, the same for each seed.

    A tenth of the waiting time at least, and an exponentially distributed time more, so that
    about one in twenty comes later than the charter waits.
    """

    def __init__(self, wait: float, seed: int) -> None:
        self._wait = wait
        self._random = np.random.default_rng(seed)
        self._waiting: list[tuple[float, int, str, Truth]] = []
        self._number = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self, ids: Sequence[str], times: Sequence[float], truths: Sequence[Truth | None]
    ) -> None:
        """Rows that were asked about; one without a truth (a flight that never flew) stays so."""
        delays = self._wait * (LEAST + self._random.exponential(MEAN, len(ids)))
        for id, at, delay, truth in zip(ids, times, delays.tolist(), truths, strict=True):
            if truth is not None:
                heapq.heappush(self._waiting, (at + delay, next(self._number), id, truth))

    def due(
        self, until: datetime | None, most: int
    ) -> Iterator[tuple[datetime, list[tuple[str, Truth]]]]:
        """What is known before `until` (None: all), at most `most` together, oldest first."""
        end = float("inf") if until is None else until.timestamp()
        while self._waiting and self._waiting[0][0] < end:
            told: list[tuple[str, Truth]] = []
            while self._waiting and self._waiting[0][0] < end and len(told) < most:
                known, _, id, truth = heapq.heappop(self._waiting)
                told.append((id, truth))
            yield datetime.fromtimestamp(known, UTC), told
