"""The best trials of other families together, each with a weight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sklearn.base import BaseEstimator

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Choice, Space, Style, Value
from tasks.models.boosting import Boosting
from tasks.models.foreseen import Foreseen, Shape
from tasks.models.linear import Linear


class Member(NamedTuple):
    """A family with its parameters, and its share of the answer."""

    family: str
    params: Mapping[str, Value]
    share: float


def spelled(members: Sequence[Member]) -> dict[str, Value]:
    """The members as the parameters of a blend."""
    return {"members": json.dumps([list(member) for member in members], sort_keys=True)}


def members(params: Mapping[str, Value]) -> list[Member]:
    """What `spelled` wrote."""
    return [Member(*found) for found in json.loads(str(params["members"]))]


def words(params: Mapping[str, Value]) -> str:
    """Its members as a person reads them: `58 % forest (trees 79, depth 14), …`."""
    return ", ".join(
        f"{one.share:.0%} {one.family} ("
        + ", ".join(f"{name} {_short(value)}" for name, value in one.params.items())
        + ")"
        for one in members(params)
    )


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class Blend:
    """Greedy weighted selection (Caruana, Niculescu-Mizil, Crew and Ksikes, Ensemble selection from
    libraries of models, 2004); the selection itself is in `tasks/tuning/blending.py`."""

    name: FamilyName = "blend"
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    style: Style = "both"
    interpretable: bool = False
    effort: float = 0.0
    remembers: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = spelled(
        [Member("linear", Linear.start, 0.25), Member("boosting", Boosting.start, 0.75)]
    )

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"members": Choice((self.start["members"],))}  # what is mixed is found, not tried

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        from tasks.models import family
        from tasks.models.blended import BlendedClassifier, BlendedRegressor

        found = members(params)
        kind = BlendedRegressor if task == "regression" else BlendedClassifier
        return kind(
            [family(one.family).build(task, one.params, seed, device) for one in found],
            [family(one.family).style == "scaled" for one in found],
            [one.share for one in found],
        )

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        from tasks.models import family

        parts = [family(one.family).foresee(task, one.params, shape) for one in members(params)]
        return sum(parts[1:], parts[0])
