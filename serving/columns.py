"""Arrow columns as the graph takes them, without a Python loop over the cells.

What Arrow casts exactly goes that way; the rest is read once per distinct value by
`serving.values`, so that both ways of packing give the same numbers and the same errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serving.signature import Input
from serving.values import LARGEST, NUMERIC, Unfit, bad, lacking, text

ZONE = r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$"
EACH = {"s": 1.0, "ms": 1e3, "us": 1e6}


def numbers(column: Input, batch: pa.RecordBatch, out: np.ndarray, first: int) -> None:
    """Write the column's float64 values to `out`, shape (rows,); NaN where missing."""
    values = _plain(column, batch)
    if values is None:
        _required(column, np.ones(len(out), dtype=bool), first)
        return
    found = FAST[column.kind](values)
    if found is None:
        found = _distinct(column, values, NUMERIC[column.kind], math.nan, first).astype(np.float64)
    _within(column, found, first)
    _required(column, np.isnan(found), first)
    out[:] = found


def texts(column: Input, batch: pa.RecordBatch, out: np.ndarray, first: int) -> None:
    """Write the column's texts to `out` (object), shape (rows,); empty where missing."""
    values = _plain(column, batch)
    if values is None:
        _required(column, np.ones(len(out), dtype=bool), first)
        return
    if _is_text(values.type):
        found = pc.fill_null(values, "").to_numpy(zero_copy_only=False)
    else:
        found = _distinct(column, values, text, "", first)
    _required(column, found == "", first)
    out[:] = found


def _plain(column: Input, batch: pa.RecordBatch) -> pa.Array | None:
    """The column without its dictionary; None where there is nothing but missing values."""
    index = batch.schema.get_field_index(column.name)
    values = batch.column(index) if index >= 0 else None
    if values is None or pa.types.is_null(values.type):
        return None
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string_view(values.type) or pa.types.is_large_string(values.type):
        values = values.cast(pa.string())
    return values


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _fast_number(values: pa.Array) -> np.ndarray | None:
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _float(values)
    return _cast(values, pa.float64()) if _is_text(kind) else None


def _fast_flag(values: pa.Array) -> np.ndarray | None:
    return _float(values) if pa.types.is_boolean(values.type) else None


def _fast_time(values: pa.Array) -> np.ndarray | None:
    if pa.types.is_date(values.type):
        return _seconds(values.cast(pa.timestamp("ms")))
    if pa.types.is_timestamp(values.type):
        return _seconds(values)
    if not _is_text(values.type):
        return None
    zoned = pc.fill_null(pc.match_substring_regex(values, ZONE), False)
    whole = values if not pc.any(pc.match_substring_regex(values, r"^\s|\s$")).as_py() else None
    if whole is None or pc.all(zoned).as_py() != pc.any(zoned).as_py():
        return None
    kind = pa.timestamp("us", "UTC") if pc.any(zoned).as_py() else pa.timestamp("us")
    try:
        return _seconds(_unblank(whole).cast(kind))
    except pa.ArrowInvalid:
        return None


FAST: dict[str, Callable[[pa.Array], np.ndarray | None]] = {
    "number": _fast_number,
    "flag": _fast_flag,
    "time": _fast_time,
}


def _seconds(values: pa.Array) -> np.ndarray:
    if values.type.unit == "ns":
        whole = values.cast(pa.int64())
        values = pc.floor(pc.divide(whole.cast(pa.float64(), safe=False), 1e3))
        return _float(values) / 1e6
    return _float(values.cast(pa.int64())) / EACH[values.type.unit]


def _float(values: pa.Array) -> np.ndarray:
    floats = values.cast(pa.float64(), safe=False)
    return np.array(pc.fill_null(floats, np.nan).to_numpy(zero_copy_only=False))


def _cast(values: pa.Array, kind: pa.DataType) -> np.ndarray | None:
    try:
        return _float(_unblank(values).cast(kind))
    except pa.ArrowInvalid:
        return None


def _unblank(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, values.type), values)


def _distinct(
    column: Input,
    values: pa.Array,
    read: Callable[[object], float | str],
    missing: float | str,
    first: int,
) -> np.ndarray:
    """Each distinct value read once, as an object array; `missing` where there is none."""
    if pa.types.is_nested(values.type):
        _nothing_nested(column, values, read, first)
        return np.full(len(values), missing, dtype=object)
    coded = values.dictionary_encode()
    places = np.asarray(coded.indices.fill_null(len(coded.dictionary)))
    answers = np.full(len(coded.dictionary) + 1, missing, dtype=object)
    for code, value in enumerate(coded.dictionary.to_pylist()):
        if value == "":
            continue
        try:
            answers[code] = read(value)
        except Unfit as unfit:
            row = int(np.argmax(places == code))
            raise bad(first + row, column, value, unfit) from None
    found: np.ndarray = answers[places]
    return found


def _nothing_nested(
    column: Input, values: pa.Array, read: Callable[[object], float | str], first: int
) -> None:
    """Refuse the first list or struct; no kind of column takes one."""
    for row, value in enumerate(values):
        if value.is_valid:
            try:
                read(value.as_py())
            except Unfit as unfit:
                raise bad(first + row, column, value.as_py(), unfit) from None


def _within(column: Input, found: np.ndarray, first: int) -> None:
    large = np.abs(found) > LARGEST
    if column.kind == "number" and large.any():
        row = int(np.argmax(large))
        try:
            NUMERIC["number"](float(found[row]))
        except Unfit as unfit:
            raise bad(first + row, column, float(found[row]), unfit) from None


def _required(column: Input, missing: np.ndarray, first: int) -> None:
    if column.required and missing.any():
        raise lacking(first + int(np.argmax(missing)), column)
