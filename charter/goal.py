"""`goal`: what the model is for and what its errors cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from charter.anomalies import Anomalies
from charter.clusters import Clusters
from charter.conflict import Conflict, agree
from charter.data import Names
from charter.frozen import Frozen
from charter.heuristic import Heuristic
from charter.sought import Sought

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
    """The column that holds the truth, in the source or made by `derive`, `clusters` or
    `anomalies`."""
    derive: str | None = None
    """An SQL expression over the source's columns that makes the column, evaluated by DuckDB."""
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    """The kind of answer; `auto` reads it off the values."""
    positive: Label | None = None
    """The label that counts as an alarm, for two classes; default: true, yes, 1 or the rarer one."""
    clusters: Clusters | None = None
    """Nobody knows the truth: rows are sorted into groups (A, B, …) that are found in the data, and
    the column is made of them. `{}` finds them with the defaults."""

    anomalies: Anomalies | None = None
    """Nobody knows the truth: the rows that are least like the others are found in the data, and the
    column says of each row whether it is one (true) or not (false). `{}` finds them with the
    defaults."""

    @property
    def sought(self) -> Sought | None:
        """What makes the truth, where nobody knows it."""
        return self.clusters or self.anomalies

    @property
    def made(self) -> str | None:
        """What makes the column while rows land; what is sought fills it once all rows are in."""
        return f"CAST(NULL AS {self.sought.kind})" if self.sought else self.derive

    @property
    def known(self) -> Names:
        """The column that what is found is compared with, if there is one."""
        known = self.anomalies.known if self.anomalies else None
        return () if known is None else (known,)

    def with_columns(self, columns: Names) -> Target:
        """The same, found by these columns."""
        assert self.sought is not None
        told = self.sought.model_copy(update={"columns": columns})
        return self.model_copy(update={self.sought.clause: told})

    @model_validator(mode="after")
    def _found_or_given(self) -> Target:
        given = {
            "anomalies": self.anomalies is not None and self.clusters is not None,
            "derive": self.derive is not None,
            "task": self.task != "auto",
            "positive": self.positive is not None,
        }
        if self.column in self.known:
            agree(
                [
                    Conflict(
                        "anomalies.known",
                        f"the target {self.column}",
                        "a column of the data",
                        "The target is what is found; give it a name of its own.",
                    )
                ]
            )
        if self.sought is not None:
            agree(
                Conflict(
                    name,
                    f"{name} beside {self.sought.clause}",
                    "one of the two",
                    "Take one out: what the answers are comes from the data.",
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
