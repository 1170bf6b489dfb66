"""A small multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neural_network import MLPClassifier, MLPRegressor

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Real, Space, Style, Value, Whole, real, whole
from tasks.models.foreseen import Foreseen, Shape, matrix
from tasks.models.logged import choice, logged


class LevelledMLP(MLPRegressor):  # type: ignore[misc]
    """A regressor that learns on the standardised target, whatever its unit.

    Mean and spread are folded into the last (linear) layer after the fit, so that the fitted
    network answers in the target's unit and is an ordinary `MLPRegressor` to whoever reads it.
    """

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> LevelledMLP:
        mean, spread = float(np.mean(y)), float(np.std(y)) or 1.0
        super().fit(X, (np.asarray(y, dtype=float) - mean) / spread, sample_weight)
        self.coefs_[-1] = self.coefs_[-1] * spread
        self.intercepts_[-1] = self.intercepts_[-1] * spread + mean
        return self


class Neural:
    """One or two hidden layers, stopped when a tenth of the rows no longer gets better."""

    name: FamilyName = "neural"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "scaled"
    interpretable: bool = False
    effort: float = 2.0
    remembers: bool = False
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = {
        "layers": 1, "width": 32, "penalty": 1e-3, "rate": 3e-3,
        "log": False,
    }  # fmt: skip

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {
            "layers": Whole(1, 2, grid=(1, 2)),
            "width": Whole(8, 128, grid=(32, 64), log=True),
            "penalty": Real(1e-6, 1.0, grid=(1e-3, 1e-1), log=True),
            "rate": Real(3e-4, 3e-2, grid=(3e-3,), log=True),
            "log": choice(task),
        }

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        kind: Any = LevelledMLP if task == "regression" else MLPClassifier
        network = kind(
            hidden_layer_sizes=(whole(params, "width"),) * whole(params, "layers"),
            alpha=real(params, "penalty"),
            learning_rate_init=real(params, "rate"),
            early_stopping=True,
            n_iter_no_change=6,
            max_iter=300,
            random_state=seed,
        )
        return logged(network, params)

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        width, layers = whole(params, "width"), whole(params, "layers")
        return matrix(width * (shape.columns + shape.outputs + (layers - 1) * width))
