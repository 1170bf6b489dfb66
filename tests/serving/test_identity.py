"""One spelling of an identifier, whatever wrote it; no two persons under one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.identity import exact, identity
from serving.values import Unfit


@pytest.mark.parametrize(
    ("spellings", "wanted"),
    [
        ([7, 7.0, "7", "7.0", " 7 ", "7.00", Decimal("7.00"), Decimal(7)], "7"),
        (["007"], "007"),
        (["007.0"], "007.0"),
        (["+7"], "+7"),
        ([0, -0.0, "-0", "0.0", Decimal("0E-10")], "0"),
        ([-12, "-12.0"], "-12"),
        ([7.5, "7.50", Decimal("7.500")], "7.5"),
        ([1e-7, "1e-07", "0.0000001", Decimal("1E-7")], "0.0000001"),
        ([2**63, "9223372036854775808", Decimal(2**63)], "9223372036854775808"),
        ([1e20, "1e+20", Decimal("1E+20")], "1" + "0" * 20),
        (["1e5"], "1e5"),  # a code; only a sign makes it the spelling of a float
        (["12345678901234567890.123456789"], "12345678901234567890.123456789"),
        (
            [date(2020, 1, 2), datetime(2020, 1, 2), "2020-01-02", "2020-01-02T00:00",
             "2020-01-02 00:00:00.000000", "2020-01-02T01:00:00+01:00", "2020-01-02T00:00:00Z",
             datetime(2020, 1, 2, 1, tzinfo=timezone(timedelta(hours=1)))],
            "2020-01-02",
        ),
        (["2020-01-02T03:04:05.500000Z", "2020-01-02 03:04:05.5", "2020-01-02T03:04:05.5000009"],
         "2020-01-02T03:04:05.5"),
        (["2020-02-30"], "2020-02-30"),
        (["0001-01-01T00:00:00+05:00"], "0001-01-01T00:00:00+05:00"),
        (["Jose\u0301", "Jos\u00e9 "], "Jos\u00e9"),
        ([True, "true"], "true"),
        ([None, "", "  ", float("nan")], ""),
    ],
)  # fmt: skip
def test_one_spelling(spellings: list[object], wanted: str) -> None:
    assert {identity(one) for one in spellings} == {wanted}


@given(st.text() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_a_spelling_is_its_own_spelling(value: object) -> None:
    try:
        once = identity(value)
    except Unfit:  # half of a surrogate pair
        return
    assert identity(once) == once


@given(st.lists(st.from_regex(r"[0-9]{1,6}", fullmatch=True), min_size=2, unique=True))
def test_codes_that_differ_stay_different(codes: list[str]) -> None:
    assert len({identity(code) for code in codes}) == len(codes)


@given(st.lists(st.integers() | st.floats(-1e9, 1e9) | st.dates(), min_size=2, unique=True))
def test_values_that_differ_stay_different(values: list[object]) -> None:
    assert len({identity(one) for one in values}) == len(values)


def test_what_is_no_single_value_is_none() -> None:
    for wrong in ([1], {"a": 1}, 1 + 2j):
        with pytest.raises(Unfit):
            identity(wrong)


def test_a_float_that_may_be_two_persons_is_refused() -> None:
    for fine in (7, 7.0, "9007199254740993", 9007199254740993, None, datetime.now(UTC)):
        exact(fine)
    with pytest.raises(Unfit, match="every digit"):
        exact(float(2**53))
