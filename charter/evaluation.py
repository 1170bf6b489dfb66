"""`evaluation`: how the model is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from charter.conflict import Conflict, agree
from charter.data import Names
from charter.frozen import Frozen
from charter.goal import Label, Task

Metric = Literal[
    "roc_auc", "average_precision", "log_loss", "brier", "accuracy", "balanced_accuracy", "f1",
    "cost", "rmse", "mae", "r2",
]  # fmt: skip
Baseline = Literal[
    "dummy", "heuristic", "linear", "bayes", "neighbours", "tree", "forest", "extra_trees",
]  # fmt: skip

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
LARGEST: dict[Metric, float] = {
    "roc_auc": 1, "average_precision": 1, "accuracy": 1, "balanced_accuracy": 1, "f1": 1, "r2": 1,
}  # fmt: skip
"""The best value of each metric that is better when greater; losses are at best 0."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


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
    """The share of the rows."""


class ByGroup(Frozen):
    """No group stands on both sides."""

    by: Literal["group"]
    column: str
    """Says for each row which group it belongs to; a group is never divided."""
    holdout: float = Field(default=0.2, gt=0, lt=1)
    """The share of the groups."""


class ByValue(Frozen):
    """The data say it themselves: the rows with one value of a column are held out."""

    by: Literal["value"]
    column: str
    """Says for each row which part it belongs to; never a feature."""
    holdout: Label
    """The value of the rows that are held out; those without a value are trained on."""


Split = Annotated[ByTime | AtRandom | ByGroup | ByValue, Field(discriminator="by")]


class Evaluation(Frozen):
    """The metric, the holdout, and what has to be reached."""

    metric: Metric | Literal["auto"] = "auto"
    """What the search optimises; `auto`: roc_auc, log_loss or rmse by task."""
    split: Split | None = None
    """How the holdout is made; default: by time where `data.time` names a column, else at random."""
    folds: int = Field(default=4, ge=2, le=20)
    """Folds of the search, inside the training rows; they follow the same rule as the holdout."""
    beat: dict[Baseline, Finite] = {"dummy": 0.0}
    """By how much (in the metric's unit, better is positive) the model must beat each baseline on
    the holdout. The dummy it must beat beyond doubt; doubt about another is a warning."""
    minimum: dict[Metric, Finite] = {}
    """The worst value allowed of each metric on the holdout (for losses: the largest)."""
    slices: Names = ()
    """Columns by whose values the metric is broken down; the worst slices are shown."""
    slice_gap: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How much worse than the whole the worst slice may be before the model is refused."""
    seed: int = Field(default=0, ge=0)
    """Seed of splits, searches and bootstraps."""

    @model_validator(mode="after")
    def _agrees(self) -> Evaluation:
        agree(self._conflicts())
        return self

    def _conflicts(self) -> Iterator[Conflict]:
        for name, value in self.minimum.items():
            most = LARGEST.get(name)
            if (value > most) if most is not None else (value <= 0):
                wanted = f"{most:g} at most" if most is not None else "more than 0"
                yield Conflict(f"minimum.{name}", f"{value:g}", wanted, "No model can reach this.")
        if self.slice_gap is not None and not self.slices:
            yield Conflict(
                "slice_gap",
                "a gap, but no slices",
                "columns in evaluation.slices",
                "Name the columns whose values are compared, or take the gap out.",
            )
        if self.metric == "auto" or self.metric not in LARGEST:
            return
        for baseline, value in self.beat.items():
            if value >= 1:
                yield Conflict(
                    f"beat.{baseline}",
                    f"{value:g} of {self.metric}",
                    "a gain below 1",
                    "It is in the metric's unit: 0.01 is one hundredth.",
                )
