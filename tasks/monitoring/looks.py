"""What earlier looks saw, one line each, so that the page can show the course."""

from __future__ import annotations

import fcntl
from pathlib import Path

from pydantic import ValidationError

from charter import Frozen
from serving.home import place

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
    path = place(f"monitor/{project}/looks.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = [seen for line in file.read().splitlines() if (seen := _read(line))]
        if _key(look) not in map(_key, kept):
            file.write(_begins(path) + look.model_dump_json().encode() + b"\n")
            kept.append(look)
    return tuple(sorted(kept, key=lambda seen: (seen.until, seen.since))[-SHOWN:])


def _key(look: Look) -> tuple[int, float, float]:
    return look.release, look.since, look.until


def _read(line: bytes) -> Look | None:
    """A line that a kill cut short is no look."""
    try:
        return Look.model_validate_json(line)
    except ValidationError:
        return None


def _begins(path: Path) -> bytes:
    """A line break where the last line was cut short."""
    content = path.read_bytes()
    return b"\n" if content and not content.endswith(b"\n") else b""
