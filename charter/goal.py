"""`goal`: what the model is for and what its errors cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from charter.clusters import Clusters
from charter.conflict import Conflict, agree
from charter.frozen import Frozen
from charter.heuristic import Heuristic

Task = Literal["binary", "multiclass", "regression"]
Label = bool | int | float | str
Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]

COSTS: dict[Task, tuple[str, ...]] = {
    "binary": ("false_alarm", "miss"),
    "multiclass": ("missed",),
    "regression": ("over", "under"),
}
"""The costs that have a meaning for each task."""


class Target(Frozen):
    """What is to be predicted."""

    column: str = Field(min_length=1)
    """The column that holds the truth, in the source or made by `derive` or `clusters`."""
    derive: str | None = None
    """An SQL expression over the source's columns that makes the column, evaluated by DuckDB."""
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    """The kind of answer; `auto` reads it off the values."""
    positive: Label | None = None
    """The label that counts as an alarm, for two classes; default: true, yes, 1 or the rarer one."""
    clusters: Clusters | None = None
    """Nobody knows the truth: rows are sorted into groups (A, B, …) that are found in the data, and
    the column is made of them. `{}` finds them with the defaults."""

    @property
    def made(self) -> str | None:
        """What makes the column while rows land; that of clusters is filled once all rows are in."""
        return "CAST(NULL AS VARCHAR)" if self.clusters is not None else self.derive

    @model_validator(mode="after")
    def _found_or_given(self) -> Target:
        given = {
            "derive": self.derive is not None,
            "task": self.task != "auto",
            "positive": self.positive is not None,
        }
        if self.clusters is not None:
            agree(
                Conflict(
                    name,
                    f"{name} beside clusters",
                    "one of the two",
                    "Take one out: the names and the number of groups come from the data.",
                )
                for name, there in given.items()
                if there
            )
        return self

    @model_validator(mode="after")
    def _positive_of_two(self) -> Target:
        if self.positive is not None and self.task in ("multiclass", "regression"):
            agree(
                [
                    Conflict(
                        "positive",
                        f"a positive label with task: {self.task}",
                        "one for two classes only",
                        "Take one of the two out.",
                    )
                ]
            )
        return self


class Cost(Frozen):
    """What each kind of error costs, in any one unit; decides the threshold and is reported."""

    false_alarm: Price | None = None
    """Two classes: answering positive when it was not."""
    miss: Price | None = None
    """Two classes: answering negative when it was positive."""
    missed: dict[str, Price] = {}
    """More classes: cost of missing a row of this class (1 where none is given)."""
    over: Price | None = None
    """A number: cost per unit predicted above the truth."""
    under: Price | None = None
    """A number: cost per unit predicted below the truth."""

    @model_validator(mode="after")
    def _one_kind(self) -> Cost:
        kinds = [
            "false_alarm and miss" if self.false_alarm or self.miss else "",
            "missed" if self.missed else "",
            "over and under" if self.over or self.under else "",
        ]
        given = [kind for kind in kinds if kind]
        if len(given) > 1:
            raise ValueError(f"costs of one kind of task only: keep one of {', '.join(given)}")
        return self

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the costs that are set."""
        return tuple(name for name in type(self).model_fields if getattr(self, name))


class Goal(Frozen):
    """The question, why it is worth a model, and who acts on the answer."""

    question: str = ""
    """The question that the model answers, as a person would ask it."""
    because: str = ""
    """Why machine learning: what pattern is expected and what an answer is worth."""
    acts_on_it: str = ""
    """Who does something differently because of the answer."""
    target: Target
    cost: Cost = Cost()
    heuristic: Heuristic | None = None
    """What a person would answer without a model, as rules: the rung above the dummy, which every
    other one has to beat to be taken."""

    @model_validator(mode="after")
    def _agrees(self) -> Goal:
        agree(self._conflicts())
        return self

    def _conflicts(self) -> Iterator[Conflict]:
        task = self.target.task
        if task == "auto":
            return
        for name in self.cost.given:
            if name not in COSTS[task]:
                yield Conflict(
                    f"cost.{name}",
                    f"a cost that a {task} target has not",
                    f"{' or '.join(COSTS[task])}",
                    "Take it out, or change goal.target.task.",
                )
