"""What runs in the sandbox: generated rows beside the real ones that a model is fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.generators.base import Generator, Sample
from tasks.tuning.bench import Bench, weight_of


def made_rows(
    bench: Bench, steps: Any, fitting: np.ndarray, generator: Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Rows made from those at `fitting`: matrix, truth and weights.

    `steps` were fitted on the real rows alone and stay as they are, so that generated rows move neither
    a median nor a level. Each weighs as much as a real row on average.
    """
    real = Sample(
        bench.frame.iloc[fitting].reset_index(drop=True), bench.truth[fitting],
        bench.recipe.signature.inputs, bench.task,
    )  # fmt: skip
    made = generator.generate(real, bench.seed)
    weight = weight_of(bench, fitting)
    weights = None if weight is None else np.full(len(made.truth), weight.mean())
    if not len(made.truth):
        return np.empty((0, 0)), made.truth, weights
    return np.asarray(steps.transform(made.frame[list(bench.frame.columns)])), made.truth, weights


def enlarged(
    real: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    made: tuple[np.ndarray, np.ndarray, np.ndarray | None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Real rows first, then the made ones."""
    X, y, w = real
    if not len(made[1]):
        return real
    weights = None if w is None or made[2] is None else np.concatenate([w, made[2]])
    return np.concatenate([X, made[0]]), np.concatenate([y, made[1]]), weights
