"""What earlier looks saw, one line each, so that the page can show the course."""

from __future__ import annotations

from charter import Frozen
from serving.home import place
from tasks.monitoring.lines import append

SHOWN = 200


class Look(Frozen):
    """The sum of one look."""

    release: int
    since: float
    until: float
    rows: int
    effect: float | None
    """The largest one."""
    column: str
    """The column that it is of."""
    value: float | None
    """The metric where the truth was known."""
    expected: float | None
    alarms: tuple[str, ...]


def remember(project: str, look: Look) -> tuple[Look, ...]:
    """Append the look and give the latest ones, oldest first; the same look counts once."""

    def new(known: list[Look]) -> list[Look]:
        return [] if _key(look) in map(_key, known) else [look]

    seen = append(place(f"monitor/{project}/looks.jsonl"), Look, new)
    return tuple(sorted(seen, key=lambda one: (one.until, one.since))[-SHOWN:])


def _key(look: Look) -> tuple[int, float, float]:
    return look.release, look.since, look.until
