"""`runtime`: when the pipeline runs by itself."""

from __future__ import annotations

from pydantic import Field

from charter.frozen import Frozen


class Runtime(Frozen):
    """The schedule of the project's deployment."""

    schedule: str | None = Field(default=None, pattern=r"^\S+( \S+){4}$")
    """Cron expression (minute hour day month weekday) of the train deployment."""
    timezone: str = "UTC"
    """IANA name of the time zone that the schedule is meant in."""
