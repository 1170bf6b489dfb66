"""How much each training row counts: less with age, where the charter gives a half-life."""

from __future__ import annotations

from typing import Any

import numpy as np

from charter import Charter
from charter.runtime import Decay, seconds
from tasks.split import Rows
from tasks.splitting.sides import moments


def weights(charter: Charter, rows: Rows) -> np.ndarray | None:
    """2^(-age / half-life) of each row, float64, shape (rows,); None without `window.half_life`.

    Age is counted from the newest row by `data.time`; a row without a time is as old as the oldest.
    """
    window, name = charter.runtime.window, charter.data.time
    if not isinstance(window, Decay):
        return None
    assert name is not None  # the charter sees to it
    seconds_of = moments(rows.table.column(name), name)
    if np.isnan(seconds_of).all():
        return np.ones(len(seconds_of))
    oldest, newest = np.nanmin(seconds_of), np.nanmax(seconds_of)
    ages = newest - np.where(np.isnan(seconds_of), oldest, seconds_of)
    return np.asarray(np.exp2(-ages / seconds(window.half_life)))


def fit(model: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, seed: int) -> None:
    """Fit the model with weights of mean 1, so that penalties mean what they mean without.

    A model that takes no weights is fitted on as many rows, drawn by weight with replacement.
    """
    from sklearn.utils.validation import has_fit_parameter

    if weight is None:
        model.fit(X, y)
    elif has_fit_parameter(model, "sample_weight"):
        model.fit(X, y, sample_weight=weight / weight.mean())
    else:
        chosen = drawn(y, weight, seed)
        model.fit(X[chosen], y[chosen])


def drawn(y: np.ndarray, weight: np.ndarray, seed: int) -> np.ndarray:
    """Positions drawn by weight, ascending; a class that was not drawn comes with its heaviest row."""
    random = np.random.default_rng(seed)
    chosen = random.choice(len(y), size=len(y), p=weight / weight.sum())
    if np.issubdtype(y.dtype, np.integer):
        lost = np.setdiff1d(y, y[chosen])
        heaviest = [np.argmax(np.where(y == label, weight, -1.0)) for label in lost]
        chosen = np.concatenate([chosen, np.array(heaviest, dtype=chosen.dtype)])
    return np.sort(chosen)
