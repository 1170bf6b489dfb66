"""What is judged: the truth of some rows, the model's answers, and the rule that prices them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from serving.signature import Decision


@dataclass(frozen=True)
class Case:
    """Predictions with their truth; probabilities have shape (rows, classes), values (rows,)."""

    metric: str
    truth: np.ndarray
    ours: np.ndarray
    decision: Decision
    prices: np.ndarray
    seed: int

    def only(self, rows: np.ndarray) -> Case:
        """The same case on the rows of a mask."""
        return replace(self, truth=self.truth[rows], ours=self.ours[rows])
