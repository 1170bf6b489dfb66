"""Rows of rare classes between two that are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from charter.goal import Task
from charter.tuning import GeneratorName
from tasks.generators.base import Sample, lacking, uneven

NEIGHBOURS = 5
POOL = 2_000
"""Most rows of a class among which neighbours are looked for."""
STEP = 500


class Interpolate:
    """SMOTE for mixed columns (Chawla et al., SMOTE, 2002, section 6.1, SMOTE-NC).

    A new row lies on the line from a row to one of its five nearest of the same class; a text is
    the most frequent one among these; whole numbers stay whole. Where a number is missing in either row, and for
    times, whose hours and weekdays would be mixed up, the first row's value stays.
    """

    name: GeneratorName = "interpolate"
    about: str = "rare rows interpolated"

    def hindrance(self, task: Task, truth: np.ndarray) -> str:
        return uneven(task, truth, least=2 * NEIGHBOURS)

    def generate(self, real: Sample, seed: int) -> Sample:
        random = np.random.default_rng(seed)
        made, truth = [real.frame.iloc[:0]], [real.truth[:0]]
        for label, count in lacking(real.truth).items():
            mine = np.flatnonzero(real.truth == label)
            mine = random.permutation(mine)[:POOL]
            if len(mine) > 1:
                made.append(_between(real.frame.iloc[mine], real, count, random))
                truth.append(np.full(count, label, dtype=real.truth.dtype))
        frame = pd.concat(made, ignore_index=True)
        return replace(real, frame=frame, truth=np.concatenate(truth))


def _between(
    rows: pd.DataFrame, real: Sample, count: int, random: np.random.Generator
) -> pd.DataFrame:
    texts = [column.name for column in real.inputs if column.kind == "text"]
    times = [column.name for column in real.inputs if column.kind == "time"]
    numbers = [column.name for column in real.inputs if column.kind in ("number", "flag")]
    near = _nearest(rows[numbers].to_numpy(), _codes(rows, texts))
    first = random.integers(len(rows), size=count)
    other = near[first, random.integers(near.shape[1], size=count)]
    made = rows.iloc[first].reset_index(drop=True)
    values = rows[numbers].to_numpy()
    start, end = values[first], values[other]
    moved = start + random.random((count, 1)) * (end - start)
    moved = np.where(_whole(values), np.round(moved), moved)
    made[numbers] = np.where(np.isfinite(moved), moved, start)
    for name in texts:
        codes, names = pd.factorize(rows[name])
        made[name] = names.take(_most_frequent(codes[near], len(names))[first])
    return made.assign(**{name: rows[name].to_numpy()[first] for name in times})


def _codes(rows: pd.DataFrame, texts: list[str]) -> np.ndarray:
    codes = [pd.factorize(rows[name])[0] for name in texts]
    return np.column_stack(codes) if codes else np.empty((len(rows), 0), dtype=np.int64)


def _nearest(numbers: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The nearest rows of each row, shape (rows, neighbours): Euclidean over the numbers, each in
    units of its spread, and a text that differs counts as much as one of these units."""
    filled = np.where(np.isfinite(numbers), numbers, np.nan)
    known = np.isfinite(filled).any(axis=0)
    spread = np.ones(numbers.shape[1])
    spread[known] = np.nanstd(filled[:, known], axis=0)
    middle = np.zeros(numbers.shape[1])
    middle[known] = np.nanmedian(filled[:, known], axis=0)
    scaled = (np.where(np.isfinite(filled), filled, middle) - middle) / np.where(spread, spread, 1)
    squares = (scaled**2).sum(axis=1)
    found = []
    for start in range(0, len(scaled), STEP):
        part = slice(start, start + STEP)
        apart = squares[part, None] + squares - 2 * scaled[part] @ scaled.T
        for column in codes.T:
            apart += column[part, None] != column
        apart[np.arange(len(apart)), start + np.arange(len(apart))] = np.inf  # itself
        most = min(NEIGHBOURS, len(scaled) - 1)
        found.append(np.argpartition(apart, most - 1, axis=1)[:, :most])
    return np.concatenate(found)


def _whole(values: np.ndarray) -> np.ndarray:
    """Which columns hold whole numbers only."""
    return np.asarray((np.where(np.isfinite(values), values, 0.0) % 1 == 0).all(axis=0))


def _most_frequent(codes: np.ndarray, count: int) -> np.ndarray:
    """The most frequent code of each row, the first of equals."""
    rows = np.arange(len(codes))[:, None]
    tally = np.zeros((len(codes), count), dtype=np.int64)
    np.add.at(tally, (np.broadcast_to(rows, codes.shape), codes), 1)
    return np.asarray(tally.argmax(axis=1))
