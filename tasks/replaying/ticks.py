"""The moments that a cron expression names, on a clock that can be any day's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from charter import cron

DAY = timedelta(days=1)


def ticks(expression: str, timezone: str, since: datetime, until: datetime) -> list[datetime]:
    """Every moment from `since` (included) to `until` (not included), in UTC, oldest first.

    Cron's rules: where day of month and weekday are both restricted, either is enough. An hour
    that the clocks skip happens when they have skipped it, one that they repeat happens once.
    """
    zone = ZoneInfo(timezone)
    minutes, hours, *_ = cron.meant(expression)
    found = {
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
        for day in _days(expression, since.astimezone(zone), until.astimezone(zone))
        for hour in hours
        for minute in minutes
    }
    return sorted(moment for moment in found if since <= moment < until)


def _days(expression: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """The local days that fit, each at noon so that no change of the clocks moves it."""
    _, _, days, months, weekdays = cron.meant(expression)
    fields = expression.split()
    free = (fields[2].startswith("*"), fields[4].startswith("*"))
    day = since.replace(hour=12, minute=0, second=0, microsecond=0) - DAY
    while day <= until + DAY:
        by_day, by_weekday = (
            day.day in days,
            bool({day.isoweekday(), day.isoweekday() % 7} & weekdays),
        )
        fits = (by_day and by_weekday) if any(free) else (by_day or by_weekday)
        if day.month in months and fits:
            yield day
        day += DAY
