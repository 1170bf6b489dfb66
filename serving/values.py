"""One value of a request as the graph takes it, or the reason why it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from numbers import Integral, Real
from typing import Any

from charter import Refusal
from serving.signature import Input, Kind

LARGEST = 3.4028234663852886e38
"""The largest float32: estimators compute with it, so no larger number can be told apart."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FLAGS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}


class BadRow(Refusal):
    """A row that does not fit the signature; `row` counts from 0."""

    def __init__(self, row: int, column: str, found: str, wanted: str, remedy: str) -> None:
        super().__init__(f"row {row}, column {column}", found, wanted, remedy)
        self.args = (row, column, found, wanted, remedy)
        self.row = row
        self.column = column


class Unfit(Exception):
    """A value that does not fit its column: what was wanted, and what to do."""

    def __init__(self, wanted: str, remedy: str) -> None:
        super().__init__(wanted, remedy)
        self.wanted = wanted
        self.remedy = remedy


def bad(row: int, column: Input, value: object, unfit: Unfit) -> BadRow:
    """The error of one cell; the value is shown, but no more than 60 characters of it."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return BadRow(row, column.name, f"found {shown}", f"wanted {unfit.wanted}", unfit.remedy)


def lacking(row: int, column: Input) -> BadRow:
    """The error of a required column that a row does not have."""
    remedy = f"Send {column.name}; this model has no answer without it."
    return BadRow(row, column.name, "found nothing", f"wanted a {column.kind}", remedy)


def number(value: object) -> float:
    """A finite number that fits float32, or a text that spells one; NaN where it says `nan`."""
    found = math.inf
    kind = type(value)  # asked first: what an abstract class costs is more than the rest
    if kind is float or kind is int or (isinstance(value, Real) and not isinstance(value, bool)):
        found = _float(value)
    elif isinstance(value, str) and "_" not in value:
        try:
            found = float(value)
        except ValueError:
            raise Unfit("a number", "Send a number, or null where it is missing.") from None
    else:
        raise Unfit("a number", "Send a number, or null where it is missing.")
    if abs(found) > LARGEST:
        raise Unfit(
            "a finite number within ±3.4e38", "Send a smaller number, or null where it is missing."
        )
    return found


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def flag(value: object) -> float:
    """1 for true, 0 for false; 1 and 0 and the texts `true`, `false`, `1`, `0` are taken too."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, Real) and value in (0, 1):
        return float(value)
    if isinstance(value, Real) and value != value:  # NaN; an integer may be too large for a float
        return math.nan
    if isinstance(value, str) and value.strip().lower() in FLAGS:
        return FLAGS[value.strip().lower()]
    raise Unfit("true or false", "Send true or false, or null where it is missing.")


def time(value: object) -> float:
    """Seconds since 1970-01-01T00:00 UTC, cut to microseconds; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            return seconds(datetime.fromisoformat(value.strip()))
        except ValueError:
            pass
    elif isinstance(value, datetime):
        return seconds(value)
    elif isinstance(value, date):
        return seconds(datetime(value.year, value.month, value.day))
    raise Unfit(
        "a time in ISO 8601", "Send a time as in 2013-01-31T05:00:00Z, or null where it is missing."
    )


def seconds(moment: datetime) -> float:
    """Seconds since the epoch of a moment, from whole microseconds."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return ((aware - EPOCH) // MICROSECOND) / 1e6


def text(value: object) -> str:
    """The canonical text: whole numbers without a point, `true` and `false`, times in ISO 8601."""
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return _spelled(float(value))
    if isinstance(value, date):
        return value.isoformat()
    raise Unfit("a text", "Send a text, or null where it is missing.")


def _encodable(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfit("a text in valid Unicode", "Send the text as UTF-8.") from None
    return value


def _spelled(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


NUMERIC: dict[Kind, Callable[[object], float]] = {"number": number, "flag": flag, "time": time}
"""Readers of the columns that go into the packed numbers."""
