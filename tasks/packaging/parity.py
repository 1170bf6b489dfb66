"""Law 7: the pipeline that was judged and the graph that serves give the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from charter import Verdict
from serving.packing import pack_rows
from serving.signature import Signature

if TYPE_CHECKING:
    from serving.predictor import Predictor

Row = dict[str, object]

LIMIT = 1e-5
"""Largest difference of a probability; of a value, as a share of its size, or of the median
size where that is larger."""


@dataclass(frozen=True)
class Parity:
    """One comparison."""

    rows: int
    difference: float
    """The largest one; infinite where one side has no number."""
    worst: str
    """The row and the output where it is largest."""


def as_sent(signature: Signature, table: pa.Table) -> list[Row]:
    """Rows of the lake as the JSON objects that a client would send."""
    names = [column.name for column in signature.inputs if column.name in table.column_names]
    rows = [_plain(field, table[field.name]) for field in table.select(names).schema]
    cells = [dict(zip(names, values, strict=True)) for values in zip(*rows, strict=True)]
    sent: list[Row] = orjson.loads(orjson.dumps(cells))
    return sent


def answers(pipeline: Any, signature: Signature, table: pa.Table) -> np.ndarray:
    """What the fitted pipeline says: float64, shape (rows, classes), or (rows, 1) for values."""
    from tasks.recipe.inputs import frames

    say = pipeline.predict if signature.task == "regression" else pipeline.predict_proba
    said = [say(inputs) for inputs in frames(signature, table)]
    given = np.concatenate(said).astype(np.float64)
    if signature.task == "regression":
        return given.reshape(-1, 1)
    every = np.zeros((len(given), len(signature.classes)))
    every[:, np.asarray(pipeline.classes_, dtype=np.int64)] = given
    return every


def served(predictor: Predictor, rows: Sequence[Row]) -> np.ndarray:
    """What the graph says to rows as they are sent; the shape of `answers`."""
    found = predictor.predict(pack_rows(predictor.signature, rows))
    if found.probabilities is not None:
        return found.probabilities
    assert found.values is not None
    return found.values.reshape(-1, 1)


def served_singly(predictor: Predictor, rows: Sequence[Row]) -> np.ndarray:
    """The same, one row at a time, as the service mostly is asked."""
    return np.concatenate([served(predictor, [row]) for row in rows])


def compare(
    signature: Signature, wanted: np.ndarray, found: np.ndarray, cases: Sequence[str]
) -> Parity:
    """The largest difference and where it is; `cases` names the rows."""
    if found.shape != wanted.shape:
        return Parity(len(wanted), np.inf, f"shape {found.shape} instead of {wanted.shape}")
    if not len(wanted):
        return Parity(0, 0.0, "no rows")
    apart = np.abs(found - wanted)
    if signature.task == "regression":
        apart /= np.maximum(np.abs(wanted), _usual(wanted))
    apart = np.where(np.isfinite(apart), apart, np.inf)
    row, output = divmod(int(np.argmax(apart)), apart.shape[1])
    named = signature.classes[output] if signature.classes else "value"
    worst = f"{cases[row]}, {named}: {wanted[row, output]:.6g} became {found[row, output]:.6g}"
    return Parity(len(wanted), float(apart[row, output]), worst)


def verdict(gate: str, parity: Parity) -> Verdict:
    """Whether the difference is within the limit, in words."""
    passed = parity.difference <= LIMIT
    said = f"largest difference {parity.difference:.2g} over {parity.rows:,} rows"
    said += f", limit {LIMIT:g}" if passed else f", limit {LIMIT:g}; worst at {parity.worst}"
    return Verdict(
        gate=gate,
        passed=passed,
        message=said,
        numbers={"difference": parity.difference, "rows": float(parity.rows)},
    )


def _usual(values: np.ndarray) -> float:
    """The usual size of a value, so that one near 0 need not agree in every digit."""
    return float(np.nanmedian(np.abs(values))) or 1.0


def _plain(field: pa.Field, column: pa.ChunkedArray) -> list[object]:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    column = column.cast(kind)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    values: list[object] = column.to_pylist()
    return values
