"""What the rows before the release looked like; stands in the bundle, for later comparison.

Counts per column, cell and day, and curves: no single row can be read from it, and a bootstrap of
days needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from charter import Charter, Frozen
from serving.signature import Decision, Signature
from tasks import metrics
from tasks.engineer import Recipe
from tasks.monitoring import cells, days
from tasks.monitoring.answers import answered
from tasks.monitoring.cells import Cells
from tasks.monitoring.counting import counted
from tasks.monitoring.estimate import Curve, curves, estimated
from tasks.recipe import clock
from tasks.recipe.clock import Part
from tasks.recipe.inputs import frame
from tasks.split import Rows
from tasks.splitting.sides import moments

FILE = "reference.json"
ENOUGH = 500
"""Rows of the holdout that speak for themselves; with fewer, out-of-fold answers join them."""


class Counted(Frozen):
    """One column, or one calendar part of a time, counted."""

    name: str
    part: Part | None = None
    cells: Cells
    counts: tuple[tuple[int, ...], ...]
    """Rows per block and cell."""

    @property
    def matrix(self) -> np.ndarray:
        return np.array(self.counts, dtype=np.int64).reshape(len(self.counts), -1)

    @property
    def title(self) -> str:
        return f"{self.name} ({self.part})" if self.part else self.name


class Counts(Frozen):
    """Columns of the same rows."""

    rows: int
    days: tuple[str, ...] = ()
    """First day of each block of rows that belong together; none where rows are independent."""
    columns: tuple[Counted, ...]


class Reference(Frozen):
    """The rows that the release was made and judged with."""

    project: str
    inputs: Counts
    """Training rows and holdout."""
    answers: Counts
    """Answers to rows that the answering model had not learned from."""
    curves: tuple[Curve, ...]
    """What answers turned out to mean, on the same rows."""
    metric: str
    measured: float
    """The metric on the rows of `answers`."""
    expected: float | None = None
    """What the estimate without labels says of these very rows."""


@dataclass(frozen=True)
class Judged:
    """Rows whose truth is known, with answers of a model that did not learn from them."""

    truth: np.ndarray
    answers: np.ndarray
    """Probabilities, shape (rows, classes), or values, shape (rows,)."""
    seconds: np.ndarray | None
    """When each row was, where the charter names a time column."""

    def then(self, other: Judged) -> Judged:
        """These rows and the others."""
        return Judged(
            np.concatenate([self.truth, other.truth]),
            np.concatenate([self.answers, other.answers]),
            _both(self.seconds, other.seconds),
        )


@dataclass(frozen=True)
class Before:
    """Everything that the reference is made of."""

    charter: Charter
    recipe: Recipe
    decision: Decision
    metric: str
    training: Rows
    holdout: Rows
    judged: Judged
    """The holdout with the model's answers."""
    out_of_fold: Judged | None


def make(before: Before) -> Reference:
    """Count the rows before the release."""
    judged = before.judged
    if len(judged.truth) < ENOUGH and before.out_of_fold is not None:
        judged = judged.then(before.out_of_fold)
    signature, decision = before.recipe.signature, before.decision
    prices = metrics.prices(before.charter.goal.cost, signature.task, signature.classes)
    found = curves(signature, judged.truth, judged.answers)
    expected = estimated(before.metric, judged.answers, found, decision, prices)
    return Reference(
        project=before.charter.name,
        inputs=_inputs(before),
        answers=_answers(signature, decision, judged),
        curves=found,
        metric=before.metric,
        measured=metrics.measure(before.metric, judged.truth, judged.answers, decision, prices),
        expected=expected.value if expected else None,
    )


def when(charter: Charter, rows: Rows) -> np.ndarray | None:
    """Seconds since 1970 of each row, where the charter names a time column."""
    name = charter.data.time
    if name is None or name not in rows.table.column_names:
        return None
    return moments(rows.table.column(name), name)


def compared(
    recipe_parts: Mapping[str, tuple[Part, ...]], signature: Signature
) -> Iterator[tuple[str, Part | None]]:
    """Inputs, times as the calendar parts that the model uses: a moment itself never comes back."""
    for column in signature.inputs:
        if column.kind != "time":
            yield column.name, None
        else:
            yield from ((column.name, part) for part in recipe_parts.get(column.name, ()))


def part_of(values: np.ndarray, part: Part | None) -> np.ndarray:
    """The values, or this part of them; whole hours, since clients may send minutes."""
    return values if part is None else np.floor(clock.parts(values, np.floor)[part])


def _inputs(before: Before) -> Counts:
    signature = before.recipe.signature
    sides = [frame(signature, side.table) for side in (before.training, before.holdout)]
    whole = pd.concat(sides, ignore_index=True)
    seconds = _both(when(before.charter, before.training), when(before.charter, before.holdout))
    block, names = _blocks(seconds, len(whole))
    kinds = {column.name: column.kind for column in signature.inputs}
    columns = [
        _counted(name, part, kinds[name], part_of(whole[name].to_numpy(), part), block, names)
        for name, part in compared(before.recipe.parts, signature)
    ]
    return Counts(rows=int((block >= 0).sum()), days=names, columns=tuple(columns))


def _answers(signature: Signature, decision: Decision, judged: Judged) -> Counts:
    block, names = _blocks(judged.seconds, len(judged.truth))
    columns = [
        _counted(name, None, "text" if values.dtype == object else "number", values, block, names)
        for name, values in answered(signature, decision, judged.answers).items()
    ]
    return Counts(rows=int((block >= 0).sum()), days=names, columns=tuple(columns))


def _counted(
    name: str,
    part: Part | None,
    kind: str,
    values: np.ndarray,
    block: np.ndarray,
    names: tuple[str, ...],
) -> Counted:
    cut = _cut(kind, values[block >= 0])
    matrix = counted(cut, values, block, max(1, len(names)))
    return Counted(name=name, part=part, cells=cut, counts=tuple(map(tuple, matrix.tolist())))


def _cut(kind: str, values: np.ndarray) -> Cells:
    if kind == "text":
        return cells.cut_texts(values)
    return cells.cut_flags() if kind == "flag" else cells.cut_numbers(values)


def _blocks(seconds: np.ndarray | None, rows: int) -> tuple[np.ndarray, tuple[str, ...]]:
    if seconds is None or np.isnan(seconds).all():
        return np.zeros(rows, dtype=np.int64), ()
    return days.blocks(seconds)


def _both(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    return None if one is None or other is None else np.concatenate([one, other])
