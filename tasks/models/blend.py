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


MIXTURES: frozenset[FamilyName] = frozenset({"blend", "stack"})
"""Families that put together what others found."""
MADE: frozenset[FamilyName] = MIXTURES | {"taught"}
"""Families that are made of what others found."""


def spelled(members: Sequence[Member], levels: Sequence[float] | None = None) -> dict[str, Value]:
    """The members as the parameters of a blend; with levels, of a stack."""
    said: dict[str, Value] = {
        "members": json.dumps([list(member) for member in members], sort_keys=True)
    }
    return said if levels is None else {**said, "levels": json.dumps(list(levels))}


def members(params: Mapping[str, Value]) -> list[Member]:
    """What `spelled` wrote."""
    return [Member(*found) for found in json.loads(str(params["members"]))]


def student(params: Mapping[str, Value]) -> tuple[str, Mapping[str, Value]]:
    """Of a model that was taught: its family and its parameters."""
    name, own = json.loads(str(params["student"]))
    return name, own


def words(params: Mapping[str, Value]) -> str:
    """Its members as a person reads them: `58% forest (trees 79, depth 14), …`; of a stack, whose
    weights need not come to one, `0.58 times forest (…), … on a level of 3.1`; of a model that
    they taught, `boosting (…), taught by …`."""
    if "student" in params:
        name, own = student(params)
        said = words({key: value for key, value in params.items() if key != "student"})
        return f"{name} ({_named(own)}), taught by {said}"
    levels = json.loads(str(params["levels"])) if "levels" in params else None
    said = ", ".join(
        (f"{one.share:.0%} " if levels is None else f"{one.share:.3g} times ")
        + f"{one.family} ({_named(one.params)})"
        for one in members(params)
    )
    if not levels:
        return said
    return (
        f"{said}, on "
        + ("levels" if len(levels) > 1 else "a level")
        + " of "
        + ", ".join(map(_short, levels))
    )


def _named(params: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in params.items())


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
    streams: bool = False
    minutes: float = 0.0
    start: Mapping[str, Value] = spelled(
        [
            Member("linear", Linear.start, 0.25),
            Member("boosting", {**Boosting.start, "trees": 30, "rate": 0.3}, 0.75),
        ]
    )

    def space(self, task: Task, rows: int, columns: int) -> Space:
        return {"members": Choice((self.start["members"],))}  # what is mixed is found, not tried

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        from tasks.models.blended import BlendedClassifier, BlendedRegressor

        kind = BlendedRegressor if task == "regression" else BlendedClassifier
        return kind(*parts(task, params, seed, device))

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        from tasks.models import family

        parts = [family(one.family).foresee(task, one.params, shape) for one in members(params)]
        return sum(parts[1:], parts[0])


def parts(
    task: Task, params: Mapping[str, Value], seed: int, device: str
) -> tuple[list[BaseEstimator], list[bool], list[float]]:
    """The members unfitted, which of them are scaled, and their shares."""
    from tasks.models import family

    found = members(params)
    return (
        [family(one.family).build(task, one.params, seed, device) for one in found],
        [family(one.family).style == "scaled" for one in found],
        [one.share for one in found],
    )
