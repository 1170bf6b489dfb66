"""Quick models on a sample of the training rows: what an input is worth, whether a step pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from charter import Charter
from tasks.engineer import Impact, Recipe
from tasks.metrics import paired, prices
from tasks.models import family
from tasks.recipe.pipeline import pipeline
from tasks.split import Rows, Training, folds

SAMPLE = 20_000
JUDGED = 5_000
RESAMPLES = 100
TREES = 100

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

    def predict(self, model: Pipeline, X: pd.DataFrame) -> np.ndarray:
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
    over resamples of the rows that judge. Where the metric has no value there, nothing is said.
    """
    fit, test = rows.folds[-1]
    test = _some(test, JUDGED, rows.seed)
    boosting = family("boosting")
    params = {**boosting.start, "trees": TREES}
    model = pipeline(recipe, boosting, recipe.signature.task, params, rows.seed, "cpu")
    model.fit(rows.X.iloc[fit], rows.truth[fit])
    told = rows.X.iloc[test].reset_index(drop=True)
    base = rows.predict(model, told)
    found = []
    for name in told.columns:
        losses = [
            rows.difference(rows.truth[test], base, rows.predict(model, shuffled))
            for shuffled in _permuted(told, name, charter.features.impact_repeats, rows.seed)
        ]
        mean, low, high = np.mean(losses, axis=0)
        found.append(Impact(column=name, mean=mean, low=low, high=high))
    known = [one for one in found if np.isfinite(one.mean)]
    return tuple(sorted(known, key=lambda one: -one.mean))


def _permuted(X: pd.DataFrame, name: str, repeats: int, seed: int) -> Iterator[pd.DataFrame]:
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        values = X[name].take(random.permutation(len(X))).reset_index(drop=True)
        yield X.assign(**{name: values})


def _some(positions: np.ndarray, most: int, seed: int) -> np.ndarray:
    if len(positions) <= most:
        return positions
    chosen = np.random.default_rng(seed).choice(positions, most, replace=False)
    return np.sort(chosen)
