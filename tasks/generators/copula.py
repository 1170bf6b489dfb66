"""New rows with the spread of each column and what they have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from charter.goal import Task
from charter.tuning import GeneratorName
from tasks.generators.base import Sample

LEAST = 50
"""Rows that a class needs; those with fewer get no rows."""
LEARNT = 10_000
"""Most rows of a class that are learnt from."""
ANSWER = "\0answer"


class Copula:
    """A Gaussian copula per class, or one with the answer as a further column, as many rows as
    there are (Patki et al., The Synthetic Data Vault, 2016, section III).

    Each column is turned into normal scores by its ranks, texts by a draw from their part of 0 to
    1; new rows are drawn from the normal distribution with the correlations found, and turned back
    into values that occur. Which values are missing is that of a real row, drawn at random.
    """

    name: GeneratorName = "copula"
    about: str = "new rows from a Gaussian copula"

    def hindrance(self, task: Task, truth: np.ndarray) -> str:
        most = len(truth) if task == "regression" else np.bincount(truth).max()
        return f"it needs {LEAST} rows to learn from" if most < LEAST else ""

    def generate(self, real: Sample, seed: int) -> Sample:
        random = np.random.default_rng(seed)
        if real.task == "regression":
            made = _like(real.frame.assign(**{ANSWER: real.truth}), len(real.truth), random)
            truth = made.pop(ANSWER).to_numpy()
            return replace(real, frame=made, truth=truth)
        frames, truths = [real.frame.iloc[:0]], [real.truth[:0]]
        for label in np.unique(real.truth):
            mine = real.frame[real.truth == label]
            if len(mine) >= LEAST:
                frames.append(_like(mine, len(mine), random))
                truths.append(np.full(len(mine), label, dtype=real.truth.dtype))
        frame = pd.concat(frames, ignore_index=True)
        return replace(real, frame=frame, truth=np.concatenate(truths))


def _like(rows: pd.DataFrame, count: int, random: np.random.Generator) -> pd.DataFrame:
    rows = rows.iloc[random.permutation(len(rows))[:LEARNT]].reset_index(drop=True)
    columns = [_Column(rows[name], random) for name in rows]
    scores = np.column_stack([column.scores for column in columns])
    drawn = random.normal(size=(count, len(columns))) @ _root(scores).T
    uniform = norm.cdf(drawn)
    missing = random.integers(len(rows), size=count)
    return pd.DataFrame(
        {
            name: column.values(uniform[:, at], missing)
            for at, (name, column) in enumerate(zip(rows.columns, columns, strict=True))
        }
    )


class _Column:
    """One column: its normal scores, and the way back."""

    def __init__(self, values: pd.Series, random: np.random.Generator) -> None:
        self._text = not pd.api.types.is_numeric_dtype(values)
        known = np.ones(len(values), bool) if self._text else np.isfinite(values.to_numpy())
        self._known = known
        if self._text:
            counts = values.value_counts()
            self._sorted = counts.index.take(np.repeat(np.arange(len(counts)), counts.to_numpy()))
            order = pd.Series(np.arange(len(counts)), index=counts.index)
            places = order.loc[values].to_numpy()
        else:
            self._sorted = pd.Index(np.sort(values.to_numpy()[known]))
            places = values.to_numpy()[known]
        # Equal values share a stretch of ranks and stand in it at random.
        mixed = random.permutation(len(places))
        ranks = np.empty(len(places))
        ranks[mixed] = rankdata(places[mixed], method="ordinal")
        self.scores = np.zeros(len(values))
        self.scores[known] = norm.ppf(ranks / (len(places) + 1))

    def values(self, uniform: np.ndarray, missing: np.ndarray) -> pd.Series:
        """The value at each place between 0 and 1, missing where the row named is."""
        if not len(self._sorted):
            return pd.Series(np.full(len(uniform), np.nan))
        at = np.minimum((uniform * len(self._sorted)).astype(np.int64), len(self._sorted) - 1)
        found = pd.Series(self._sorted.take(at))
        return found if self._text else found.where(self._known[missing])


def _root(scores: np.ndarray) -> np.ndarray:
    """A matrix whose square is the correlation of the scores; constant columns go by themselves."""
    spread = scores.std(axis=0)
    scaled = (scores - scores.mean(axis=0)) / np.where(spread, spread, 1)
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scores))
    root = vectors * np.sqrt(np.clip(values, 0, None))
    length = np.sqrt((root**2).sum(axis=1, keepdims=True))
    return np.where(length, root / np.where(length, length, 1), np.eye(len(length)))
