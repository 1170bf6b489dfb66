"""How a long stage tells whoever watches how far it is; silent when nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """How far a stage is: `done` of `total` (any unit), and what it is doing or has brought."""

    stage: str
    done: float
    total: float
    note: str = ""
    finished: bool = False


_watchers: list[Callable[[Step], None]] = []


def report(stage: str, done: float, total: float, note: str = "") -> None:
    """Tell every watcher how far the stage is."""
    _tell(Step(stage, done, total, note))


def finish(stage: str, note: str) -> None:
    """Tell every watcher that the stage is done, and what it brought."""
    _tell(Step(stage, 1, 1, note, finished=True))


def _tell(step: Step) -> None:
    for watcher in tuple(_watchers):
        watcher(step)


@contextmanager
def watched(watcher: Callable[[Step], None]) -> Iterator[None]:
    """Let `watcher` see every report until the block ends."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
