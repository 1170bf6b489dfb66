"""Files under seal: the hash is checked at each opening, and each opening is written down."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from charter import Refusal

REMEDY = (
    "Put the file back as it was, or delete it and train again: the same table gives the same rows."
)


def seal(path: Path) -> str:
    """SHA-256 of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: Path, sealed: str, where: str) -> None:
    """Refuse a file that is not what was sealed."""
    _same(seal(path), sealed, where)


def opened(path: Path, sealed: str, where: str) -> bytes:
    """The bytes of the file, if they are those that were sealed."""
    if not path.exists():
        raise Refusal(where, "found no file", "wanted the holdout that was sealed", REMEDY)
    content = path.read_bytes()  # one read, so that what was checked is what is given out
    _same(hashlib.sha256(content).hexdigest(), sealed, where)
    return content


def _same(found: str, sealed: str, where: str) -> None:
    if found != sealed:
        raise Refusal(
            where,
            f"found a file that was changed after it was sealed (SHA-256 {found[:12]}…)",
            f"wanted {sealed[:12]}…",
            REMEDY,
        )


def log(path: Path, by: str, why: str) -> None:
    """Append one look; it is on disk before the rows are given out."""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": by, "why": why}
    with _log(path).open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def logged(path: Path) -> Iterator[dict[str, str]]:
    """Every look, oldest first; a last line that a kill cut short is left out."""
    if not _log(path).exists():
        return
    for line in _log(path).read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def _log(path: Path) -> Path:
    return path.with_name("looks.jsonl")
