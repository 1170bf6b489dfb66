"""The nearest training rows: a table of all of them, and distances in double.

The formulas are those of `tasks.models.nearest`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.graph.estimators import estimate
from tasks.graph.preparation import unwritable
from tasks.graph.writer import Block
from tasks.models.nearest import ABSOLUTE, RELATIVE, SOFT, NearestClassifier, NearestRegressor


@estimate.register
def _(model: NearestClassifier, x: Block) -> Block:
    return _mean(model, np.eye(len(model.classes_))[np.asarray(model._y).ravel()], x)


@estimate.register
def _(model: NearestRegressor, x: Block) -> Block:
    return _mean(model, np.asarray(model._y, dtype=np.float64).reshape(-1, 1), x)


def _mean(model: Any, truth: np.ndarray, x: Block) -> Block:
    """The mean truth of the nearest rows, weighted as the model weights them."""
    if model.effective_metric_ != "euclidean":
        raise unwritable(f"metric {model.effective_metric_}", "euclidean")
    writer = x.writer
    own = _total(x, "ReduceSumSquare")
    squares = _squares(x, own, np.asarray(model._fit_X, dtype=np.float64))
    last = _k_smallest(squares, int(model.n_neighbors)).columns([int(model.n_neighbors) - 1])
    reach = last * (1.0 + RELATIVE) + (own + 1.0) * ABSOLUTE
    weights = writer.add("LessOrEqual", squares, reach, width=squares.width).double()
    if model.weights == "distance":
        weights = weights / (squares + (own + 1.0) * SOFT).apply("Sqrt")
    return (weights @ truth) / _total(weights, "ReduceSum")


def _squares(x: Block, own: Block, rows: np.ndarray) -> Block:
    """Squared distances to each training row, shape (rows, training rows)."""
    table = x.writer.wide(rows.T * -2.0)  # exact: prepared values are float32 numbers
    total = x @ table + own + (rows**2).sum(axis=1)
    return x.writer.add("Max", total, x.writer.constant(0.0), width=len(rows))


def _k_smallest(squares: Block, k: int) -> Block:
    """The k smallest of each row, smallest first."""
    writer = squares.writer
    wanted = writer.constant([k], np.int64)
    found = writer.add("TopK", squares, wanted, width=k, axis=1, largest=0, sorted=1)
    writer.nodes[-1].output.append(f"{found.name} places")
    return found


def _total(block: Block, op: str) -> Block:
    """One number per row."""
    axis = block.writer.constant([1], np.int64)
    return block.writer.add(op, block, axis, width=1, keepdims=1)
