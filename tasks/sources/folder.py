"""The files of a folder that grows: which are new, and whether the others are as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tasks.sources.growth import Changed

Told = tuple[int, int, str]
"""Bytes, time of change in nanoseconds since 1970, SHA-256 (its first digits)."""
DIGITS = 16


def check_there(paths: Mapping[str, Path], known: Mapping[str, Told]) -> None:
    """`Changed` where a known file is gone or another one. Where neither size nor time of change are
    others, it is taken for the same; where only the time is, its bytes tell."""
    for name, (size, changed, digest) in known.items():
        if name not in paths:
            raise Changed(f"{name} is gone")
        stat = paths[name].stat()
        if stat.st_size != size or (stat.st_mtime_ns != changed and _hash(paths[name]) != digest):
            raise Changed(f"{name} is another file than the one that landed")


def files_now(paths: Mapping[str, Path], known: Mapping[str, Told]) -> dict[str, Told]:
    """What is to be known of every file; of those that are known, what is known."""
    return {name: known[name] if name in known else _told(path) for name, path in paths.items()}


def _told(path: Path) -> Told:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, _hash(path)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
