"""Which columns become inputs, what each one is worth, and what was left out and why."""

from __future__ import annotations

from charter import Charter, Frozen, Verdict
from serving.signature import Signature
from tasks.explore import Profile
from tasks.recipe.clock import Part
from tasks.split import Training


class Dropped(Frozen):
    """A column that is no input, and why."""

    column: str
    why: str


class Impact(Frozen):
    """What the metric loses when the column is permuted (Breiman, Random Forests, 2001)."""

    column: str
    mean: float
    low: float
    high: float


class PcaTrial(Frozen):
    """Whether principal components pay (explained either way)."""

    columns: tuple[str, ...]
    components: int
    kept: bool
    explanation: str


class Recipe(Frozen):
    """The inputs and how they are prepared; `tasks/recipe/` builds the steps from it."""

    project: str
    fingerprint: str
    signature: Signature
    calendar: tuple[str, ...] = ()
    """Inputs of kind time."""
    parts: dict[str, tuple[Part, ...]] = {}
    """For each input of kind time, the calendar parts that the training rows cover."""
    categories: int
    """Most levels of one category that get a column of their own."""
    dropped: tuple[Dropped, ...] = ()
    impact: tuple[Impact, ...] = ()
    """Largest first."""
    pca: PcaTrial | None = None
    verdicts: tuple[Verdict, ...] = ()
    page: str
    """The HTML page, relative to the root."""


def engineer(charter: Charter, training: Training, profile: Profile) -> Recipe:
    """Choose the inputs and measure their impact on training rows only; leaks are refused."""
    raise NotImplementedError
