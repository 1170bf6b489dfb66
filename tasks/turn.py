"""One training or retrain of a project at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

from charter import Refusal
from serving.home import home
from tasks.progress import report

PATIENCE = 12 * 3600.0
"""Seconds to wait for the other run."""
PAUSE = 0.2


@contextmanager
def turn(project: str, what: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the project's turn; wait while another process has it.

    The system lets go of it when its holder dies, however it dies.
    """
    (home() / "locks").mkdir(parents=True, exist_ok=True)
    with (home() / "locks" / project).open("a+") as file:
        _wait(file, project, what, patience)
        file.truncate(0)
        started = datetime.now(UTC).isoformat(" ", "seconds")
        file.write(f"{what}, process {os.getpid()}, since {started}")
        file.flush()
        yield


def _wait(file: IO[str], project: str, what: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not _taken(file.fileno()):
        file.seek(0)
        other = file.read() or "another run"
        if time.monotonic() > deadline:
            raise Refusal(
                f"{what} {project}",
                f"found another run of this project at work ({other})",
                f"wanted it to end within {patience:g} s",
                "Wait until it has ended, or stop it; what it has done by then is kept.",
            )
        report(what, 0, 1, f"waiting for another run: {other}")
        time.sleep(PAUSE)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
