"""The judgement on the holdout: metrics with intervals, slices, costs and gates."""

from __future__ import annotations

from charter import Charter, Frozen, Verdict
from serving.signature import Decision
from tasks.engineer import Recipe
from tasks.split import Look, Split
from tasks.tune import Rung, Study


class Measure(Frozen):
    """One metric with its 95 % bootstrap interval (Efron, 1979)."""

    name: str
    value: float
    low: float
    high: float


class Slice(Frozen):
    """The metric on the rows with one value of one column."""

    column: str
    value: str
    rows: int
    measure: Measure


class Scorecard(Frozen):
    """What the holdout said."""

    project: str
    fingerprint: str
    metric: str
    family: str
    measures: tuple[Measure, ...]
    gains: dict[str, Measure] = {}
    """Per baseline of `evaluation.beat`: by how much the model is better, paired bootstrap."""
    decision: Decision
    slices: tuple[Slice, ...] = ()
    """Worst first."""
    ladder: tuple[Rung, ...]
    calibration_error: float | None = None
    """Expected calibration error in 10 bins of equal size."""
    verdicts: tuple[Verdict, ...]
    looks: tuple[Look, ...]
    page: str
    """The HTML page, relative to the root."""
    numbers: str
    """Everything on the page as JSON, relative to the root."""


def evaluate(charter: Charter, split: Split, recipe: Recipe, study: Study) -> Scorecard:
    """Open the holdout once for this study and judge the winner and the baselines."""
    raise NotImplementedError
