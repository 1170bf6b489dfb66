"""Records in a file, one line each: written under a lock, and read again whatever a kill left."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from charter import Frozen

Record = TypeVar("Record", bound=Frozen)


def read(path: Path, kind: type[Record]) -> list[Record]:
    """Every record, oldest first; a line that a kill cut short is none."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [record for line in lines if (record := _of(line, kind))]


def append(
    path: Path, kind: type[Record], more: Callable[[list[Record]], Iterable[Record]]
) -> list[Record]:
    """Append what `more` makes of the records that are there; gives all of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = read(path, kind)
        new = list(more(known))
        text = b"".join(record.model_dump_json().encode() + b"\n" for record in new)
        file.write(_break(path) + text if new else b"")
    return [*known, *new]


def _of(line: bytes, kind: type[Record]) -> Record | None:
    try:
        return kind.model_validate_json(line)
    except ValidationError:
        return None


def _break(path: Path) -> bytes:
    """A line break where the last line was cut short."""
    content = path.read_bytes()
    return b"\n" if content and not content.endswith(b"\n") else b""
