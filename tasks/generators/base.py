"""The base of the family of generators: one file per member, an explicit catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from charter.goal import Task
from charter.tuning import GeneratorName
from serving.signature import Input

UNEVEN = 1.5
"""Classes count as uneven from where the largest has so many times the rows of the smallest."""


@dataclass(frozen=True)
class Sample:
    """Rows that a model is fitted on, before any preparation."""

    frame: pd.DataFrame
    """As `tasks.recipe.inputs.frame` makes it: float64 (NaN is missing), then texts ("")."""
    truth: np.ndarray
    """float64 values (regression) or int64 class positions, shape (rows,)."""
    inputs: tuple[Input, ...]
    """The kind of each column."""
    task: Task


class Generator(Protocol):
    """One way to make rows."""

    name: GeneratorName
    about: str
    """What it does, as part of a sentence."""

    def hindrance(self, task: Task, truth: np.ndarray) -> str:
        """Why it does not suit these rows, in words; empty where it does."""
        ...

    def generate(self, real: Sample, seed: int) -> Sample:
        """Generated rows only, at most as many as there are real ones; the same for each seed."""
        ...


def uneven(task: Task, truth: np.ndarray, least: int) -> str:
    """Why nothing is there to be balanced; `least`: rows that the rarest class needs."""
    if task == "regression":
        return "made for classes"
    counts = np.bincount(truth)
    counts = counts[counts > 0]
    if counts.max() < UNEVEN * counts.min():
        return "the classes have about as many rows each"
    if counts.min() < least:
        return f"the rarest class has {counts.min()} rows, and {least} are needed"
    return ""


def lacking(truth: np.ndarray) -> dict[int, int]:
    """How many rows each class has less than the largest; as many in all as there are rows, at
    most, each class then getting its part."""
    labels, counts = np.unique(truth, return_counts=True)
    wanted = counts.max() - counts
    part = min(1.0, len(truth) / max(1, wanted.sum()))
    return {
        int(label): int(part * count) for label, count in zip(labels, wanted, strict=True) if count
    }
