"""Stacking: a small model over the out-of-fold answers says how much each trial counts.

Wolpert, Stacked generalization, 1992. For numbers a sum with a level, no weight below zero (Breiman,
Stacked regressions, 1996); for classes the same of log-probabilities, fitted by the likelihood of the
truth. Weights are drawn to those of the plain mean, as if that were where they are to be expected,
give or take WIDTH: many alike trials on few rows come near to their mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.models.stack import Stack
from tasks.models.stacked import logs, pooled, summed
from tasks.tuning.mixture import Mix, Pool

WIDTH = 0.5
"""Standard deviation of the weights around those of the plain mean, before any row is seen."""
LITTLE = 0.05
"""A member that moves the answers by less than this part of what all do is left out."""
STEPS = 100
"""Of the descent at most."""


class Stacking:
    """Weights and levels by least squares or by likelihood."""

    family = Stack()

    def mix(self, pool: Pool) -> Mix | None:
        """Of the best candidates that are allowed together, without those that hardly count."""
        members: list[int] = []
        for at in range(len(pool.each)):
            members += [at] if pool.allowed({*members, at}) else []
        shares, levels = np.zeros(len(pool.each)), np.zeros(1)
        while members:
            if pool.over:
                return None
            each = [pool.each[at] for at in members]
            found, levels = learned(each, pool.truth)
            moves = found * [_spread(one) for one in each]
            counting = moves > LITTLE * moves.sum()
            if counting.all() or not counting.any():
                shares[members] = found
                break
            members = [at for at, counts in zip(members, counting, strict=True) if counts]
        return Mix(shares, levels)

    def answers(self, mix: Mix, each: Sequence[np.ndarray]) -> np.ndarray:
        assert mix.levels is not None
        if each[0].ndim == 1:
            return summed(each, mix.shares, mix.levels)
        return pooled([logs(one) for one in each], mix.shares, mix.levels)


def _spread(answers: np.ndarray) -> float:
    """How far the answers differ from row to row, as they are summed."""
    return float(np.mean(np.std(answers if answers.ndim == 1 else _centred(answers), axis=0)))


def _centred(chances: np.ndarray) -> np.ndarray:
    """Log-probabilities around their mean: the softmax does not see it, the descent does."""
    found = logs(chances)
    return np.asarray(found - found.mean(axis=1, keepdims=True))


def learned(each: Sequence[np.ndarray], truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weights of these answers, shape (members,), and the levels, shape (1,) or (classes,)."""
    if each[0].ndim == 1:
        return _values(np.column_stack(each), truth)
    return _chances(np.stack([_centred(one) for one in each], axis=2), truth)


def _values(each: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares; each: shape (rows, members)."""
    from scipy.optimize import nnls

    usual = 1 / each.shape[1]
    mid, centre = each.mean(axis=0), float(truth.mean())
    spread = float(truth.std()) or 1.0
    left, right = (each - mid) / spread, (truth - centre) / spread
    error = max(1e-6, float(np.std(right - left.mean(axis=1))))
    held = error / WIDTH
    shares, _ = nnls(
        np.vstack([left, held * np.eye(len(mid))]),
        np.concatenate([right, np.full(len(mid), held * usual)]),
    )
    return shares, np.array([centre - float(mid @ shares)])


def _chances(each: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The likelihood; each: centred log-probabilities, shape (rows, classes, members)."""
    from scipy.optimize import minimize

    rows, classes, count = each.shape
    usual = np.concatenate([np.full(count, 1 / count), np.zeros(classes)])
    right = np.eye(classes)[truth]

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        scores = each @ found[:count] + found[count:]
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        total = chances.sum(axis=1, keepdims=True)
        error = chances / total - right
        away = (found - usual) / WIDTH**2
        value = np.log(total).sum() - (scores * right).sum() + away @ (found - usual) / 2
        slopes = np.concatenate([np.einsum("rc,rcm->m", error, each), error.sum(axis=0)])
        return value / rows, (slopes + away) / rows

    bounds = [(0.0, None)] * count + [(None, None)] * classes
    found = minimize(
        loss, usual, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS}
    )
    return np.asarray(found.x[:count]), np.asarray(found.x[count:])
