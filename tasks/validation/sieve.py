"""What plainly holds of a batch: of a wide suite, Great Expectations is asked the rest alone.

It takes some 20 ms for each column, and a table of 5,000 has two expectations on nearly every one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.validation.expectation import BETWEEN, FILLED, Expectation
from tasks.validation.tally import Finding

MANY = 500
"""Up to so many expectations, each is asked."""
BOUNDS = {"column", "min_value", "max_value"}


def plain(
    expectations: Sequence[Expectation], rows: pa.RecordBatch | pa.Table
) -> Iterator[tuple[int, Finding]]:
    """Filled columns and numbers within plain bounds, by the position of their expectation, each
    with the finding that Great Expectations would have; nothing of what any row might break."""
    if len(expectations) <= MANY:
        return
    numbers = {field.name: at for at, field in enumerate(rows.schema) if _number(field.type)}
    for position, one in enumerate(expectations):
        at = numbers.get(str(one.kwargs.get("column")))
        if at is not None and (finding := _held(one, rows.column(at))) is not None:
            yield position, finding


def _number(type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type) or pa.types.is_floating(type))


def _held(expectation: Expectation, values: pa.Array | pa.ChunkedArray) -> Finding | None:
    known = values.drop_null()
    if pa.types.is_floating(known.type):
        known = known.filter(pc.invert(pc.is_nan(known)))
    missing = len(values) - len(known)
    if expectation.type == FILLED and expectation.kwargs.keys() == {"column"} and not missing:
        return _met(len(values), 0)
    if expectation.type == BETWEEN and expectation.kwargs.keys() <= BOUNDS and len(known):
        ends = pc.min_max(known).as_py()
        low, high = (expectation.kwargs.get(name) for name in ("min_value", "max_value"))
        if _within(low, ends["min"]) and _within(ends["max"], high):
            return _met(len(values), missing)
    return None


def _within(less: object, more: object) -> bool:
    """Whether one number is at most the other; one that is not said is no bound."""
    if less is None or more is None:
        return True
    both = isinstance(less, int | float) and isinstance(more, int | float)
    return both and less <= more  # type: ignore[operator]


def _met(rows: int, missing: int) -> Finding:
    return Finding(
        success=True, elements=rows, missing=missing, positions=np.empty(0, dtype=np.int64)
    )
