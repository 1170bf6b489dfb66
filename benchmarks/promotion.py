"""How often champion against challenger is decided right: equal models, and one that is better.

    python -m benchmarks.promotion [COMPARISONS]

Rows come in days with a mood of their own that shifts every answer of the day; each model is a
logistic regression fitted on rows of its own. Equal: both see the same inputs. Better: the
challenger sees one input more, worth about two points of ROC AUC. Judged like in `tasks/compare.py`,
on a holdout of 14 days, and for comparison on rows without a time.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from serving.signature import Decision
from tasks.comparison.answers import Said
from tasks.comparison.duel import Duel
from tasks.comparison.unseen import Unseen
from tasks.metrics import measure
from tasks.split import Rows

DAYS, ROWS, TRAINED = 14, 500, 4_000
MOOD = 0.5
"""Standard deviation of a day's shift, in units of the log odds."""
WEIGHTS = np.array([0.9, -0.6, 0.5, 0.4, 0.5])


@dataclass(frozen=True)
class Sample:
    """Inputs, truth, and the day of each row."""

    inputs: np.ndarray
    truth: np.ndarray
    day: np.ndarray


def sample(rng: np.random.Generator, days: int, rows: int) -> Sample:
    """Rows of some days; a model never sees the day's mood."""
    day = np.repeat(np.arange(days), rows)
    inputs = rng.normal(size=(len(day), len(WEIGHTS)))
    odds = inputs @ WEIGHTS - 0.8 + MOOD * rng.normal(size=days)[day]
    return Sample(inputs, (rng.random(len(day)) < 1 / (1 + np.exp(-odds))).astype(int), day)


def fitted(rng: np.random.Generator, inputs: int) -> LogisticRegression:
    """A model of the first inputs, on rows of its own."""
    rows = sample(rng, 40, TRAINED // 40)
    return LogisticRegression().fit(rows.inputs[:, :inputs], rows.truth)


def duel(rng: np.random.Generator, champion: int, challenger: int, timed: bool) -> Duel:
    """Two models, by how many inputs each sees, on one holdout."""
    rows = sample(rng, DAYS, ROWS)
    said = [
        Said(model.predict_proba(rows.inputs[:, :inputs]), Decision())
        for inputs in (challenger, champion)
        for model in [fitted(rng, inputs)]
    ]
    blocks = rows.day if timed else None
    unseen = Unseen(Rows(pa.table({}), rows.truth), "of the benchmark", timed, blocks)
    return Duel(unseen, said[0], said[1], np.ones((2, 2)) - np.eye(2), seed=0)


def promoted(count: int, champion: int, challenger: int, timed: bool, seed: int) -> float:
    """The share of comparisons that promote the challenger."""
    rng = np.random.default_rng(seed)
    wins = sum(duel(rng, champion, challenger, timed).gain("roc_auc").low > 0 for _ in range(count))
    return wins / count


def points(seed: int = 0) -> float:
    """What the last input is worth, on many rows."""
    rng = np.random.default_rng(seed)
    rows = sample(rng, 400, 500)
    auc = [
        measure("roc_auc", rows.truth, fitted(rng, n).predict_proba(rows.inputs[:, :n]))
        for n in (4, 5)
    ]
    return auc[1] - auc[0]


def main(count: int) -> None:
    print(f"{count} comparisons each, {DAYS} days of {ROWS} rows; the better one: "
          f"{100 * points():.1f} points of ROC AUC")  # fmt: skip
    for timed, how in ((True, "whole days drawn"), (False, "rows drawn")):
        began = time.perf_counter()
        same = promoted(count, 5, 5, timed, seed=1)
        better = promoted(count, 4, 5, timed, seed=2)
        seconds = (time.perf_counter() - began) / (2 * count)
        print(f"{how:18} equal promoted {same:6.1%}   better promoted {better:6.1%}   "
              f"{seconds:.2f} s a comparison")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
