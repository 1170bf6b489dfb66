"""`goal.heuristic`: what a person would answer without a model, as rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from charter.frozen import Frozen

Label = bool | int | float | str
Sign = Literal["<", "<=", ">", ">=", "in", "missing"]
_COMPARISON = re.compile(r"\s*(<=|>=|<|>)\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Test:
    """One comparison of one column; a missing value passes only `missing`."""

    column: str
    sign: Sign
    bound: float = 0.0
    """What `<`, `<=`, `>` and `>=` compare with."""
    among: tuple[Label, ...] = ()
    """What `in` allows."""

    def __str__(self) -> str:
        if self.sign == "missing":
            return f"{self.column} is missing"
        if self.sign != "in":
            return f"{self.column} {self.sign} {self.bound:g}"
        return f"{self.column} is {' or '.join(spoken(one) for one in self.among)}"


def spoken(label: Label) -> str:
    """A value as a class label: `true`, `3` also for 3.0, texts as they stand."""
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, float) and label.is_integer() and abs(label) < 1e15:
        return str(int(label))
    return str(label)


class Instruction(Frozen):
    """If all conditions hold, then this answer."""

    when: dict[str, Label | tuple[Label, ...]] = Field(min_length=1)
    """For each column a condition: a comparison with a number as in `"> 1000"`, a value that it
    has to equal, a list of values of which it has to be one, or `missing`. All have to hold."""
    then: Label
    """The answer: one of the target's classes, or a number."""

    @field_validator("when")
    @classmethod
    def _comparable(cls, when: dict[str, object]) -> dict[str, object]:
        for column, condition in when.items():
            if isinstance(condition, str) and condition.lstrip().startswith(("<", ">", "=", "!")):
                if not _COMPARISON.fullmatch(condition):
                    raise ValueError(
                        f"{column}: a comparison with a number, as in '> 1000' or '<= 0.5'; "
                        "a value alone means that it has to be equal"
                    )
            elif condition == ():
                raise ValueError(f"{column}: at least one value")
        return when

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(_test(column, condition) for column, condition in self.when.items())

    def __str__(self) -> str:
        return f"if {' and '.join(map(str, self.tests))}: {spoken(self.then)}"


class Heuristic(Frozen):
    """The first rule whose conditions hold gives the answer."""

    rules: tuple[Instruction, ...] = Field(min_length=1)
    """Read from the top."""
    otherwise: Label
    """The answer where no rule holds."""

    @property
    def answers(self) -> tuple[Label, ...]:
        """What each rule says, and last what is said otherwise."""
        return (*(rule.then for rule in self.rules), self.otherwise)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a rule reads, each once."""
        return tuple(dict.fromkeys(column for rule in self.rules for column in rule.when))


def _test(column: str, condition: Label | tuple[Label, ...]) -> Test:
    if isinstance(condition, tuple):
        return Test(column, "in", among=condition)
    if condition == "missing":
        return Test(column, "missing")
    found = _COMPARISON.fullmatch(condition) if isinstance(condition, str) else None
    if found is None:
        return Test(column, "in", among=(condition,))
    signs: dict[str, Sign] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
    return Test(column, signs[found[1]], bound=float(found[2]))
