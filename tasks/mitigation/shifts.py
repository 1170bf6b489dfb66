"""How far each cell's chance has to move the probability: the cheapest answers within the limits.

Descent on the differences themselves (each rate of a group that is too high pulls its shift down),
from several offsets, then a search around the best; everything is kept a standard error within the
limit, as rates of another fold's rows would have it: the holdout is no larger, and has to keep it too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.stats import norm

from tasks.mitigation.base import Told
from tasks.mitigation.estimators import moved

OFFSETS = (0.0, -0.03, -0.06, 0.03, -0.1, 0.06)
STEPS = 150
RATE = 0.12
AROUND = 400
LEAST = 0.05
"""What is left of a limit at least, however few rows there are: where luck alone is more than the
limit, groups that are made alike are the likeliest to keep it on other rows."""
ERRORS = 1.0
"""Standard errors that are kept within a limit between two groups."""


def cells(codes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Group by answer: 2 code + truth."""
    return np.asarray(2 * codes + truth)


@dataclass(frozen=True)
class Rate:
    """One rate of one group: the mean answer over its rows of one truth, or over all of them."""

    rows: np.ndarray
    """Weights of mean: 1 / count for the rows that it is taken over, 0 elsewhere."""
    places: tuple[int, ...]
    """The shifts that move it, as positions of the settings."""
    count: int


@dataclass(frozen=True)
class Contrast:
    """Rates that must not differ by more than the limit."""

    rates: tuple[Rate, ...]
    limit: float


@dataclass
class Search:
    """The rows, and the best settings so far."""

    told: Told
    contrasts: tuple[Contrast, ...]
    scale: np.ndarray
    """1 / share of each cell: rare cells are moved further."""
    best: np.ndarray = field(default_factory=lambda: np.zeros(0))
    rank: tuple[float, float] = (np.inf, np.inf)

    def look(self, settings: np.ndarray) -> list[np.ndarray]:
        """The rates of each contrast; the settings are kept if they are the best so far."""
        shifts = settings[1:] * self.scale
        positive = moved(self.told.signals, shifts, settings[0]) >= self.told.aim.threshold
        rates = [self._rates(contrast, positive) for contrast in self.contrasts]
        beyond = max(
            (float(np.ptp(found)) - self.allowed(contrast, found)) / contrast.limit
            for contrast, found in zip(self.contrasts, rates, strict=True)
        )
        rank = (max(0.0, beyond), self._cost(positive))
        if rank < self.rank:
            self.best, self.rank = settings.copy(), rank
        return rates

    def _rates(self, contrast: Contrast, positive: np.ndarray) -> np.ndarray:
        return np.array([float(rate.rows @ positive) for rate in contrast.rates])

    def _cost(self, positive: np.ndarray) -> float:
        return float(self.told.aim.prices[self.told.truth, positive.astype(np.int64)].mean())

    def allowed(self, contrast: Contrast, found: np.ndarray) -> float:
        """The limit less what luck alone may put between the outermost groups: the standard error of
        their difference on a fold's rows, by shifts read off these rows, and the more the more groups
        there are (expected range of as many normal deviates against that of two; Tippett, 1925)."""
        ends = int(np.argmax(found)), int(np.argmin(found))
        error = np.sqrt(sum(found[at] * (1 - found[at]) / contrast.rates[at].count for at in ends))
        error *= np.sqrt(1 + self.told.aim.folds) * _range(len(found)) / _range(2)
        return float(max(contrast.limit - ERRORS * error, LEAST * contrast.limit))

    def pull(self, settings: np.ndarray, rates: list[np.ndarray], rate: float) -> np.ndarray:
        """Settings that bring the outermost groups nearer to the middle."""
        changed = settings.copy()
        for contrast, found in zip(self.contrasts, rates, strict=True):
            middle, half = (found.max() + found.min()) / 2, self.allowed(contrast, found) / 2
            for one, value in zip(contrast.rates, found, strict=True):
                off = np.sign(value - middle) * max(0.0, abs(value - middle) - 0.9 * half)
                changed[list(one.places)] -= rate * off
        return changed


@cache
def _range(count: int) -> float:
    """How far the largest and the smallest of so many normal deviates lie apart on average."""
    at = np.linspace(-8.0, 8.0, 1601)
    below = norm.cdf(at)
    return float(np.trapezoid(1 - below**count - (1 - below) ** count, at))


def search(told: Told) -> tuple[float, ...]:
    """Offset, then a shift for each cell of each column: what `Thresholds` is settled with.

    Ends at `told.until` with the best settings so far.
    """
    found = Search(told, tuple(_contrasts(told)), _scale(told))
    if not found.contrasts:
        return (0.0,) * (1 + len(found.scale))
    for _ in _looks(found):
        if time.monotonic() > told.until:
            break
    return tuple(float(one) for one in (found.best[0], *(found.best[1:] * found.scale)))


def _looks(found: Search) -> Iterator[None]:
    """The descents, then the search around the best; halts after each look."""
    for offset in OFFSETS:
        settings = np.concatenate([[offset], np.zeros(len(found.scale))])
        for step in range(STEPS):
            rates = found.look(settings)
            yield
            settings = found.pull(settings, rates, RATE / np.sqrt(1 + step / 10))
    random = np.random.default_rng(found.told.aim.seed)
    for step in range(AROUND):
        width = 0.3 * 0.99**step
        spread = np.concatenate([[0.05], np.maximum(np.abs(found.best[1:]), 2e-3)])
        spread *= width * random.integers(0, 2, len(spread))
        found.look(found.best + spread * random.normal(size=len(spread)))
        yield


def _scale(told: Told) -> np.ndarray:
    parts = []
    for one in told.groups:
        counts = np.bincount(cells(one.codes, told.truth), minlength=2 * len(one.values))
        parts.append(np.where(counts > 0, len(told.truth) / np.maximum(counts, 1), 0.0))
    return np.concatenate(parts)


def _contrasts(told: Told) -> Iterator[Contrast]:
    """What the measure compares, for each column: groups with enough rows for every rate."""
    aim, first = told.aim, 1
    given = {"demographic_parity": (None,), "equal_opportunity": (1,)}.get(aim.metric, (0, 1))
    for one, (_, limit) in zip(told.groups, aim.limits, strict=True):
        width = len(one.values)
        counts = np.array(
            [
                [_rows(one.codes == at, told.truth, truth).sum() for truth in given]
                for at in range(width)
            ]
        )
        judged = np.flatnonzero(counts.min(axis=1) >= aim.support)
        if len(judged) > 1:
            for truth in given:
                yield Contrast(
                    tuple(
                        _rate(told, one.codes == at, truth, first + 2 * int(at)) for at in judged
                    ),
                    limit,
                )
        first += 2 * width


def _rate(told: Told, member: np.ndarray, truth: int | None, place: int) -> Rate:
    rows = _rows(member, told.truth, truth)
    places = (place, place + 1) if truth is None else (place + truth,)
    count = int(rows.sum())
    return Rate(rows / count, places, count)


def _rows(member: np.ndarray, truth: np.ndarray, given: int | None) -> np.ndarray:
    return member if given is None else np.asarray(member & (truth == given))
