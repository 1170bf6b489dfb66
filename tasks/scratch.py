"""A folder for a stage's temporary files, under the root so that it has the disk's room."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.home import place


@contextmanager
def scratch(stage: str) -> Iterator[Path]:
    """The folder, removed afterwards; those that a killed process left are removed too."""
    folder = _made(stage)
    for left in abandoned():
        shutil.rmtree(left, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_of(owner: object, stage: str) -> Path:
    """A folder that lives as long as its owner, or until the next `scratch` where a kill left it."""
    folder = _made(stage)
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder


def _made(stage: str) -> Path:
    root = place("scratch")
    root.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{stage}-{os.getpid()}-", dir=root))


def abandoned() -> list[Path]:
    """What killed processes left."""
    root = place("scratch")
    return [left for left in root.iterdir() if _abandoned(left.name)] if root.exists() else []


def _abandoned(name: str) -> bool:
    import psutil

    parts = name.split("-")
    return len(parts) == 3 and parts[1].isdigit() and not psutil.pid_exists(int(parts[1]))
