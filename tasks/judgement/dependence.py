"""How the answer hangs on each input, all else as it is in rows that the model learned from.

Partial dependence (Friedman, Greedy function approximation, 2001), and how differently single rows
move around it (Goldstein et al., Peeking inside the black box, 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from charter import Frozen
from serving.signature import Input
from tasks.pages.figures import number

if TYPE_CHECKING:
    import pandas as pd

    from charter.goal import Task
    from tasks.engineer import Recipe
    from tasks.split import Rows

INPUTS = 6
"""Inputs that are shown, those with the most impact."""
VALUES = 16
"""Values of a number, at its quantiles; the most frequent ones of a category."""
ROWS = 200
CELLS = 4_000_000
"""Rows of the data that are moved, fewer where that would be more values than these."""
BAND = (0.1, 0.9)


class Dependence(Frozen):
    """The mean answer by the values of one input."""

    column: str
    of: str
    """The class whose chance it is; empty for a number."""
    ordered: bool
    """Whether the values are numbers, so that they make a line."""
    values: tuple[str, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    """Between low and high four in five rows move as the value does, each about its own mean."""
    high: tuple[float, ...]


def dependences(pipeline: Any, recipe: Recipe, rows: Rows, task: Task) -> tuple[Dependence, ...]:
    """Of the inputs with the most impact, a number, a flag or a category."""
    from tasks.recipe.inputs import frame

    signature = recipe.signature
    worth = {one.column: one.mean for one in recipe.impact}
    known = [one for one in signature.inputs if one.kind != "time"]
    shown = sorted(known, key=lambda one: -worth.get(one.name, 0.0))[:INPUTS]
    most = min(ROWS, max(10, CELLS // (VALUES * max(1, len(signature.inputs)))))
    chosen = np.unique(np.linspace(0, len(rows.truth) - 1, most).astype(int))
    inputs = frame(signature, rows.table.take(chosen))
    place = _said(rows, task, signature.classes)
    label = signature.classes[place] if signature.classes else ""
    found = (
        _dependence(pipeline, inputs, one, place, label, task)
        for one in shown
    )  # fmt: skip
    return tuple(one for one in found if one is not None)


def _said(rows: Rows, task: Task, classes: Sequence[str]) -> int:
    """The positive class of two, the most frequent one of more."""
    if task == "multiclass":
        return int(np.bincount(rows.truth, minlength=len(classes)).argmax())
    return len(classes) - 1


def _dependence(
    pipeline: Any, inputs: pd.DataFrame, column: Input, place: int, label: str, task: Task
) -> Dependence | None:
    import pandas as pd

    values = _values(inputs[column.name], column)
    if len(values) < 2:
        return None
    moved = pd.concat([inputs.assign(**{column.name: value}) for value in values])
    moved = moved.astype(inputs.dtypes.to_dict())
    said = pipeline.predict(moved) if task == "regression" else pipeline.predict_proba(moved)[:, place]  # fmt: skip
    each = np.asarray(said, dtype=np.float64).reshape(len(values), len(inputs))
    mean = each.mean(axis=1)
    low, high = np.quantile(each - each.mean(axis=0), BAND, axis=1) + mean.mean()
    return Dependence(
        column=column.name, of=label, ordered=column.kind == "number",
        values=tuple(_word(value, column) for value in values), mean=tuple(mean.tolist()),
        low=tuple(low.tolist()), high=tuple(high.tolist()),
    )  # fmt: skip


def _values(column: pd.Series, said: Input) -> list[Any]:
    if said.kind == "text":
        return [str(one) for one in column.value_counts().index[:VALUES] if one != ""]
    known = column.dropna().to_numpy()
    if said.kind == "flag":
        return sorted({float(one) for one in known})
    spread = np.quantile(known, np.linspace(0.02, 0.98, VALUES)) if len(known) else known
    return sorted(set(spread.tolist()))


def _word(value: Any, column: Input) -> str:
    if column.kind == "flag":
        return "yes" if value else "no"
    return str(value) if column.kind == "text" else number(value)
