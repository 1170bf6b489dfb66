"""Data frames and Arrow tables of whatever library, as one Arrow table."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa

from charter import Refusal


def as_table(found: object, where: str, name: str) -> pa.Table:
    """The frame's columns under their names; a frame's index is left out.

    A column of mixed Python objects becomes texts.
    """
    if isinstance(found, pd.DataFrame):
        _each_once([str(column) for column in found.columns], where)
        columns = [_column(found.iloc[:, place]) for place in range(found.shape[1])]
        return pa.table(columns, names=[str(column) for column in found.columns])
    if hasattr(found, "__arrow_c_stream__"):
        table = pa.RecordBatchReader.from_stream(found).read_all()
        _each_once(table.column_names, where)
        return table.replace_schema_metadata()
    raise Refusal(
        where,
        f"found that {name} gives a {type(found).__name__}",
        "wanted a pandas or other data frame, or an Arrow table",
        "Return a frame with one column per field.",
    )


def _column(series: pd.Series[Any]) -> pa.Array:
    if isinstance(
        series.dtype, pd.DatetimeTZDtype
    ):  # Arrow asks such a series for what is deprecated
        naive = pa.array(series.dt.tz_convert("UTC").dt.tz_localize(None), from_pandas=True)
        return naive.cast(pa.timestamp(naive.type.unit, "UTC"))
    if isinstance(series.dtype, pd.PeriodDtype | pd.IntervalDtype):
        return _texts(series)
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return _texts(series)


def _texts(series: pd.Series[Any]) -> pa.Array:
    texts = [
        None if missing else str(value)
        for value, missing in zip(series, series.isna(), strict=True)
    ]
    return pa.array(texts, pa.string())


def _each_once(names: list[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Refusal(
            where,
            f"found the name {', '.join(twice)} more than once",
            "wanted each column to have its own name",
            "Rename the repeated columns.",
        )
