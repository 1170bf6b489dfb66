"""Quick models on a sample of the training rows: what an input is worth, whether a step pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from charter import Charter
from tasks.engineer import Impact, Recipe
from tasks.engineering.places import places
from tasks.metrics import paired, prices
from tasks.models import family
from tasks.models.threads import spread
from tasks.recipe.pipeline import pipeline
from tasks.split import Rows, Training, folds

SAMPLE = 20_000
JUDGED = 5_000
RESAMPLES = 100
TREES = 100
MEASURED = 300
"""Most inputs that are permuted one by one."""

Fold = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Sample:
    """Packed rows, their truth with classes counted without gaps, and folds by the split's rule."""

    X: pd.DataFrame
    truth: np.ndarray
    folds: list[Fold]
    metric: str
    prices: np.ndarray
    seed: int

    def predict(self, model: Any, X: Any) -> np.ndarray:
        """Probabilities, shape (rows, classes), or values, shape (rows,)."""
        ways = model.predict_proba if hasattr(model, "predict_proba") else model.predict
        return np.asarray(ways(X), dtype=np.float64)

    def difference(self, truth: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """By how much `ours` is better, with both ends of its interval over resampled rows."""
        found = paired(
            self.metric, truth, ours, theirs, cost=self.prices, seed=self.seed, resamples=RESAMPLES
        )
        return np.array([found.value, found.low, found.high])


def sample(charter: Charter, training: Training, rows: Rows, X: pd.DataFrame) -> Sample:
    """At most `SAMPLE` rows in their order, with the folds that tuning would make of them."""
    seed = charter.evaluation.seed
    taken = _some(np.arange(len(X)), SAMPLE, seed)
    fewer = Rows(rows.table.take(taken), rows.truth[taken])
    costs = prices(charter.goal.cost, training.task, training.classes)
    truth = fewer.truth
    if training.task != "regression":
        present, truth = np.unique(truth, return_inverse=True)
        costs = costs[np.ix_(present, present)]
    made = folds(charter, training, fewer)
    return Sample(X.iloc[taken].reset_index(drop=True), truth, made, training.metric, costs, seed)


def impact(charter: Charter, recipe: Recipe, rows: Sample) -> tuple[Impact, ...]:
    """What the metric loses per input that is permuted, largest first.

    A plain boosting is fitted on all but the last fold and judged on that (Breiman, Random
    Forests, 2001, section 10). The mean is over `features.impact_repeats` permutations, the ends
    over resamples of the rows that judge. Where the metric has no value there, nothing is said, nor
    of the inputs beyond the `MEASURED` that the boosting gains most from.
    """
    fit, test = rows.folds[-1]
    test = _some(test, JUDGED, rows.seed)
    boosting = family("boosting")
    params = {**boosting.start, "trees": TREES}
    model = pipeline(recipe, boosting, recipe.signature.task, params, rows.seed, "cpu")
    spread(model, len(fit))
    model.fit(rows.X.iloc[fit], rows.truth[fit])
    told = rows.X.iloc[test].reset_index(drop=True)
    shuffles = _Shuffles(rows, model, told, rows.truth[test], charter.features.impact_repeats)
    found = [
        Impact(column=name, mean=mean, low=low, high=high)
        for name, (mean, low, high) in shuffles.losses()
    ]
    known = [one for one in found if np.isfinite(one.mean)]
    return tuple(sorted(known, key=lambda one: -one.mean))


class _Shuffles:
    """The prepared rows with one input's columns permuted: preparation sees each row by itself, so
    that it is as if the raw column had been."""

    def __init__(
        self, rows: Sample, model: Pipeline, told: pd.DataFrame, truth: np.ndarray, repeats: int
    ) -> None:
        self.rows, self.truth = rows, truth
        self.prepare, self.estimator = model[:-1], model[-1]
        self.inputs = [str(name) for name in told.columns]
        self.matrix = self.prepare.transform(told)
        self.base = rows.predict(self.estimator, self.matrix)
        random = np.random.default_rng(rows.seed)
        self.orders = [random.permutation(len(told)) for _ in range(repeats)]

    def losses(self) -> Iterator[tuple[str, np.ndarray]]:
        """Mean, low and high per input, in their order."""
        made = places(self.prepare.named_steps["prepare"].named_steps["columns"])
        gains = self._gains()
        worth = {name: sum(gains.get(at, 0.0) for at in made[name]) for name in self.inputs}
        first = set(sorted(self.inputs, key=lambda name: -worth[name])[:MEASURED])
        nothing = self.rows.difference(self.truth, self.base, self.base)
        for name in self.inputs:
            if not worth[name]:  # no tree looks at it
                yield name, nothing
            elif name in first:
                yield name, self._loss(made[name])

    def _gains(self) -> dict[int, float]:
        """What the trees gain by each prepared column that they look at."""
        gained = self.estimator.get_booster().get_score(importance_type="total_gain")
        return {int(name[1:]): float(gain) for name, gain in gained.items()}

    def _loss(self, made: list[int]) -> np.ndarray:
        kept = self.matrix[:, made]
        losses = []
        for order in self.orders:
            self.matrix[:, made] = kept[order]
            moved = self.rows.predict(self.estimator, self.matrix)
            losses.append(self.rows.difference(self.truth, self.base, moved))
        self.matrix[:, made] = kept
        return np.asarray(np.mean(losses, axis=0))


def _some(positions: np.ndarray, most: int, seed: int) -> np.ndarray:
    if len(positions) <= most:
        return positions
    chosen = np.random.default_rng(seed).choice(positions, most, replace=False)
    return np.sort(chosen)
