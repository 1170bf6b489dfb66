"""Families with a fault, put on the ladder by tests; the sandbox imports them by name."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Choice, Space, Value
from tasks.models.forest import Forest
from tasks.models.linear import Linear
from tasks.models.tree import Tree


class Hanging(LogisticRegression):  # type: ignore[misc]
    def fit(self, X: Any, y: Any) -> Any:
        while True:
            pass


class Eating(LogisticRegression):  # type: ignore[misc]
    def fit(self, X: Any, y: Any) -> Any:
        held = []
        while True:
            held.append(np.ones(2**21))
            time.sleep(0.001)


class Raising(LogisticRegression):  # type: ignore[misc]
    def fit(self, X: Any, y: Any) -> Any:
        raise ValueError("cannot be fitted")


class HangingForest(Forest):
    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        return Hanging()


class EatingForest(Forest):
    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        return Eating()


class RaisingTree(Tree):
    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        return Raising()


class SlowLinear(Linear):
    """About a second a trial, with a grid of six points."""

    start: Mapping[str, Value] = {"penalty": 1.0, "twin": False}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"penalty": Choice((0.5, 1.0, 2.0)), "twin": Choice((False, True))}

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        time.sleep(0.25)
        return super().build(task, params, seed, device)


class LinearTwin(Linear):
    """A rung above the linear one that is the same but for a hair."""

    name: FamilyName = "neural"
    start: Mapping[str, Value] = {"penalty": 1.001}

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"penalty": Choice((1.001,))}
