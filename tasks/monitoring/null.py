"""How far a window without drift is from the reference, for its size and its days.

Windows are drawn from the reference itself: days in runs (Künsch, The Jackknife and the Bootstrap
for General Stationary Observations, 1989), then rows of these days. What is drawn twice is a
window and a new reference, since both are samples. The noise of a day's rows is taken off its
shares first, so that a window with more rows a day than the reference is not given that of small
days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.monitoring.divergence import divergence

DRAWS = 4_000
RUN = 14
"""Longest run of days that are drawn together; an eighth of the reference at most."""
CERTAIN = 10
"""Draws beyond the window that are enough to read its p-value from the draws alone."""
CLUSTERED = 0.02
"""Part of the divergence that days have to explain, so that they count at all."""
QUANTILES = (np.arange(50) + 0.5) / 50
"""A distribution as so many equally likely values."""


@dataclass(frozen=True)
class Comparison:
    """A window against the reference, for one column."""

    distance: float
    """Jensen-Shannon distance as it is."""
    effect: float
    """The distance beyond what windows without drift have: does not depend on their size."""
    p: float
    """How often a window without drift is at least as far away."""
    usual: float
    """95 of 100 windows without drift are nearer than this distance."""


class Null:
    """Windows without drift: which days of the reference they draw, the same for all columns."""

    def __init__(
        self, sizes: np.ndarray, window: np.ndarray, *, seed: int = 0, draws: int = DRAWS
    ) -> None:
        """Rows of each block of the reference, and rows of each day of the window.

        One block: the rows of the reference do not cluster.
        """
        self._random = np.random.default_rng(seed)
        self._draws = draws
        longest = int(np.clip(len(sizes) // 8, 1, RUN))
        self._run = min(len(window), longest)
        """Days of a window that are drawn together."""
        self._own = self._drawn(len(sizes), np.asarray(window, dtype=np.float64), self._run)
        self._again = self._drawn(len(sizes), np.ones(len(sizes)), longest) * sizes

    def compare(self, reference: np.ndarray, window: np.ndarray) -> Comparison:
        """Counts of the reference, shape (blocks, cells), and of the window, shape (cells,)."""
        whole, rows = reference.sum(axis=0), int(window.sum())
        found = float(divergence(whole, window))
        days = freed(reference, self._run)
        drawn = divergence(
            self._counts(self._again, days.shares, int(whole.sum())),
            self._counts(self._own, days.shares, rows),
        )
        mean = float(drawn.mean())
        cells = max(1, int(np.count_nonzero(whole)) - 1)
        noise = cells * (1 / rows + 1 / whole.sum()) / (8 * np.log(2))
        return Comparison(
            distance=found**0.5,
            effect=max(0.0, found - mean) ** 0.5,
            p=_p(found, drawn, days.independent, noise, cells) if mean else _never(whole, window),
            usual=float(np.quantile(drawn, 0.95)) ** 0.5,
        )

    def _drawn(self, count: int, weights: np.ndarray, run: int) -> np.ndarray:
        """Share of each block in each drawn window, shape (draws, blocks)."""
        starts = self._random.integers(count, size=(self._draws, -(-len(weights) // run), 1))
        days = ((starts + np.arange(run)) % count).reshape(self._draws, -1)
        days = days[:, : len(weights)] + count * np.arange(self._draws)[:, None]
        given = np.broadcast_to(weights / weights.sum(), days.shape)
        mixed = np.bincount(days.ravel(), given.ravel(), minlength=count * self._draws)
        return np.asarray(mixed.reshape(self._draws, count))

    def _counts(self, mixture: np.ndarray, shares: np.ndarray, rows: int) -> np.ndarray:
        mixed = mixture @ shares
        mixed /= mixed.sum(axis=1, keepdims=True)
        return self._random.multinomial(rows, mixed)


@dataclass(frozen=True)
class Days:
    """The blocks without the sampling noise of their rows."""

    shares: np.ndarray
    """Shape (blocks, cells)."""
    between: float
    """Variance between blocks, in units in which a row's own is one per cell; 0: rows do not
    cluster."""
    independent: float
    """As many independent runs of days are the blocks worth."""


def freed(reference: np.ndarray, run: int) -> Days:
    """Take off what rows explain: only the directions in which days differ by more are kept.

    Eigenvalues of the covariance between blocks are lowered to its unbiased sum. A mean over few
    or similar days varies less around itself than around the truth, which is put right.
    """
    sizes = reference.sum(axis=1)
    rows, blocks = sizes.sum(), int((sizes > 0).sum())
    whole = reference.sum(axis=0) / rows
    present = whole > 0
    root = np.sqrt(whole[present])
    apart = (reference / np.maximum(sizes, 1)[:, None] - whole)[:, present] / root
    apart *= (sizes > 0)[:, None]
    values, ways = np.linalg.eigh(apart.T @ (apart * sizes[:, None]) / rows)
    between = float(values.sum()) - (blocks - 1) * (len(root) - 1) / rows
    if blocks < 2 or between <= 0:
        return Days(np.broadcast_to(whole, reference.shape), 0.0, np.inf)
    span = run - 1 + _memory(apart @ ways[:, -1])
    scale = np.sqrt(blocks / max(1.0, blocks - span)) * _kept(values, between)
    small = np.sqrt((between + 1 / sizes.mean()) / (between + 1 / np.maximum(sizes, 1)))
    shares = np.tile(whole, (len(sizes), 1))
    shares[:, present] += np.minimum(1.0, small)[:, None] * (apart @ ways * scale) @ ways.T * root
    return Days(np.maximum(shares, 0.0), between, blocks / span)


def _memory(scores: np.ndarray) -> float:
    """For how many days one day speaks: from the correlation of neighbours, bias put right."""
    near = scores - scores.mean()
    correlation = float((near[1:] * near[:-1]).sum() / (near**2).sum())
    correlation = min(0.95, max(0.0, correlation + (1 + 3 * correlation) / len(scores)))
    return (1 + correlation) / (1 - correlation)


def _kept(values: np.ndarray, wanted: float) -> np.ndarray:
    """Factors that bring the eigenvalues down by the same amount, to the wanted sum."""
    ordered = np.sort(np.maximum(values, 0.0))[::-1]
    levels = (np.cumsum(ordered) - wanted) / np.arange(1, len(ordered) + 1)
    level = max(0.0, float(levels[np.flatnonzero(ordered > levels)[-1]]))
    safe = np.where(values > 0, values, 1.0)
    return np.sqrt(np.maximum(values - level, 0.0) / safe)


def _never(whole: np.ndarray, window: np.ndarray) -> float:
    """How often the rows in cells that the reference has none in are all in the window by chance;
    no day of the reference says how such rows cluster."""
    rows = window.sum()
    return float((rows / (rows + whole.sum())) ** window[whole == 0].sum())


def _p(found: float, drawn: np.ndarray, independent: float, noise: float, cells: int) -> float:
    """How often a window without drift is at least as far away.

    Far out, the draws are too few and days that were never seen are missing among them: there
    distributions with the draws' mean and variance (Satterthwaite, 1946) say it.
    """
    beyond = int((drawn >= found).sum())
    counted = (1 + beyond) / (1 + len(drawn))
    mean, spread = float(drawn.mean()), float(drawn.var())
    if spread == 0:
        return counted
    if not np.isfinite(independent) or mean - noise < CLUSTERED * mean:
        tail = _of_rows(found, mean, spread)
    else:
        tail = _of_days(found, mean - noise, spread, independent, noise, cells)
    return max(counted, tail) if beyond >= CERTAIN else tail


def _of_rows(found: float, mean: float, spread: float) -> float:
    """The sampling of rows alone: a scaled chi-square."""
    from scipy.stats import chi2

    freedom = 2 * mean**2 / spread
    return float(chi2.sf(found / mean * freedom, freedom))


def _of_days(
    found: float, days: float, spread: float, independent: float, noise: float, cells: int
) -> float:
    """What the sampling of rows adds, `noise` on average, is known: a scaled chi-square over the
    cells. What days add is known from so many `independent` runs only: a scaled F."""
    from scipy.stats import chi2
    from scipy.stats import f as fisher

    known = max(1.0, independent - 1)
    left = max(spread - 2 * noise**2 / cells, 0.1 * spread)
    # Squares of few values spread too little (kurtosis of a sample).
    freedom = 2 * days**2 / (left * (1 + 3 / (max(2.0, known) - 1)))
    of_rows = noise / cells * chi2.ppf(QUANTILES, cells)
    beside = np.maximum(found - of_rows, 0.0) / days
    return float(fisher.sf(beside, freedom, max(freedom, 1.0) * known).mean())
