"""`tuning`: how the model is searched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from charter.frozen import Frozen

FamilyName = Literal["dummy", "linear", "neighbours", "tree", "forest", "boosting", "neural"]
INTERPRETABLE: frozenset[FamilyName] = frozenset({"dummy", "linear", "tree"})
"""Families whose whole logic can be printed."""


def _distinct(families: tuple[FamilyName, ...]) -> tuple[FamilyName, ...]:
    if len(set(families)) < len(families):
        raise ValueError("each family once")
    return families


Families = Annotated[tuple[FamilyName, ...], Field(min_length=1), AfterValidator(_distinct)]


class Tuning(Frozen):
    """The search and its space."""

    search: Literal["bayesian", "random", "grid"] = "bayesian"
    families: Families | Literal["auto"] = "auto"
    """The rungs of the ladder that are tried; `auto`: all that the constraints allow."""
    trials: int | None = Field(default=None, ge=1)
    """Most trials of one family; default: as many as the minutes allow."""
    prune: bool = True
    """Whether a trial that falls behind on its first folds is given up."""
    learning_curve: bool = True
    """Whether the model is fitted on fewer rows too, to tell what twice as many would bring. A
    seventh of `constraints.train_minutes` is left for that, where it is more than a few seconds."""
