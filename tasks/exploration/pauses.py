"""Stretches of time without rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.exploration.columns import Content
from tasks.exploration.store import Store

LONGER = 3.0
"""Times as long as what is usual for this table."""
USUAL = 0.99
SPARED = 3
"""Longest waits that never count as usual, however few rows there are."""
LEAST = 1 / 1_000
"""Of the whole span: shorter pauses are no news."""


@dataclass(frozen=True)
class Pause:
    """From the last row before to the first one after; seconds since 1970."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Pauses:
    """All long pauses of a table."""

    usual: float
    """Seconds: 99 of 100 rows with a new time come within them after the one before."""
    longest: tuple[Pause, ...]
    """Longest first."""


def pauses(store: Store, time: Content) -> Pauses | None:
    """The pauses of at least three times the usual length; None for fewer than ten moments.

    Nights and weekends are usual where they come back, so only what breaks the rhythm is told.
    """
    with store.everything([time.field]) as rows:
        query = f"SELECT {time.field.at} AS x FROM {rows} WHERE {time.field.at} IS NOT NULL"
        parts = [batch["x"].to_numpy(zero_copy_only=False) for batch in store.batches(query)]
    moments = np.unique(np.concatenate(parts)) if parts else np.empty(0)
    if len(moments) < 10:
        return None
    waits = np.diff(moments)
    usual = float(np.quantile(waits, min(USUAL, 1 - SPARED / len(waits))))
    least = max(LONGER * usual, LEAST * float(moments[-1] - moments[0]))
    long = np.flatnonzero(waits >= least)
    found = [Pause(float(moments[at]), float(moments[at + 1])) for at in long]
    return Pauses(usual, tuple(sorted(found, key=lambda pause: -pause.seconds)))
