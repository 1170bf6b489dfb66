"""Whether one way of fitting is better than another over the same folds, beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.metrics import TAIL, Interval

LEAST = 3
"""Fewer folds than that have no spread to speak of."""


def beyond(
    gains: Sequence[float], fits: Sequence[int], tests: Sequence[int], ways: int
) -> Interval:
    """The mean gain over the folds with its 95 % interval, right for all `ways` that are compared.

    The folds' fit sides overlap, so that their scores vary together and their spread alone says too
    little: its square is taken times 1/folds + test/fit (Nadeau and Bengio, Inference for the
    generalization error, 2003). It holds what the rows that judge, the rows that were fitted and
    the seed of a fit make of it. With several ways the best one is best by luck too, so that each
    gets its part of the 5 % (Bonferroni). NaN where there are fewer than 3 folds.
    """
    from scipy.stats import t

    known = np.array([gain for gain in gains if np.isfinite(gain)])
    mean = float(known.mean()) if known.size else float("nan")
    if known.size < LEAST:
        return Interval(mean, float("nan"), float("nan"))
    share = 1 / known.size + float(np.mean(tests)) / float(np.mean(fits))
    wide = float(t.ppf(1 - TAIL / ways, known.size - 1) * known.std(ddof=1) * np.sqrt(share))
    return Interval(mean, mean - wide, mean + wide)
