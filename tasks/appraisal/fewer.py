"""What runs in the sandbox: fits on the rows that a smaller table would have had."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from charter import Charter
from tasks.engineer import Recipe
from tasks.models.base import Family, Value
from tasks.split import Rows, Training, folds, load_training
from tasks.splitting import spans
from tasks.splitting.sides import codes_of
from tasks.tuning.bench import Answer, Bench, learn, prepare, prepared


@dataclass(frozen=True)
class Fewer:
    """The bench, and the rows of each fold's fit side in the order in which a table grows."""

    bench: Bench
    grown: tuple[np.ndarray, ...]
    """Row positions; the first n are what a table of n rows would have."""
    spans: np.ndarray | None
    """Day or hour of each row, where rows have a time."""


@dataclass(frozen=True)
class Sizes:
    """What the caller has to know."""

    rows: int
    fits: tuple[int, ...]
    """Rows on the fit side of each fold."""
    tests: tuple[np.ndarray, ...]
    """Row positions on the test side of each fold."""
    truth: np.ndarray
    """Of all these rows."""
    spans: np.ndarray | None


def load(charter: Charter, training: Training, recipe: Recipe) -> Fewer:
    """Read the training rows, make the folds that tuning had, and order their fit sides."""
    rows = load_training(training)
    parts = folds(charter, training, rows)
    seconds = spans.seconds(charter, rows.table)
    return Fewer(
        bench=prepared(charter, training, recipe, rows, parts),
        grown=tuple(growth(training, rows, fit, charter.evaluation.seed) for fit, _ in parts),
        spans=None if seconds is None else spans.spans(seconds),
    )


def growth(training: Training, rows: Rows, fitting: np.ndarray, seed: int) -> np.ndarray:
    """The positions in the order in which a smaller table would have had them.

    By time: newest first, since a shorter history lacks the oldest rows. By group: one whole group
    after the other. At random: each class spread evenly, so that the first n have its share of n.
    """
    if training.time is not None:
        return fitting[::-1]
    random = np.random.default_rng(seed)
    if training.group is not None:
        _, codes = codes_of(rows.table.column(training.group))
        turn = random.permutation(int(codes.max()) + 1)
        return fitting[np.argsort(turn[codes[fitting]], kind="stable")]
    mixed = random.permutation(fitting)
    if training.task == "regression":
        return np.asarray(mixed)
    return np.asarray(mixed[np.argsort(_places(rows.truth[mixed], random), kind="stable")])


def _places(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Where each row stands between 0 and 1: those of one class at equal distances."""
    places = np.empty(len(labels))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        places[mine] = (np.arange(len(mine)) + random.random()) / len(mine)
    return places


def sizes(fewer: Fewer) -> Sizes:
    """How many rows there are, where they are tested, and what is true of them."""
    bench = fewer.bench
    return Sizes(
        rows=len(bench.truth),
        fits=tuple(len(fit) for fit, _ in bench.parts),
        tests=tuple(test for _, test in bench.parts),
        truth=bench.truth,
        spans=fewer.spans,
    )


def try_rows(
    fewer: Fewer,
    family: Family,
    params: Mapping[str, Value],
    fold: int,
    rows: int,
    tested: int | None = None,
) -> Answer:
    """Fit on the first `rows` of the fold's fit side, as its table grows, and predict its test
    side (the first `tested` of it)."""
    began = time.perf_counter()
    fitting, test = np.sort(fewer.grown[fold][:rows]), fewer.bench.parts[fold][1][:tested]
    made = prepare(fewer.bench, family, fitting, test)
    return learn(fewer.bench, family, params, made, time.perf_counter() - began)
