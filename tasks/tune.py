"""The one door to Optuna: the ladder of families, searched within the charter's minutes."""

from __future__ import annotations

from charter import Charter, Frozen
from charter.tuning import FamilyName
from tasks.engineer import Recipe
from tasks.split import Training

Value = bool | int | float | str | None


class Rung(Frozen):
    """One family's best within the search."""

    family: FamilyName
    params: dict[str, Value] = {}
    score: float | None = None
    """Mean of the charter's metric over the folds; None where no trial finished."""
    low: float | None = None
    high: float | None = None
    """95 % interval of the score from a bootstrap of the out-of-fold rows."""
    trials: int = 0
    seconds: float = 0.0
    row_ms: float | None = None
    """Median milliseconds of one row in ONNX Runtime."""
    model_mb: float | None = None
    taken: bool = False
    """Whether this is the chosen rung."""
    why: str = ""
    """Why it was taken, passed over or not tried, in words."""


class Study(Frozen):
    """The search, its winner and the ladder."""

    project: str
    fingerprint: str
    where: str
    """Folder of the study, relative to the root."""
    search: str
    metric: str
    family: FamilyName
    params: dict[str, Value]
    ladder: tuple[Rung, ...]
    """Simplest first."""
    model: str
    """The winner fitted on all training rows (skops file, relative to the root)."""
    baselines: dict[str, str] = {}
    """Fitted pipelines of the families named in `evaluation.beat`, likewise."""
    out_of_fold: str
    """Parquet file of the winner's out-of-fold predictions: row, truth, p_0, p_1 … or value."""
    trials: str
    """Parquet file: number, family, state, score, seconds, params (JSON)."""
    seconds: float
    peak_gb: float


def tune(charter: Charter, training: Training, recipe: Recipe) -> Study:
    """Climb the ladder: search each family, keep a rung only when its gain pays for its cost."""
    raise NotImplementedError
