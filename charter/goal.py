"""`goal`: what the model is for and what its errors cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from charter.frozen import Frozen

Task = Literal["binary", "multiclass", "regression"]
Label = bool | int | float | str


class Target(Frozen):
    """What is to be predicted."""

    column: str = Field(min_length=1)
    """The column that holds the truth, in the source or made by `derive`."""
    derive: str | None = None
    """An SQL expression over the source's columns that makes the column, evaluated by DuckDB."""
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    """The kind of answer; `auto` reads it off the values."""
    positive: Label | None = None
    """The label that counts as an alarm, for two classes; default: true, yes, 1 or the rarer one."""


class Cost(Frozen):
    """What each kind of error costs, in any one unit; decides the threshold and is reported."""

    false_alarm: float | None = Field(default=None, gt=0)
    """Two classes: answering positive when it was not."""
    miss: float | None = Field(default=None, gt=0)
    """Two classes: answering negative when it was positive."""
    missed: dict[str, float] = {}
    """More classes: cost of missing a row of this class (1 where none is given)."""
    over: float | None = Field(default=None, gt=0)
    """A number: cost per unit predicted above the truth."""
    under: float | None = Field(default=None, gt=0)
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
