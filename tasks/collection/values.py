"""JSON values as the table's types, read as the service read them before it answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from serving.values import LARGEST, Unfit, flag, number, text, time

Read = Callable[[object], object]
Misfits = dict[int, str]
"""Position of a row to what was wanted there."""

DAY = 86_400
WHOLE = Unfit("a whole number", "Send a whole number, or null where it is missing.")
MISSING = type(None)


def column(values: Sequence[object], kind: pa.DataType) -> tuple[pa.Array, Misfits]:
    """The values (None: missing) as an array of this type, null where one does not fit."""
    quick = _quick(values, kind)
    if quick is not None:
        return quick, {}
    read = _reader(kind)
    found: list[object] = []
    misfits: Misfits = {}
    for position, value in enumerate(values):
        try:
            found.append(None if value is None else read(value))
        except Unfit as unfit:
            found.append(None)
            misfits[position] = unfit.wanted
    return _array(found, kind), misfits


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if pt.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    if pt.is_date32(kind):
        return pa.array(values, pa.int32()).cast(kind)
    return pa.array(values, kind)


def _quick(values: Sequence[object], kind: pa.DataType) -> pa.Array | None:
    """The whole column at once, where every value is of the very type that JSON has for it."""
    types = set(map(type, values)) - {MISSING}
    try:
        if pt.is_floating(kind) and types <= {float, int}:
            numbers = pa.array(values, pa.float64(), from_pandas=True)
            most = pc.max(pc.abs(numbers)).as_py()
            return numbers.cast(kind) if most is None or most <= LARGEST else None
        if pt.is_integer(kind) and types <= {int}:
            return pa.array(values, kind)
        if pt.is_boolean(kind) and types <= {bool}:
            return pa.array(values, kind)
        if pt.is_string(kind) and types <= {str}:
            texts = pa.array(values, kind)
            return pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        return None
    return pa.nulls(len(values), kind) if not types else None


def _reader(kind: pa.DataType) -> Read:
    for fits, read in _READERS:
        if fits(kind):
            return read
    raise TypeError(f"no way to read {kind} from JSON")


def _whole(value: object) -> int | None:
    """Whole numbers as they stand; others by way of the number that the service took."""
    found = value if type(value) is int else number(value)
    if isinstance(found, float) and math.isnan(found):
        return None
    if found != int(found) or not -(2**63) <= found < 2**63:
        raise WHOLE
    return int(found)


def _fraction(value: object) -> float | None:
    found = number(value)
    return None if math.isnan(found) else found


def _flag(value: object) -> bool | None:
    found = flag(value)
    return None if math.isnan(found) else bool(found)


def _text(value: object) -> str | None:
    """The text; an empty one is missing, as it is for the model."""
    return text(value) or None


def _microseconds(value: object) -> int:
    return round(time(value) * 1e6)


def _day(value: object) -> int:
    return math.floor(time(value) / DAY)


_READERS: tuple[tuple[Callable[[pa.DataType], bool], Read], ...] = (
    (pt.is_boolean, _flag),
    (pt.is_integer, _whole),
    (pt.is_floating, _fraction),
    (pt.is_string, _text),
    (pt.is_timestamp, _microseconds),
    (pt.is_date32, _day),
)


def moments(seconds: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Seconds since 1970 (UTC) as times of this type."""
    micros = pa.array(np.round(seconds * 1e6).astype(np.int64))
    if pt.is_date32(kind):
        return micros.cast(pa.timestamp("us")).cast(kind, safe=False)
    return micros.cast(kind)
