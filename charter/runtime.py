"""`runtime`: when the pipeline runs by itself."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

from charter import cron
from charter.frozen import Frozen


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder of the database
        near = get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"an IANA time zone such as Europe/Berlin{hint}") from None
    return name


class Runtime(Frozen):
    """The schedule of the project's deployment."""

    schedule: Annotated[str, AfterValidator(cron.checked)] | None = None
    """Cron expression (minute hour day month weekday) of the train deployment."""
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    """IANA name of the time zone that the schedule is meant in."""
