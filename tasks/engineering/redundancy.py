"""Whether principal components pay where numeric columns tell each other."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from tasks.engineer import PcaTrial, Recipe
from tasks.engineering.probe import Sample
from tasks.metrics import gain, measure
from tasks.models import family
from tasks.recipe.pipeline import pipeline

TOLD = 0.8
"""R² from the other numeric columns at which a column counts as redundant."""
LEAST = 4
KEPT_VARIANCE = 0.95
MOST = 500
"""Most components: the search may fit on a thousand rows."""
NAMED = 12


def pca_trial(wanted: Literal["auto", "never"], recipe: Recipe, rows: Sample) -> PcaTrial:
    """Try components in place of the redundant numbers; kept only if a linear model gains.

    Tried where at least `LEAST` numeric columns are told by the others with R² of `TOLD`. With as
    many components as hold 95 % of their variance, a plain linear model is compared fold by fold
    with the one that has the columns themselves; components are kept when the 95 % interval
    (Student's t) of the gain lies above 0. Trees get the columns themselves in either case.
    """
    if wanted == "never":
        return _not("Not tried: features.pca is never.")
    numbers = [column.name for column in recipe.signature.inputs if column.kind == "number"]
    fewest = min(len(fit) for fit, _ in rows.folds)
    if len(numbers) >= fewest:
        return _not(
            f"Not tried: {len(numbers):,} numeric columns in {fewest:,} rows of a fold, where each "
            "column can be told from the others whatever they mean."
        )
    redundant, share = _redundant(rows.X[numbers])
    if len(redundant) < LEAST:
        found = f"{len(redundant)} of {len(numbers)} numeric columns"
        named = f" ({', '.join(redundant)})" if redundant else ""  # three at most
        return _not(
            f"Not tried: {found}{named} can be told from the others with R² of {TOLD} or more; "
            f"with fewer than {LEAST} there is little to gain."
        )
    components = min(MOST, _components(rows.X[redundant]))
    trial = PcaTrial(columns=tuple(redundant), components=components, kept=True, explanation="")
    gains = _gains(recipe.model_copy(update={"pca": None}), trial, rows)
    return _judged(trial, gains, rows.metric, share)


def _not(explanation: str) -> PcaTrial:
    return PcaTrial(columns=(), components=0, kept=False, explanation=explanation)


def _standard(X: pd.DataFrame) -> np.ndarray:
    filled = X.fillna(X.median()).fillna(0.0).to_numpy()
    spread = filled.std(axis=0)
    varying: np.ndarray = (filled - filled.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return varying


def _redundant(X: pd.DataFrame) -> tuple[list[str], float]:
    """Columns that the others tell, and the largest R²."""
    Z = _standard(X)
    kept = [i for i in range(Z.shape[1]) if Z[:, i].any()]
    if len(kept) < 2:
        return [], 0.0
    correlation = np.corrcoef(Z[:, kept], rowvar=False)
    # R² of each column on all others is 1 - 1 / diagonal of the inverse; the small term keeps it
    # finite where columns are exact sums of others.
    inverse = np.linalg.inv(correlation + 1e-9 * np.eye(len(kept)))
    told = 1.0 - 1.0 / np.diag(inverse)
    names = [str(X.columns[i]) for i, r2 in zip(kept, told, strict=True) if r2 >= TOLD]
    return names, float(told.max())


def _components(X: pd.DataFrame) -> int:
    variance = np.linalg.eigvalsh(np.cov(_standard(X), rowvar=False))[::-1]
    held = np.cumsum(variance) / variance.sum()
    return int(np.searchsorted(held, KEPT_VARIANCE) + 1)


def _gains(plain: Recipe, trial: PcaTrial, rows: Sample) -> list[float]:
    """Per fold, by how much the linear model is better with components."""
    reduced = plain.model_copy(update={"pca": trial})
    gains = []
    for fit, test in rows.folds:
        values = [_value(recipe, rows, fit, test) for recipe in (reduced, plain)]
        gains.append(gain(rows.metric, *values))
    return [value for value in gains if np.isfinite(value)]


def _value(recipe: Recipe, rows: Sample, fit: np.ndarray, test: np.ndarray) -> float:
    linear = family("linear")
    model = pipeline(recipe, linear, recipe.signature.task, linear.start, rows.seed, "cpu")
    model.fit(rows.X.iloc[fit], rows.truth[fit])
    prediction = rows.predict(model, rows.X.iloc[test])
    return measure(rows.metric, rows.truth[test], prediction, cost=rows.prices)


def _judged(trial: PcaTrial, gains: list[float], metric: str, told: float) -> PcaTrial:
    more = ", …" if len(trial.columns) > NAMED else ""
    names = ", ".join(trial.columns[:NAMED]) + more
    tried = (
        f"{len(trial.columns)} numeric columns can be told from the others with R² of {TOLD} or "
        f"more (at most {told:.3f}): {names}. {trial.components} components hold 95 % of them. "
    )
    if len(gains) < 2:
        why = f"Not kept: {len(gains)} fold is too few to judge by."
        return trial.model_copy(update={"kept": False, "explanation": tried + why})
    mean, error = float(np.mean(gains)), float(stats.sem(gains))
    half = float(stats.t.ppf(0.975, len(gains) - 1)) * error
    kept = mean - half > 0
    compared = (
        f"On {len(gains)} folds a linear model gains {mean:+.4f} of {metric} with them "
        f"({mean - half:+.4f} to {mean + half:+.4f}). "
    )
    end = (
        "Kept: they pay."
        if kept
        else "Not kept: they cost."
        if mean + half < 0
        else "Not kept: a gain that may be none does not pay for a further step."
    )
    return trial.model_copy(update={"kept": kept, "explanation": tried + compared + end})
