"""`fairness`: which groups must be treated alike, by which measure, and how far they may differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field, model_validator

from charter.conflict import Conflict, agree
from charter.data import Names
from charter.frozen import Frozen
from charter.goal import Task

FairnessMetric = Literal[
    "demographic_parity", "equalised_odds", "equal_opportunity", "error_ratio"
]  # fmt: skip
MitigationName = Literal["reweighing", "decorrelation", "exponentiated_gradient", "thresholds"]
OF_CLASSES: tuple[FairnessMetric, ...] = (
    "demographic_parity", "equalised_odds", "equal_opportunity",
)  # fmt: skip
JOINED = " & "
"""Stands between the columns of an intersection: `sex & race`."""
MOST_JOINED = 3

Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Fairness(Frozen):
    """Between whom the model has to be fair; without sensitive columns nothing is asked."""

    sensitive: Names = ()
    """Columns whose groups must be treated alike: no inputs, but kept for the audit."""
    metric: FairnessMetric | Literal["auto"] = "auto"
    """What must not differ between groups: the share of each answer (demographic_parity), the
    answers given the truth (equalised_odds), the share of positives found (equal_opportunity), or
    the mean absolute error of a number (error_ratio). `auto`: equalised_odds, or error_ratio."""
    limit: Limit = 0.1
    """The largest difference between two groups of a column; for error_ratio the share by which
    the error of one group may exceed another's."""
    limits: dict[str, Limit] = {}
    """Another limit for single columns, or one for an intersection, written `sex & race`;
    intersections without one are shown and not judged."""
    support: int = Field(default=100, ge=10)
    """Rows that each rate of a group has to rest on; a group with fewer is named and not judged."""
    proxy: float = Field(default=0.9, gt=0.5, le=1)
    """The area under the ROC curve from which on a column that tells a group is warned of."""
    at_prediction: bool = False
    """Whether the sensitive columns may be inputs, so that they are asked for with each row."""

    mitigations: Literal["auto"] | tuple[MitigationName, ...] = "auto"
    """What is tried where a limit is broken on training rows: weights of the rows (reweighing),
    inputs without what tells the groups (decorrelation), a fit under the limits
    (exponentiated_gradient), a threshold that moves with the likely group (thresholds). `auto`:
    every one that suits the answer; `[]`: none, the model is only judged."""
    minutes: float = Field(default=5, gt=0, allow_inf_nan=False)
    """How long the mitigations may take, all together."""

    @property
    def mitigated(self) -> bool:
        """Whether a model that breaks a limit is mended."""
        return bool(self.sensitive) and self.mitigations != ()

    @model_validator(mode="after")
    def _agrees(self) -> Fairness:
        agree(self._conflicts())
        return self

    def _conflicts(self) -> Iterator[Conflict]:
        if not self.sensitive:
            for key in (
                key for key, value in self if value != type(self).model_fields[key].default
            ):
                yield Conflict(
                    key, "a clause about groups, but no sensitive columns",
                    "columns in fairness.sensitive", "Name them, or take the clause out.",
                )  # fmt: skip
            return
        for name in self.limits:
            if name not in self.names:
                yield Conflict(
                    f"limits.{name}", f"{name}, which is not audited",
                    f"one of {', '.join(self.names)}", "Name it in fairness.sensitive first.",
                )  # fmt: skip
        shares = {"limit": self.limit} | {f"limits.{n}": v for n, v in self.limits.items()}
        for key, value in shares.items():
            if self.metric in OF_CLASSES and value >= 1:
                yield Conflict(
                    key, f"{value:g}, which any model keeps", "a difference below 1",
                    "It is a share of the rows: 0.05 is five of a hundred.",
                )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Every column and every intersection that is audited, single columns first."""
        sizes = range(1, min(MOST_JOINED, len(self.sensitive)) + 1)
        return tuple(JOINED.join(some) for n in sizes for some in combinations(self.sensitive, n))

    def limit_of(self, name: str) -> float | None:
        """The limit of a column or intersection; None where it is only shown."""
        return self.limits.get(name, None if JOINED in name else self.limit)

    def resolved(self, task: Task) -> FairnessMetric:
        """The metric, `auto` filled in."""
        if self.metric != "auto":
            return self.metric
        return "error_ratio" if task == "regression" else "equalised_odds"


def of_fairness(
    target: str, task: Task | Literal["auto"], fairness: Fairness
) -> Iterator[Conflict]:
    """What contradicts the goal: the target as a group, a metric of another kind of answer."""
    if target in fairness.sensitive:
        yield Conflict(
            "fairness.sensitive", f"the target {target}", "other columns only",
            f"Take {target} out; groups are compared by the target.",
        )  # fmt: skip
    if task != "auto" and not means(fairness, task):
        yield Conflict(
            "fairness.metric", f"{fairness.metric} for a {task} target", wanted(task),
            "Take another metric, or change goal.target.task.",
        )  # fmt: skip


def means(fairness: Fairness, task: Task) -> bool:
    """Whether the metric has a meaning for this kind of answer."""
    return (fairness.resolved(task) == "error_ratio") == (task == "regression")


def wanted(task: Task) -> str:
    """The metrics that have one."""
    return "error_ratio" if task == "regression" else f"one of {', '.join(OF_CLASSES)}"
