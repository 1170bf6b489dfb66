"""Greedy selection with replacement over out-of-fold answers (Caruana and others, 2004)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.models.blend import Blend
from tasks.models.blended import mean
from tasks.tuning.mixture import Mix, Pool

ROUNDS = 12
"""Most picks: a share is a multiple of what one is worth."""


class Greedy:
    """Picks what makes the mean of those picked so far best, again and again."""

    family = Blend()

    def mix(self, pool: Pool) -> Mix | None:
        """A pick that is no better goes on: what is picked again and again comes to a larger share."""
        counts = taken = np.zeros(len(pool.each))
        total, best = np.zeros_like(pool.each[0]), None
        for pick in range(1, ROUNDS + 1):
            scores = {
                at: pool.score((total + answers) / pick)
                for at, answers in enumerate(pool.each)
                if pool.allowed({at, *np.flatnonzero(counts)})
            }
            if pool.over:
                return None
            sign = 1.0 if pool.ground.greater else -1.0
            known = {at: score for at, score in scores.items() if np.isfinite(score)}
            if not known:
                break
            top = max(known, key=lambda at: sign * known[at])
            counts = counts + (np.arange(len(counts)) == top)
            total = total + pool.each[top]
            if pool.ground.better(known[top], best):  # the next picks may be better still
                taken, best = counts, known[top]
        return Mix(np.asarray(taken / max(1.0, taken.sum())))

    def answers(self, mix: Mix, each: Sequence[np.ndarray]) -> np.ndarray:
        return mean(each, mix.shares)
