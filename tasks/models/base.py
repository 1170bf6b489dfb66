"""The base of the family of learners: one file per member, an explicit catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sklearn.base import BaseEstimator

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.foreseen import Foreseen, Shape

Style = Literal["tree", "scaled", "both", "rules"]
Value = bool | int | float | str | None


@dataclass(frozen=True)
class Whole:
    """An integer between low and high; `grid` for the grid search."""

    low: int
    high: int
    grid: tuple[int, ...]
    log: bool = False


@dataclass(frozen=True)
class Real:
    """A number between low and high; `grid` for the grid search."""

    low: float
    high: float
    grid: tuple[float, ...]
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    grid: tuple[Value, ...]


Space = Mapping[str, Whole | Real | Choice]


class Family(Protocol):
    """One kind of learner."""

    name: FamilyName
    tasks: tuple[Task, ...]
    style: Style
    """How its inputs are prepared: `tree` (unscaled, ordinal or one-hot), `scaled`
    (imputed, scaled, one-hot), `both` side by side, or `rules` (which of the charter's rules
    holds)."""
    interpretable: bool
    """Whether its whole logic can be printed."""
    effort: float
    """Its share of the search time, in proportion to the others."""
    remembers: bool
    """Whether the model is the training rows themselves: size and time to answer grow with them."""
    streams: bool
    """Whether it can be fitted on more rows than have room in memory."""
    minutes: float
    """`families: auto` tries it where the charter gives at least so many minutes: what seldom pays
    must not take time from what does."""
    start: Mapping[str, Value]
    """Parameters of the first trial: a sensible default."""

    def space(self, task: Task, rows: int, columns: int) -> Space: ...

    def build(
        self, task: Task, params: Mapping[str, Value], seed: int, device: str
    ) -> BaseEstimator:
        """The unfitted estimator; fits float matrices, shape (rows, prepared columns)."""
        ...

    def foresee(self, task: Task, params: Mapping[str, Value], shape: Shape) -> Foreseen:
        """About what the fitted estimator weighs as a graph."""
        ...


def whole(params: Mapping[str, Value], name: str) -> int:
    """An integer parameter, whatever number type it was stored as."""
    return int(params[name])  # type: ignore[arg-type]


def real(params: Mapping[str, Value], name: str) -> float:
    """A float parameter."""
    return float(params[name])  # type: ignore[arg-type]
