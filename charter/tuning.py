"""`tuning`: how the model is searched."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from charter.frozen import Frozen

FamilyName = Literal[
    "dummy", "heuristic", "linear", "bayes", "oddness", "neighbours", "tree", "forest", "extra_trees",
    "histogram", "boosting", "neural", "taught", "blend", "stack",
]  # fmt: skip
INTERPRETABLE: frozenset[FamilyName] = frozenset({"dummy", "heuristic", "linear", "tree"})
"""Families whose whole logic can be printed."""

Name = TypeVar("Name", bound=str)
GeneratorName = Literal["oversample", "interpolate", "copula"]


def _distinct(names: tuple[Name, ...]) -> tuple[Name, ...]:
    if len(set(names)) < len(names):
        raise ValueError("each one once")
    return names


Families = Annotated[tuple[FamilyName, ...], Field(min_length=1), AfterValidator(_distinct)]

Generators = Annotated[tuple[GeneratorName, ...], Field(min_length=1), AfterValidator(_distinct)]


class Tuning(Frozen):
    """The search and its space."""

    search: Literal["bayesian", "random", "grid"] = "bayesian"
    """How the next trial of a family is chosen: by those before it (Optuna's TPE), by chance, or
    through a grid."""
    families: Families | Literal["auto"] = "auto"
    """The rungs of the ladder that are tried; `auto`: all that the constraints allow, those that
    seldom pay (extra_trees, histogram) from 3 minutes on."""
    trials: int | None = Field(default=None, ge=1)
    """Most trials of one family; default: as many as the minutes allow."""
    prefer: Literal["simple", "best"] = "simple"
    """Which rung is taken where chance alone tells some apart: the simplest of them, or the one with
    the best score, for whom a little more quality is worth a larger model."""
    prune: bool = True
    """Whether a trial that falls behind on its first folds is given up."""
    learning_curve: bool = True
    """Whether the model is fitted on fewer rows too, to tell what twice as many would bring. A
    seventh of `constraints.train_minutes` is left for that and for `generate`, where it is more
    than a few seconds."""
    generate: Generators | Literal["auto", "never"] = "auto"
    """Whether the model is also fitted with rows that are made from the training rows: rare ones
    drawn again or interpolated, or new ones from a copula. One way is kept where it improves the
    metric over the folds beyond chance; the rows that judge are always real. Not tried where
    `fairness.sensitive` names groups."""
