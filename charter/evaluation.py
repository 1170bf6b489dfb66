"""`evaluation`: how the model is judged."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from charter.frozen import Frozen
from charter.goal import Task

Metric = Literal[
    "roc_auc", "average_precision", "log_loss", "brier", "accuracy", "balanced_accuracy", "f1",
    "cost", "rmse", "mae", "r2",
]  # fmt: skip
Baseline = Literal["dummy", "linear", "neighbours", "tree", "forest"]

CLASS_METRICS: tuple[Metric, ...] = (
    "roc_auc", "average_precision", "log_loss", "brier", "accuracy", "balanced_accuracy", "f1",
    "cost",
)  # fmt: skip
METRICS: dict[Task, tuple[Metric, ...]] = {
    "binary": CLASS_METRICS,
    "multiclass": CLASS_METRICS,
    "regression": ("rmse", "mae", "r2", "cost"),
}
"""The metrics that have a meaning for each task."""
AUTO: dict[Task, Metric] = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
"""What `metric: auto` stands for."""


def _duration(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*[hdw]", text):
        raise ValueError("a number of hours, days or weeks, as in 36h, 14d or 2w")
    return text


Duration = Annotated[str, AfterValidator(_duration)]


class ByTime(Frozen):
    """Later rows test earlier ones."""

    by: Literal["time"]
    holdout: Duration = "14d"
    """How much of the end is held out."""


class AtRandom(Frozen):
    """A seeded share of the rows, stratified by class."""

    by: Literal["random"]
    holdout: float = Field(default=0.2, gt=0, lt=1)


class ByGroup(Frozen):
    """No group stands on both sides."""

    by: Literal["group"]
    column: str
    holdout: float = Field(default=0.2, gt=0, lt=1)


Split = Annotated[ByTime | AtRandom | ByGroup, Field(discriminator="by")]


class Evaluation(Frozen):
    """The metric, the holdout, and what has to be reached."""

    metric: Metric | Literal["auto"] = "auto"
    """What the search optimises; `auto`: roc_auc, log_loss or rmse by task."""
    split: Split | None = None
    """How the holdout is made; default: by time where `data.time` names a column, else at random."""
    folds: int = Field(default=4, ge=2, le=20)
    """Folds of the search, inside the training rows; they follow the same rule as the holdout."""
    beat: dict[Baseline, float] = {"dummy": 0.0}
    """By how much (in the metric's unit, better is positive) the model must beat each baseline."""
    minimum: dict[Metric, float] = {}
    """The worst value allowed of each metric on the holdout (for losses: the largest)."""
    slices: tuple[str, ...] = ()
    """Columns by whose values the metric is broken down; the worst slices are shown."""
    slice_gap: float | None = Field(default=None, gt=0)
    """How much worse than the whole the worst slice may be before the model is refused."""
    seed: int = Field(default=0, ge=0)
    """Seed of splits, searches and bootstraps."""
