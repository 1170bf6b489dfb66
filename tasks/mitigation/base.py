"""The base of the family of mitigations: what they are given, and what they give back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal

import numpy as np

from charter.fairness import FairnessMetric, MitigationName
from charter.goal import Task
from serving.signature import Decision
from tasks.auditing.groups import Groups


@dataclass(frozen=True)
class Aim:
    """What has to be kept: the measure, a limit for each column or intersection, and at what price."""

    task: Task
    metric: FairnessMetric
    limits: tuple[tuple[str, float], ...]
    """The columns and intersections that are judged, with their limits."""
    support: int
    threshold: float
    """From which probability on a calibrated model answers positive (Elkan, 2001)."""
    prices: np.ndarray
    seed: int
    folds: int
    """In how many parts the rows are: a limit has to be kept on as few as one of them has."""


@dataclass(frozen=True)
class Lesson:
    """Rows to learn from, prepared; arrays of shape (rows, …)."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    groups: tuple[Groups, ...]
    """Those of `Aim.limits`, in its order."""
    aim: Aim
    build: Callable[[], Any]
    """The unfitted estimator that the search chose, the same for every mitigation."""
    helper: Callable[[Task], Any]
    """An unfitted estimator for what is learnt beside: who belongs to which group."""
    seconds: float
    """What this fit may take, roughly; who calls it stops it in the end."""


@dataclass(frozen=True)
class Learnt:
    """What a fit brought: preparation steps to be added before the model, and the model."""

    model: Any
    steps: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Told:
    """Rows that a model was not fitted on: its signals, their truth and groups."""

    signals: np.ndarray
    truth: np.ndarray
    groups: tuple[Groups, ...]
    aim: Aim
    until: float = inf
    """When a search for settings has to end, by `time.monotonic`."""

    def only(self, rows: np.ndarray) -> Told:
        groups = tuple(one.only(rows) for one in self.groups)
        return Told(self.signals[rows], self.truth[rows], groups, self.aim, self.until)


class Mitigation(ABC):
    """One way. `fit` learns; `settle` reads settings off rows that the fit has not seen."""

    name: ClassVar[MitigationName]
    when: ClassVar[Literal["before", "during", "after"]]
    tasks: ClassVar[tuple[Task, ...]]
    about: ClassVar[str]
    """What it does, for a reader."""
    settling: ClassVar[float] = 0.0
    """Share of its time that is kept for `settle`."""

    @abstractmethod
    def fit(self, lesson: Lesson) -> Learnt: ...

    def signals(self, model: Any, X: np.ndarray) -> np.ndarray:
        """What the answer is made from, (rows, signals): probabilities, or one value."""
        ways = model.predict_proba if hasattr(model, "predict_proba") else model.predict
        return np.asarray(ways(X), dtype=np.float64).reshape(len(X), -1)

    def settle(self, told: Told) -> tuple[float, ...]:
        """Settings, from signals of rows that the model was not fitted on."""
        return ()

    def answers(self, signals: np.ndarray, settings: tuple[float, ...]) -> np.ndarray:
        """Probabilities (rows, classes), or values (rows, 1)."""
        return signals

    def finished(self, model: Any, settings: tuple[float, ...]) -> Any:
        """The model that gives these answers itself."""
        return model

    def decision(self, aim: Aim) -> Decision | None:
        """The rule that turns probabilities into answers, where the mitigation needs its own."""
        return None


def joint(groups: tuple[Groups, ...]) -> np.ndarray:
    """One group for each combination of the columns, shape (rows,), numbered from 0."""
    found = np.zeros(len(groups[0].codes), dtype=np.int64)
    for one in groups:
        found = found * len(one.values) + one.codes
    return np.asarray(np.unique(found, return_inverse=True)[1])


def learn(lesson: Lesson, model: Any, y: np.ndarray, weight: np.ndarray | None) -> Any:
    """Fit on the lesson's matrix; what is kept answers on any machine."""
    from tasks.tuning.weights import fit

    fit(model, lesson.X, y, weight, lesson.aim.seed)
    if getattr(model, "device", None) == "cuda":
        model.set_params(device="cpu")
    return model
