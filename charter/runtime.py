"""`runtime`: what happens after the release, by itself: journal, collect, monitor, retrain."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from charter import cron
from charter.frozen import Frozen

HOURS = {"h": 1, "d": 24, "w": 168}


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder of the database
        near = get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"an IANA time zone such as Europe/Berlin{hint}") from None
    return name


def _span(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*[hdw]", text):
        raise ValueError("a number of hours, days or weeks, as in 36h, 3d or 2w")
    return text


Span = Annotated[str, AfterValidator(_span)]
"""A length of time: 36h, 3d, 2w."""
Cron = Annotated[str, AfterValidator(cron.checked)]
"""Minute, hour, day, month, weekday."""


def seconds(span: str) -> float:
    """The length of a `Span` in seconds."""
    return float(int(span[:-1]) * HOURS[span[-1]] * 3600)


class Last(Frozen):
    """A window of the newest rows: of a length of time, or of a number."""

    last: Span | Annotated[int, Field(ge=100)]
    """As in 90d, or in 100000 for so many rows."""


class Decay(Frozen):
    """All rows, each with a weight that halves with this age (needs `data.time`)."""

    half_life: Span
    """As in 60d."""


Window = Literal["all"] | Last | Decay


class Drift(Frozen):
    """When the monitor raises an alarm."""

    effect: float = Field(default=0.1, gt=0, le=1)
    """The smallest shift of a distribution that matters: Jensen-Shannon distance, 0 to 1."""
    false_alarm_rate: float = Field(default=0.01, gt=0, lt=0.5)
    """The share of looks without any drift that may raise an alarm, over all columns together."""


class Runtime(Frozen):
    """The clockwork of the project."""

    schedule: Cron | None = None
    """When to retrain (minute hour day month weekday)."""
    monitor: Cron | None = None
    """When to look at what happens at run time; default: not by itself."""
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    """IANA name of the time zone that the schedules are meant in."""
    durable: Literal["process", "power"] = "process"
    """What an acknowledged prediction survives: a killed process, or a loss of power too."""
    label_wait: Span = "7d"
    """How long a prediction waits for its truth before it is collected without one."""
    minimum_rows: int = Field(default=500, ge=1)
    """Labelled rows since the last training below which a retrain is skipped."""
    window: Window = "all"
    """Which rows a retrain learns from: all, {last: 90d}, {last: 100000} or {half_life: 60d}."""
    refit: bool = True
    """Whether a challenger that won is fitted once more before it goes live, on the rows too that
    it was judged on: they are the freshest."""
    retrain_minutes: float | None = Field(default=None, gt=0)
    """The minutes of tuning in a retrain; default: constraints.train_minutes."""
    false_promotion_rate: float = Field(default=0.04, gt=0, lt=0.5)
    """How often a challenger that is no better may be promoted by luck: the interval that has to lie
    above 0 leaves out this share at each end."""
    drift: Drift = Drift()
    """When a shift of the inputs or the predictions is an alarm."""
    worse: float | None = Field(default=None, gt=0)
    """By how much the metric may fall behind the scorecard before it is an alarm."""
    max_age: Span | None = None
    """The age of the live model that is an alarm."""
    error_rate: float = Field(default=0.01, ge=0, le=1)
    """The share of requests answered with a server error that is an alarm."""
