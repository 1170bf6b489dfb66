"""Numbers as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: float | int | None) -> str:
    """Thousands separated, about four digits, a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return _minus(_plain(value))


def _plain(value: float | int) -> str:
    size = abs(value)
    if size >= 1e15 or 0 < size < 5e-4:
        return f"{value:.2e}"
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def share(value: float | None) -> str:
    """A share of 1 in percent; shares that are nearly nothing or nearly all say so."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "0\N{NO-BREAK SPACE}%"
    if abs(value) < 0.0005:
        return "<\N{NO-BREAK SPACE}0.1\N{NO-BREAK SPACE}%"
    if 0.9995 <= value < 1:
        return ">\N{NO-BREAK SPACE}99.9\N{NO-BREAK SPACE}%"
    return _minus(f"{100 * value:.{0 if value == 1 else 1}f}\N{NO-BREAK SPACE}%")


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval; one dash where there is none."""
    if low is None and high is None:
        return number(None)
    return f"{number(low)} to {number(high)}"


def moment(seconds: float | None) -> str:
    """Seconds since 1970 (UTC) as a date, with the time of day where it is not midnight."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    try:
        at = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return number(seconds)
    return at.strftime("%Y-%m-%d" if at.time() == _EPOCH.time() else "%Y-%m-%d %H:%M")


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit: `36 hours`, `2.5 days`."""
    units = (("year", 365.25 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60))
    for name, length in units:
        if seconds >= (3 if name == "day" else 1) * length:
            break
    else:
        name, length = "second", 1
    count = f"{seconds / length:.1f}".removesuffix(".0")
    return f"{count} {name}{'' if count == '1' else 's'}"


def times(count: int) -> str:
    """How often."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _minus(text: str) -> str:
    return "−" + text[1:] if text.startswith("-") else text
