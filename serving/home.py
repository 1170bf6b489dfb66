"""Where things live: one root, `data/` unless `PERENNIAL_HOME` names another."""

from __future__ import annotations

import os
from pathlib import Path

from charter import Refusal


def home() -> Path:
    """The absolute root; records name everything relative to it."""
    root = os.environ.get("PERENNIAL_HOME") or "data"
    if "://" in root:
        raise Refusal(
            "PERENNIAL_HOME",
            f"found the address {root}",
            "wanted a folder of this machine",
            "Name a folder; object storage can be mounted as one.",
        )
    return Path(root).absolute()


def place(where: str) -> Path:
    """The absolute path of what a record names as `where`."""
    return home() / where


def whereabouts(path: Path) -> str:
    """What a record says of a path under the root; the inverse of `place`."""
    return path.absolute().relative_to(home()).as_posix()
