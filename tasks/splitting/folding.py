"""Folds inside the training rows, by the same rule as the holdout."""

from __future__ import annotations

import itertools

import numpy as np

Fold = tuple[np.ndarray, np.ndarray]


def forward(times: np.ndarray, count: int) -> list[Fold]:
    """Fit on all earlier rows, test on the next ones (an expanding window); ties stay together.

    The tests share the later half of the rows, so that the first fit has the other half: parameters
    that suit a tenth of the rows say little about all of them.
    """
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    cuts = [int(len(times) * (0.5 + 0.5 * k / count)) for k in range(count)]
    starts = [int(np.searchsorted(ordered, ordered[cut], side="left")) for cut in cuts]
    if starts[0] == 0:  # more than half of the rows share the first moment
        starts[0] = int(np.searchsorted(ordered, ordered[0], side="right"))
    edges = [*sorted({start for start in starts if 0 < start < len(times)}), len(times)]
    return [(order[:start], order[start:end]) for start, end in itertools.pairwise(edges)]


def stratified(truth: np.ndarray | None, rows: int, count: int, seed: int) -> list[Fold]:
    """Every row tested once, each class spread evenly; the only row of a class is never tested."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(rows)
    if truth is not None:
        shuffled = shuffled[np.argsort(truth[shuffled], kind="stable")]
    fold = np.empty(rows, dtype=np.int64)
    fold[shuffled] = np.arange(rows) % count
    if truth is not None:
        fold[np.bincount(truth)[truth] == 1] = -1
    return _apart(fold, count)


def grouped(codes: np.ndarray, count: int, seed: int) -> list[Fold]:
    """No group on both sides; largest groups first, each to the fold with the fewest rows."""
    sizes = np.bincount(codes)
    tie = np.random.default_rng(seed).permutation(len(sizes))
    filled = np.zeros(min(count, int((sizes > 0).sum())), dtype=np.int64)
    home = np.empty(len(sizes), dtype=np.int64)
    for group in np.lexsort((tie, -sizes)):
        home[group] = int(np.argmin(filled))
        filled[home[group]] += sizes[group]
    return _apart(home[codes], len(filled))


def complete(folds: list[Fold], truth: np.ndarray | None) -> list[Fold]:
    """The folds with rows on both sides and, for classes, every class among those fitted."""
    kept = [fold for fold in folds if len(fold[0]) and len(fold[1])]
    if truth is None:
        return kept
    classes = len(np.unique(truth))
    return [fold for fold in kept if len(np.unique(truth[fold[0]])) == classes]


def _apart(fold: np.ndarray, count: int) -> list[Fold]:
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count)]
