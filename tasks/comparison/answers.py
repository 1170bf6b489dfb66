"""What a bundle says to rows of the lake, in the classes of another one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from serving.packing import pack_batch
from serving.predictor import Answers, Predictor
from serving.signature import Decision, Signature

ROWS = 16_384


@dataclass(frozen=True)
class Said:
    """Probabilities, shape (rows, classes), or values, shape (rows,), and the rule on top."""

    prediction: np.ndarray
    decision: Decision


def said(predictor: Predictor, table: pa.Table, classes: tuple[str, ...]) -> Said:
    """Each row through the bundle's own graph, preprocessing included."""
    parts = [
        _raw(predictor, batch, first)
        for first, batch in _batches(table)
    ]  # fmt: skip
    return spoken(predictor, np.concatenate(parts), classes)


def spoken(predictor: Predictor, found: np.ndarray, classes: tuple[str, ...]) -> Said:
    """What the bundle has answered, in these classes."""
    return Said(
        _aligned(found, predictor.signature, classes),
        _decision(predictor.decision, predictor.signature, classes),
    )


def raw(answers: Answers) -> np.ndarray:
    """Probabilities, shape (rows, classes), or values, shape (rows,)."""
    found = answers.values if answers.probabilities is None else answers.probabilities
    assert found is not None
    return found


def _batches(table: pa.Table) -> list[tuple[int, pa.RecordBatch]]:
    numbered, first = [], 0
    for batch in table.to_batches(max_chunksize=ROWS):
        numbered.append((first, batch))
        first += batch.num_rows
    return numbered


def _raw(predictor: Predictor, batch: pa.RecordBatch, first: int) -> np.ndarray:
    return raw(predictor.predict(pack_batch(predictor.signature, batch, first)))


def _aligned(found: np.ndarray, ours: Signature, classes: tuple[str, ...]) -> np.ndarray:
    """A class that the model does not know has no chance; one that is no class any more is left
    out."""
    if not classes or ours.classes == classes:
        return found
    aligned = np.zeros((len(found), len(classes)))
    for at, label in enumerate(classes):
        if label in ours.classes:
            aligned[:, at] = found[:, ours.classes.index(label)]
    return aligned


def _decision(decision: Decision, ours: Signature, classes: tuple[str, ...]) -> Decision:
    if not decision.weights or ours.classes == classes:
        return decision
    known = dict(zip(ours.classes, decision.weights, strict=True))
    return Decision(weights=tuple(known.get(label, 1.0) for label in classes))
