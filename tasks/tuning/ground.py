"""What every part of one search stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from charter import Charter
from tasks.metrics import greater_is_better, measure, prices
from tasks.split import Training
from tasks.tuning.bench import Bench, Survey
from tasks.tuning.clock import Clock
from tasks.tuning.crew import Crew
from tasks.tuning.folder import Folder
from tasks.tuning.sandbox import Sandbox

CLOSING = 1.0
CLOSING_SHARE = 0.02


@dataclass(frozen=True)
class Ground:
    """The charter, the rows' sizes and truth, the child, who runs trials, the clock and the folder."""

    charter: Charter
    training: Training
    survey: Survey
    sandbox: Sandbox[Bench]
    crew: Crew
    clock: Clock
    folder: Folder

    @property
    def closing(self) -> float:
        """Seconds kept for the papers."""
        return CLOSING + CLOSING_SHARE * self.clock.total

    @property
    def until_closing(self) -> float:
        """Seconds that are left before the papers."""
        return max(0.0, self.clock.left - self.closing)

    def ready(self) -> None:
        """Wait for a child that was replaced, so that no fit pays for it; raises `Stopped`."""
        self.sandbox.ready(self.until_closing)

    @property
    def grown(self) -> float:
        """How many times more rows than the search works on the final fit may have."""
        return self.survey.whole / self.survey.rows

    @property
    def drawn(self) -> str:
        """Which rows the search works on, in words; empty where it has all."""
        survey = self.survey
        if survey.whole == survey.rows:
            return ""
        return f"all rungs were searched on {survey.rows:,} rows, drawn from {survey.whole:,}"

    @property
    def greater(self) -> bool:
        return greater_is_better(self.training.metric)

    @property
    def seed(self) -> int:
        return self.charter.evaluation.seed

    @property
    def prices(self) -> np.ndarray:
        return prices(self.charter.goal.cost, self.training.task, self.training.classes)

    @property
    def truth(self) -> np.ndarray:
        """Of the test rows of all folds, one fold after the other."""
        return np.asarray(self.survey.truth[np.concatenate(self.survey.tests)])

    @property
    def floor(self) -> float:
        """The score of who knows only how frequent the classes are, or the mean."""
        truth = self.truth
        if self.training.task == "regression":
            return self.score(truth, np.full(len(truth), truth.mean()))
        shares = np.bincount(truth, minlength=len(self.training.classes)) / len(truth)
        return self.score(truth, np.tile(shares, (len(truth), 1)))

    def score(self, truth: np.ndarray, answers: np.ndarray) -> float:
        """The charter's metric; NaN where the rows cannot say."""
        return measure(self.training.metric, truth, answers, None, self.prices)

    def better(self, one: float, other: float | None) -> bool:
        return other is None or (one > other if self.greater else one < other)
