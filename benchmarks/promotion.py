"""How often champion against challenger is decided right: equal models, and one that is better.

    python -m benchmarks.promotion [COMPARISONS]

Rows come in days with a mood of their own that shifts every answer of the day. Equal: one and the
same model reads one of the inputs through two blurs drawn from one law, so that neither can be better
but by luck; where rows have a time, each day has a blur of its own, too. Better: two models fitted on rows of their own, of which
the challenger sees one input more, worth about two points of ROC AUC. Judged like in
`tasks/compare.py`, on a holdout of 14 days, and for comparison on rows without a time; the share
promoted with its 95 % interval (Wilson, 1927).
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
import pyarrow as pa
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from charter.runtime import Runtime
from serving.signature import Decision
from tasks.comparison.answers import Said
from tasks.comparison.duel import Duel
from tasks.comparison.unseen import Unseen
from tasks.metrics import measure
from tasks.split import Rows

DAYS, ROWS, TRAINED = 14, 500, 4_000
MOOD = 0.5
"""Standard deviation of a day's shift, in units of the log odds."""
BLUR = 0.5
"""Of what blurs an input, in its standard deviations: of each row, and half of it for each day."""
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


def blurred(rng: np.random.Generator, rows: Sample, timed: bool) -> np.ndarray:
    """The inputs as one reader sees them."""
    blur = rng.normal(size=len(rows.day))
    if timed:
        blur += rng.normal(size=DAYS)[rows.day] / 2
    inputs = rows.inputs.copy()
    inputs[:, 0] += BLUR * blur
    return inputs


def equal(rng: np.random.Generator, rows: Sample, timed: bool) -> list[np.ndarray]:
    """Probabilities of the challenger and of the champion, who are the same."""
    model = fitted(rng, len(WEIGHTS))
    return [model.predict_proba(blurred(rng, rows, timed)) for _ in range(2)]


def better(rng: np.random.Generator, rows: Sample, timed: bool) -> list[np.ndarray]:
    """Probabilities of the challenger, who sees one input more, and of the champion."""
    return [fitted(rng, n).predict_proba(rows.inputs[:, :n]) for n in (5, 4)]


CASES = {"equal": equal, "better": better}


def promoted(case: str, timed: bool, seed: int) -> bool:
    """Whether one challenger wins."""
    rng = np.random.default_rng(seed)
    rows = sample(rng, DAYS, ROWS)
    ours, theirs = (Said(answers, Decision()) for answers in CASES[case](rng, rows, timed))
    blocks = rows.day if timed else None
    unseen = Unseen(Rows(pa.table({}), rows.truth), "of the benchmark", timed, blocks)
    luck = Runtime().false_promotion_rate
    duel = Duel(unseen, ours, theirs, np.ones((2, 2)) - np.eye(2), seed, luck)
    return duel.gain("roc_auc").low > 0


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
    os.environ["OMP_NUM_THREADS"] = "1"  # each process has one core
    print(f"{count} comparisons each, {DAYS} days of {ROWS} rows; the better one: "
          f"{100 * points():.1f} points of ROC AUC")  # fmt: skip
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for case in CASES:
            for timed, how in ((True, "whole days drawn"), (False, "rows drawn")):
                began = time.perf_counter()
                won = sum(pool.map(partial(promoted, case, timed), range(count), chunksize=10))
                low, high = binomtest(won, count).proportion_ci(method="wilson")
                seconds = time.perf_counter() - began
                print(f"{case:6} {how:16} promoted {won / count:6.1%} ({low:.1%} to {high:.1%}) "
                      f"in {seconds:.0f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
