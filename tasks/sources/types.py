"""Typed columns in the few types of the lake: int64, float64, bool, string, timestamp[us]."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from charter import Refusal

Convert = Callable[[pa.Array], pa.Array]
NAIVE = pa.timestamp("us")
UTC = pa.timestamp("us", "UTC")


def is_text(type: pa.DataType) -> bool:
    """Texts, also those that Arrow keeps as a dictionary."""
    if pt.is_dictionary(type):
        return is_text(type.value_type)
    return bool(
        pt.is_string(type)
        or pt.is_large_string(type)
        or pt.is_string_view(type)
        or pt.is_null(type)
    )


def is_number(type: pa.DataType) -> bool:
    return bool(pt.is_integer(type) or pt.is_floating(type) or pt.is_decimal(type))


def settled(type: pa.DataType) -> pa.DataType | None:
    """The lake's type for values of this type; None where there is none."""
    if pt.is_dictionary(type):
        return settled(type.value_type)
    if is_text(type) or pt.is_time(type):
        return pa.string()
    if pt.is_integer(type):
        return pa.int64()
    if is_number(type):
        return pa.float64()
    if pt.is_timestamp(type):
        return NAIVE if type.tz is None else UTC
    if pt.is_date(type):
        return NAIVE
    return type if pt.is_boolean(type) else None


def settle(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast to the lake's type; what lies below a microsecond is cut off, NaN is missing.

    pa.ArrowInvalid where a value does not survive.
    """
    if values.type == target and not pt.is_floating(target):
        return values
    if pt.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pt.is_timestamp(target):
        return values.cast(target, safe=not pt.is_timestamp(values.type))
    values = values.cast(target)
    if pt.is_floating(target):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, target), values)
    return values


def exact(type: pa.DataType) -> pa.DataType | None:
    """The type in which every value can still be told from every other: what `spelled` takes."""
    if pt.is_dictionary(type):
        return exact(type.value_type)
    return type if pt.is_integer(type) or pt.is_decimal(type) else settled(type)


def spelled(values: pa.Array) -> pa.Array:
    """Values of an `exact` type as texts: whole numbers without a decimal point, times as ISO 8601."""
    if pt.is_decimal(values.type):
        tidy = pc.replace_substring_regex(values.cast(pa.string()), r"(\.\d*?)0+$", r"\1")
        return pc.utf8_rtrim(tidy, ".")
    if pt.is_boolean(values.type):
        return pc.if_else(values, "true", "false")
    if pt.is_floating(values.type):
        whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
        numbers = pc.if_else(whole, values, 0.0).cast(pa.int64()).cast(pa.string())
        return pc.if_else(whole, numbers, values.cast(pa.string()))
    return values.cast(pa.string())


def unfit(where: str, column: str, type: pa.DataType) -> Refusal:
    """The refusal of a column whose type the lake does not hold."""
    return Refusal(
        f"{where}, column {column}",
        f"found values of type {type}",
        "wanted numbers, texts, flags or times",
        f"Make plain columns of it in the source, or leave it out: data.columns: {{{column}: {{role: ignore}}}}.",
    )
