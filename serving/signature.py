"""What goes into a model and what comes out, in the user's own columns."""

from __future__ import annotations

from typing import Literal

from charter import Frozen
from charter.goal import Task

Kind = Literal["number", "flag", "time", "text"]


class Input(Frozen):
    """One raw column, as a client sends it."""

    name: str
    kind: Kind
    """`number` and `flag` (true or false) and `time` (ISO 8601) go into the packed numbers
    (a time as seconds since 1970-01-01T00:00 UTC), `text` into the packed texts."""
    required: bool = False
    """Whether a row without it is refused; otherwise it counts as missing."""
    example: str | float | bool | None = None
    low: float | None = None
    high: float | None = None
    """Smallest and largest value seen in training (seconds for times)."""
    levels: tuple[str, ...] = ()
    """The most frequent texts seen in training, most frequent first."""


class Decision(Frozen):
    """How probabilities become a class: the largest of probability times weight.

    Two classes: positive when its probability is at least `threshold`. The rule that minimises
    the expected cost (Elkan, The Foundations of Cost-Sensitive Learning, 2001).
    """

    threshold: float | None = None
    weights: tuple[float, ...] = ()
    """More classes: one per class, in the order of the signature."""


class Signature(Frozen):
    """The raw columns in, and the answer out."""

    project: str
    target: str
    task: Task
    inputs: tuple[Input, ...]
    classes: tuple[str, ...] = ()
    """Class labels in the order of the probabilities; two classes: negative, positive."""
    carried: tuple[Input, ...] = ()
    """Columns that a client may send along although the model does not use them: what names the
    row, its time, what the scorecard is broken down by. The journal keeps them for the next
    training; none is required."""
    hashed: tuple[str, ...] = ()
    """Of these: columns that name persons. Their values are replaced by keyed hashes before anything
    is kept (`serving/pseudonyms.py`)."""
    say: dict[str, str] = {}
    """The charter's words for each class."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the columns of the packed float64 tensor `numbers`, shape (rows, len)."""
        return tuple(column.name for column in self.inputs if column.kind != "text")

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the columns of the packed string tensor `texts`, shape (rows, len)."""
        return tuple(column.name for column in self.inputs if column.kind == "text")
