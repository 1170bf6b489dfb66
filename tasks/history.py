"""What became of a project's models: every training, retrain and rollback, one line each.

`releases/<project>/history.jsonl` stands beside `live.json`, which is the truth: what moved the live
pointer is noted in it first and copied from there, so that no kill loses it or tells it twice.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Literal

from charter import Frozen
from serving import releases
from serving.home import home

Event = Literal["trained", "promoted", "kept", "skipped", "rolled back", "canary", "withdrawn"]


class Entry(Frozen):
    """One thing that happened."""

    project: str
    event: Event
    why: str
    """What decided, in words."""
    asked: str = "asked"
    """What started it."""
    at: str = ""
    """When, ISO 8601, UTC."""
    now: str | None = None
    """The time that it was done for, where that was not the time of the clock."""
    release: int | None = None
    """What is live since then."""
    previous: int | None = None
    """What was live before."""
    canary: int | None = None
    """The release that is tried beside it, or that was until then."""
    metric: str = ""
    gain: float | None = None
    """By how much the challenger was better, with its interval."""
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    """Rows that both were compared on."""
    key: str = ""
    """Of what it rests on."""

    @property
    def note(self) -> releases.Note:
        """What the live pointer keeps of it."""
        known = self.model_dump(exclude={"at", "release", "previous", "canary", "key"})
        return {name: value for name, value in known.items() if value is not None}

    @property
    def tags(self) -> dict[str, str]:
        """What the registry keeps of it."""
        return {"outcome": self.event, "reason": self.why, "asked": self.asked}

    @property
    def numbers(self) -> dict[str, float]:
        """The gain, for the registry; empty where nothing was compared, or nothing could be."""
        known = {"gain": self.gain, "gain_low": self.low, "gain_high": self.high}
        return {
            name: value for name, value in known.items() if value is not None and isfinite(value)
        }


def entries(project: str) -> tuple[Entry, ...]:
    """Everything that happened, oldest first; a last line that a kill cut short is left out."""
    path = _path(project)
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return tuple(Entry.model_validate_json(line) for line in lines if line.endswith(b"\n"))


def append(entry: Entry) -> Entry:
    """Write the entry down; one that says the same as the last one is not told twice."""
    with _alone(entry.project):
        known = entries(entry.project)
        if known and entry.key and known[-1].key == entry.key:
            return _shown(known[-1])
        at = entry.at or datetime.now(UTC).isoformat(timespec="milliseconds")
        return _shown(_write(entry.model_copy(update={"at": at})))


def mirrors(live: releases.Live, project: str) -> bool:
    """Whether the history tells how this came to be live, and what was tried beside it."""
    told = {entry.key for entry in entries(project)}
    return all(entry.key in told for entry in _implied(live, project))


def mirror(live: releases.Live, project: str) -> Entry:
    """Let the history tell how this came to be live and what was tried beside it, where it does not
    yet; gives what happened last."""
    with _alone(project):
        told = {entry.key: entry for entry in entries(project)}
        found = [
            told.get(entry.key) or _write(entry)
            for entry in sorted(_implied(live, project), key=lambda entry: entry.at)
        ]
        return _shown(found[-1])


def _implied(live: releases.Live, project: str) -> list[Entry]:
    """What the live pointer says that happened."""
    moved = {"project": project, "event": "trained", "why": "deployed", **live.note}
    about = {"release": live.release, "previous": live.previous, "at": live.at}
    found = [Entry.model_validate({**moved, **about, "key": f"live {live.release} {live.at}"})]
    gone, tried = live.withdrawn, live.canary
    if gone is not None:
        old = gone.canary
        found.append(_of_canary(live, project, "canary", old.release, old.at, old.note))
        found.append(_of_canary(live, project, "withdrawn", old.release, gone.at, gone.note))
    if tried is not None:
        found.append(_of_canary(live, project, "canary", tried.release, tried.at, tried.note))
    return found


def _of_canary(
    live: releases.Live, project: str, event: Event, canary: int, at: str, note: releases.Note
) -> Entry:
    told = {"why": "deployed", **note, "project": project, "event": event, "at": at}
    about = {"release": live.release, "previous": live.release, "canary": canary}
    return Entry.model_validate({**told, **about, "key": f"{event} {canary} {at}"})


def came_from(project: str, release: int, otherwise: int | None = None) -> int | None:
    """What was live before this release when a training or retrain made it live the last time;
    `otherwise` where nobody knows."""
    made = [
        entry
        for entry in entries(project)
        if entry.release == release and entry.event in ("trained", "promoted")
    ]
    return made[-1].previous if made else otherwise


def withdrawn(project: str, release: int) -> Entry | None:
    """The rollback that took this release away, or what ended it as a canary, unless a later rollback
    brought it back."""
    moved = [
        entry
        for entry in entries(project)
        if (entry.event == "rolled back" and release in (entry.release, entry.previous))
        or (entry.event == "withdrawn" and entry.canary == release)
    ]
    ended = moved and (moved[-1].canary == release or moved[-1].previous == release)
    return moved[-1] if ended else None


def _write(entry: Entry) -> Entry:
    path = _path(entry.project)
    with path.open("ab") as file:
        end = path.read_bytes().rfind(b"\n") + 1
        file.truncate(end)  # half a line, which a killed writer left
        file.write(entry.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return entry


def _shown(entry: Entry) -> Entry:
    """The page is made anew also for what was known: a kill may have left it behind."""
    from tasks.comparison.past import write

    write(entry.project, entries(entry.project))
    return entry


def _path(project: str) -> Path:
    return home() / "releases" / project / "history.jsonl"


@contextmanager
def _alone(project: str) -> Iterator[None]:
    path = _path(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(".history").open("a") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)  # held for one line only
        yield
