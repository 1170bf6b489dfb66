"""Who answers the calls of trials: one trial after the other here, or many side by side on a cluster.

A trial is a generator. It yields what it wants to have done with the rows and is sent the answer, or
has thrown at it why there is none; so the same trial runs wherever its calls are answered, and all
that it knows is touched by one thread alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from charter import Refusal
from tasks.models.threads import THREADS
from tasks.tuning.hardware import Workers
from tasks.tuning.sandbox import Sandbox, Stopped

SIDE_BY_SIDE = THREADS
"""Folds of a trial that are fitted at the same time, each with one thread, where there are as many."""


class Call:
    """`function(bench, *arguments)`, within so many seconds."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, seconds: float) -> None:
        self.function = function
        self.arguments = arguments
        self.seconds = seconds


@dataclass(frozen=True)
class Ready:
    """Until the rows are loaded (again), within so many seconds, so that no fit pays for it."""

    seconds: float


Trial = Generator[Call | Ready, Any, None]
Begin = Callable[[int], Trial]
"""Makes a trial that fits so many folds at a time; anew, where it has to be tried again."""


class Crew(Protocol):
    """Where trials run."""

    peak_gb: float
    """Most memory that a worker held with a process that fits; 0 where there are no workers."""

    def used(self, seconds: float) -> Workers | None:
        """What a search of so many seconds used of a cluster; None where it is not one."""

    @property
    def busy(self) -> bool:
        """Whether a trial is running."""

    def room(self, seconds: float) -> None:
        """Wait until one more trial can begin, but not longer."""

    def begin(self, begin: Begin) -> None:
        """Let a trial run, once there is room for it."""

    def step(self) -> None:
        """Wait until one of them has got an answer, or for a moment."""


class Alone:
    """One trial at a time, in a sandbox of this machine."""

    busy = False
    peak_gb = 0.0

    def __init__(self, sandbox: Sandbox[Any]) -> None:
        self._sandbox = sandbox

    def used(self, seconds: float) -> None:
        return None

    def room(self, seconds: float) -> None:
        return None

    def step(self) -> None:
        return None

    def begin(self, begin: Begin) -> None:
        trial = begin(SIDE_BY_SIDE)
        wanted = next(trial, None)
        while wanted is not None:
            try:
                answer = self._answer(wanted)
            except (Stopped, Refusal) as stopped:
                answer = stopped
            wanted = follow(trial, answer)

    def _answer(self, wanted: Call | Ready) -> Any:
        if isinstance(wanted, Ready):
            return self._sandbox.ready(wanted.seconds)
        return self._sandbox.call(wanted.function, *wanted.arguments, seconds=wanted.seconds)


def follow(trial: Trial, answer: Any) -> Call | Ready | None:
    """What the trial wants next, now that it has this answer or this reason for none."""
    try:
        return trial.throw(answer) if isinstance(answer, Exception) else trial.send(answer)
    except StopIteration:
        return None


def asked(crew: Crew, function: Callable[..., Any], *arguments: Any, seconds: float) -> Any:
    """The answer to one call; raises what `Sandbox.call` raises."""
    came: list[Any] = []

    def once(folds: int) -> Trial:
        try:
            came.append((yield Call(function, *arguments, seconds=seconds)))
        except Exception as error:
            came.append(error)

    crew.begin(once)
    while not came:
        crew.step()
    if isinstance(came[0], Exception):
        raise came[0]
    return came[0]
