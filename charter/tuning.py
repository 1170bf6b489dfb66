"""`tuning`: how the model is searched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from charter.frozen import Frozen

FamilyName = Literal["dummy", "linear", "neighbours", "tree", "forest", "boosting", "neural"]


class Tuning(Frozen):
    """The search and its space."""

    search: Literal["bayesian", "random", "grid"] = "bayesian"
    families: tuple[FamilyName, ...] | Literal["auto"] = "auto"
    """The rungs of the ladder that are tried; `auto`: all that the constraints allow."""
    trials: int | None = Field(default=None, ge=1)
    """Most trials of one family; default: as many as the minutes allow."""
    prune: bool = True
    """Whether a trial that falls behind on its first folds is given up."""
