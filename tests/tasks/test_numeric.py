"""Ranges that catch what cannot be, and nothing that is only unusual."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.validation.numeric import Seen, possible


def seen(values: list[float], name: str = "x", whole: bool = False) -> Seen:
    numbers, counts = np.unique(values, return_counts=True)
    pairs = [(float(number), int(count)) for number, count in zip(numbers, counts, strict=True)]
    return Seen(
        name=name,
        whole=whole,
        rows=len(values),
        distinct=len(pairs),
        low=pairs[0][0],
        median=float(np.median(values)),
        high=pairs[-1][0],
        zeros=values.count(0),
        lowest=tuple(pairs[:4]),
        highest=tuple(pairs[::-1][:4]),
    )


def normal(mean: float, deviation: float) -> list[float]:
    values: list[float] = np.random.default_rng(0).normal(mean, deviation, 5000).tolist()
    return values


def test_a_winter_says_nothing_against_a_summer() -> None:
    low, high = possible(seen(normal(37, 8))) or (0, 0)
    assert low < -20
    assert high > 110
    assert high < 999


def test_a_longer_tail_is_ordinary() -> None:
    rain = [0.0] * 4000 + np.random.default_rng(0).exponential(0.05, 1000).tolist()
    low, high = possible(seen(rain)) or (-1, -1)
    assert low == 0
    assert high > 4 * max(rain)


def test_whole_numbers_keep_their_sign_and_have_room_above() -> None:
    assert possible(seen([0, 1, 2, 3] * 50, whole=True)) == (0, 12)


def test_an_extreme_that_stands_alone_is_not_believed() -> None:
    wind = [float(speed) for speed in range(40)] * 100 + [1048.0]
    assert (possible(seen(wind)) or (0, 0))[1] < 200
    assert (possible(seen([*wind, *[1048.0] * 100])) or (0, 0))[1] > 1048
    assert (possible(seen([-value for value in wind])) or (0, 0))[0] > -500


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [("month", [1, 2, 3], (1, 12)), ("Hour", [6, 7, 23], (0, 24)), ("year", [2013], (1900, 2100))],
)
def test_calendar_columns_have_their_own_nature(
    name: str, values: list[float], expected: tuple[float, float]
) -> None:
    assert possible(seen(values * 100, name, whole=True)) == expected


def test_a_name_that_lies_about_its_values_is_judged_by_them() -> None:
    assert possible(seen([100, 200, 300] * 50, "month", whole=True)) == (0, 900)


def test_counters_and_constants_have_no_range() -> None:
    assert possible(seen([float(value) for value in range(1000)], whole=True)) is None
    assert possible(seen([7.0] * 100)) is None
