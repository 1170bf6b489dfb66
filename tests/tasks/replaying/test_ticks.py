"""Cron's moments on any day's clock, changes of the clocks included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tasks.replaying.ticks import ticks


def _found(expression: str, zone: str, since: str, until: str) -> list[str]:
    span = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (since, until))
    return [f"{moment:%m-%d %H:%M}" for moment in ticks(expression, zone, *span)]


def test_the_first_of_each_month_at_four_in_new_york() -> None:
    found = _found("0 4 1 * *", "America/New_York", "2013-04-01", "2013-07-01")
    assert found == ["04-01 08:00", "05-01 08:00", "06-01 08:00"]
    assert _found("0 4 1 * *", "America/New_York", "2013-12-01", "2013-12-31") == ["12-01 09:00"]


def test_the_span_has_its_first_moment_and_not_its_last() -> None:
    assert _found("0 0 * * *", "UTC", "2020-02-28", "2020-03-01") == ["02-28 00:00", "02-29 00:00"]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("0 6 * * mon", ["01-01", "01-08", "01-15"]),
        ("0 6 * * 0", ["01-07", "01-14"]),
        ("0 6 * * 7", ["01-07", "01-14"]),
        ("0 6 3 * mon", ["01-01", "01-03", "01-08", "01-15"]),  # both restricted: either
        ("0 6 */7 * *", ["01-01", "01-08", "01-15"]),
        ("0 6 5 feb *", []),
    ],
)
def test_days(expression: str, wanted: list[str]) -> None:
    found = _found(expression, "UTC", "2024-01-01", "2024-01-16")
    assert found == [f"{day} 06:00" for day in wanted]


def test_an_hour_that_is_skipped_or_repeated_happens_once() -> None:
    zone = "Europe/Berlin"
    assert _found("30 2 * * *", zone, "2024-03-30 12:00", "2024-03-31 12:00") == ["03-31 01:30"]
    assert len(_found("30 2 * * *", zone, "2024-10-26 12:00", "2024-10-27 12:00")) == 1
