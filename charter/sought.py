"""What is looked for in the rows, where nobody knows the truth: the base of `clusters` and `anomalies`."""

from __future__ import annotations

from typing import ClassVar

from charter.data import Names
from charter.frozen import Frozen


class Sought(Frozen):
    """A truth that is found and not told."""

    clause: ClassVar[str]
    """Where it stands below `goal.target`."""
    things: ClassVar[str]
    """What is found, in words."""
    kind: ClassVar[str]
    """SQL type of the column that is made of it."""

    columns: Names = ()
    """By what rows are alike; none: every number, flag and category that may be an input."""

    @property
    def where(self) -> str:
        """The clause, for a person to look at."""
        return f"goal.target.{self.clause}"
