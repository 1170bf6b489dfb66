"""From labels to positions in the profile's classes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def labelled(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Which rows have a label: neither null nor NaN; bool, shape (rows,)."""
    known = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        known = pc.and_(known, pc.fill_null(pc.invert(pc.is_nan(column)), False))
    return np.asarray(known)


def positions(column: pa.ChunkedArray, classes: tuple[str, ...]) -> np.ndarray:
    """Where each label stands in `classes`; int64, shape (rows,); ValueError for a stranger."""
    coded = pc.dictionary_encode(column)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    if isinstance(coded, pa.ChunkedArray):  # no rows, no chunk
        return np.empty(0, dtype=np.int64)
    places = [_position(value, classes) for value in coded.dictionary.to_pylist()]
    indices = coded.indices.to_numpy(zero_copy_only=False)
    found: np.ndarray = np.asarray(places, dtype=np.int64)[indices]
    return found


def _position(value: object, classes: tuple[str, ...]) -> int:
    ways = [str(value).lower() if isinstance(value, bool) else str(value)]
    if isinstance(value, float):
        ways.append(f"{value:.17g}")  # 1.0 is written 1 by some
    for way in ways:
        if way in classes:
            return classes.index(way)
    raise ValueError(f"the label {value!r} is none of the classes {', '.join(classes)}")
