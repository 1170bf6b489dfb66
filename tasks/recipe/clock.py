"""The calendar in arithmetic that a graph can repeat exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar, get_args

Part = Literal["hour", "weekday", "day", "month", "yearday"]
PARTS: tuple[Part, ...] = get_args(Part)


class Quantity(Protocol):
    """What the formulas need: a float64 array, or a node of a graph."""

    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...


Q = TypeVar("Q", bound=Quantity)


def parts(seconds: Q, floor: Callable[[Q], Q]) -> dict[str, Q]:
    """The calendar parts of seconds since 1970-01-01T00:00 UTC (proleptic Gregorian).

    Only `+ - * /` with plain floats on the right and `floor` are used, so that the same lines run
    on float64 arrays and write double nodes of a graph. `hour` 0 to 24 with its fraction,
    `weekday` 0 (Monday) to 6, `day` of the month from 1, `month` from 1, `yearday` from 1 with the
    fraction of the day; NaN stays NaN. After Hinnant, "chrono-Compatible Low-Level Date
    Algorithms" (civil_from_days, whose years begin in March).
    """
    days = floor(seconds / 86_400.0)
    second = seconds - days * 86_400.0
    weekday = days + 3.0
    weekday = weekday - floor(weekday / 7.0) * 7.0
    shifted = days + 719_468.0  # days since 0000-03-01
    era = floor(shifted / 146_097.0)  # 400 years
    of_era = shifted - era * 146_097.0
    leaps = floor(of_era / 1_460.0) - floor(of_era / 36_524.0) + floor(of_era / 146_096.0)
    year = floor((of_era - leaps) / 365.0)
    of_year = of_era - (year * 365.0 + floor(year / 4.0) - floor(year / 100.0))
    moon = floor((of_year * 5.0 + 2.0) / 153.0)  # month, 0 is March
    late = floor(moon / 10.0)  # 1 in January and February, which belong to the next year
    year = year + late
    yearday = of_year + leap(year, floor) + 60.0 - late * (leap(year, floor) + 365.0)
    return {
        "hour": second / 3_600.0,
        "weekday": weekday,
        "day": of_year - floor((moon * 153.0 + 2.0) / 5.0) + 1.0,
        "month": moon + 3.0 - late * 12.0,
        "yearday": yearday + second / 86_400.0,
    }


def leap(year: Q, floor: Callable[[Q], Q]) -> Q:
    """1 in a leap year, else 0; `year` may count from the start of any 400 years."""

    def divides(by: float) -> Any:
        return floor(year / by) - floor((year - 1.0) / by)

    leaps: Q = divides(4.0) - divides(100.0) + divides(400.0)
    return leaps


PERIOD: dict[Part, float] = {
    "hour": 24.0,
    "weekday": 7.0,
    "day": 31.0,
    "month": 12.0,
    "yearday": 365.25,
}


def circle(part: Q, period: float, sine: Callable[[Q], Q]) -> tuple[Q, Q]:
    """Sine and cosine of a part on its circle; the cosine is a sine a quarter turn ahead."""
    angle = part * (2.0 * math.pi / period)
    return sine(angle), sine(angle + math.pi / 2.0)
