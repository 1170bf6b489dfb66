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
    spans: np.ndarray | None = None
    """The day or hour of each row, numbered from 0: drawn whole. None: rows are drawn one by one."""

    @property
    def drawn(self) -> int | None:
        """How many spans there are."""
        return None if self.spans is None else int(self.spans.max()) + 1

    def only(self, rows: np.ndarray) -> Case:
        """The same case on the rows of a mask."""
        spans = self.spans
        if spans is not None:
            spans = np.unique(spans[rows], return_inverse=True)[1]
        return replace(self, truth=self.truth[rows], ours=self.ours[rows], spans=spans)
