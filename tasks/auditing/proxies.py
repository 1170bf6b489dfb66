"""What gives a group away: how well the inputs tell it, together and one by one.

A model that is not told the group may still treat it differently through columns that stand for it
(Datta et al., Proxy Non-Discrimination in Data-Driven Systems, 2017). Rows that a score was made
from are never those that it is judged on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from charter import Charter, Frozen
from charter.goal import Task
from tasks import metrics
from tasks.auditing.groups import Groups
from tasks.auditing.treatment import Figure
from tasks.engineer import Recipe
from tasks.splitting.folding import Fold, stratified

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 8_000
FOLDS = 3
TREES = 40
BINS = 24
RESAMPLES = 200
PRIOR = 5.0
"""Rows at the group's overall share that each value is thought to have had before."""


class Carrier(Frozen):
    """One input, and the group that it tells best."""

    column: str
    value: str
    """The group, as in `Female`."""
    area: float
    """Area under the ROC curve of that group against the others; 0.5 tells nothing."""


class Told(Frozen):
    """How well the inputs tell the groups of one sensitive column."""

    of: str
    value: str
    """The group that all inputs together tell best."""
    area: Figure
    carriers: tuple[Carrier, ...]
    """Every input, best first."""


def told(charter: Charter, recipe: Recipe, X: pd.DataFrame, groups: Groups) -> Told | None:
    """Ask the inputs for the groups of one column; None where fewer than two have enough rows."""
    seed, support = charter.evaluation.seed, charter.fairness.support
    chosen = _some(len(X), seed)
    X, groups = X.iloc[chosen].reset_index(drop=True), groups.only(chosen)
    counts = np.bincount(groups.codes, minlength=len(groups.values))
    asked = [at for at in range(len(counts)) if counts[at] >= support]
    if len(asked) < 2:
        return None
    kept = np.isin(groups.codes, asked)
    X, codes = X[kept].reset_index(drop=True), np.searchsorted(asked, groups.codes[kept])
    names = [groups.values[at] for at in asked]
    folds = stratified(codes, len(codes), FOLDS, seed)
    carriers = [_carrier(name, X[name], codes, names, folds) for name in X.columns]
    chances = _together(recipe, X, codes, folds)
    best = int(np.argmax([_area(codes == at, column) for at, column in enumerate(chances.T)]))
    pair = np.column_stack([1 - chances[:, best], chances[:, best]])
    area = metrics.interval(
        "roc_auc", (codes == best).astype(np.int64), pair, seed=seed, resamples=RESAMPLES
    )
    return Told(
        of=groups.name, value=names[best], area=Figure.of(area),
        carriers=tuple(sorted(carriers, key=lambda one: -one.area)),
    )  # fmt: skip


def _some(rows: int, seed: int) -> np.ndarray:
    if rows <= SAMPLE:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))


def _together(recipe: Recipe, X: pd.DataFrame, codes: np.ndarray, folds: list[Fold]) -> np.ndarray:
    """Out-of-fold probabilities of each group from all inputs, shape (rows, groups)."""
    from tasks.models import family
    from tasks.recipe.pipeline import pipeline

    count = int(codes.max()) + 1
    boosting, task = family("boosting"), _task(count)
    params = {**boosting.start, "trees": TREES, "rate": 0.15}
    found = np.zeros((len(X), count))
    for fit, test in folds:
        model = pipeline(recipe, boosting, task, params)
        model.fit(X.iloc[fit], codes[fit])
        found[test] = model.predict_proba(X.iloc[test])
    return found


def _task(count: int) -> Task:
    return "binary" if count == 2 else "multiclass"


def _carrier(
    name: str, column: pd.Series, codes: np.ndarray, names: list[str], folds: list[Fold]
) -> Carrier:
    """How well one input tells each group, by the share of the group among rows of its value."""
    values = _values(column)
    areas = []
    for at in range(len(names)):
        member = (codes == at).astype(np.float64)
        scores = np.zeros(len(codes))
        for fit, test in folds:
            rows = np.bincount(values[fit], minlength=values.max() + 1)
            hits = np.bincount(values[fit], member[fit], minlength=values.max() + 1)
            shares = (hits + PRIOR * member[fit].mean()) / (rows + PRIOR)
            scores[test] = shares[values[test]]
        areas.append(_area(codes == at, scores))
    best = int(np.argmax(areas))
    return Carrier(column=name, value=names[best], area=areas[best])


def _values(column: pd.Series) -> np.ndarray:
    """Each text, or each part of a number, as a position; missing values are one of their own."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column):
        return np.asarray(pd.factorize(column)[0] + 1)
    numbers = column.to_numpy(dtype=np.float64)
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    places = np.searchsorted(edges, numbers, "right") + 1
    return np.where(np.isnan(numbers), 0, places)


def _area(member: np.ndarray, scores: np.ndarray) -> float:
    chances = np.column_stack([1 - scores, scores])
    return metrics.measure("roc_auc", member.astype(np.int64), chances)
