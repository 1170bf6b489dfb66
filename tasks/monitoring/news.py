"""Which alarms are news, so that one that stands does not start a retrain at every look.

An alarm is passed on once for each release and subject: a column that drifts, or another clause of
the charter. While it stands it is passed on again after a day, then after two, four and so on:
labels that were missing may have come meanwhile, and what no retrain cures costs ever less. A new
release begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from charter import Frozen
from serving.home import place
from tasks.monitoring.days import DAY
from tasks.monitoring.judging import Alarm
from tasks.monitoring.lines import append, read

if TYPE_CHECKING:
    from tasks.monitor import Watched


class Told(Frozen):
    """A subject that was passed on."""

    release: int
    about: str
    at: float
    """The time of the look, seconds since 1970."""


def news(watched: Watched) -> tuple[Alarm, ...]:
    """The alarms with a subject that is due to be passed on."""
    known = read(_path(watched.project), Told)
    return tuple(alarm for alarm in watched.alarms if _due(alarm, watched, known))


def tell(watched: Watched, alarms: Sequence[Alarm]) -> None:
    """Note that these alarms were passed on; the same note counts once."""
    noted = [
        Told(release=watched.release, about=about, at=watched.window.until.timestamp())
        for alarm in alarms
        for about in alarm.subjects
    ]
    append(_path(watched.project), Told, lambda known: [one for one in noted if one not in known])


def _due(alarm: Alarm, watched: Watched, known: Sequence[Told]) -> bool:
    at = watched.window.until.timestamp()
    for about in alarm.subjects:
        times = [one.at for one in known if (one.release, one.about) == (watched.release, about)]
        if not times or at >= max(times) + DAY * 2 ** (len(times) - 1):
            return True
    return False


def _path(project: str) -> Path:
    return place(f"monitor/{project}/told.jsonl")
