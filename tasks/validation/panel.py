"""Who judges the parts of a table: this process, or judges in processes of their own.

The judges share one import of Great Expectations, which takes seconds and 300 MB: a first process
imports it and forks them off. It is a plain `python -c`, so that neither the threads nor the
`__main__` of this process matter, and all of them die with this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

from charter import Charter
from tasks.tuning.worker import main as serve
from tasks.validation.judge import great_expectations

State = TypeVar("State")
State_co = TypeVar("State_co", covariant=True)
Answer = TypeVar("Answer")
Item = TypeVar("Item")
P = ParamSpec("P")

PANEL_ROWS = 1_000_000
"""From so many rows on, judges of their own pay for their start."""
JUDGES = 4
JUDGE_GB = 0.3
"""What one judge holds beyond what all share."""
SHARED_GB = 0.8


class Judges(Protocol[State_co]):
    """What judges can be asked; `State_co` is what each of them has prepared."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def call(
        self,
        function: Callable[Concatenate[State_co, P], Answer],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Answer:
        """What `function(state, ...)` returns."""

    def each(
        self, function: Callable[[State_co, Item], Answer], items: Iterable[Item]
    ) -> Iterator[Answer]:
        """What `function(state, item)` returns for each item, in their order."""


def seat(
    charter: Charter, rows: int, load: Callable[..., State], arguments: tuple[Any, ...]
) -> Judges[State]:
    """As many judges as the rows, the cores and the charter's memory are good for."""
    room = int((charter.constraints.memory_gb - SHARED_GB) / JUDGE_GB)
    judges = min(os.cpu_count() or 1, JUDGES, room)
    if rows < PANEL_ROWS or judges < 1:
        return Alone(load, arguments)
    return Panel(load, arguments, judges)


class Alone(Generic[State]):
    """This process."""

    def __init__(self, load: Callable[..., State], arguments: tuple[Any, ...]) -> None:
        self._load, self._arguments = load, arguments

    def __enter__(self) -> Self:
        self._state = self._load(*self._arguments)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def call(
        self,
        function: Callable[Concatenate[State, P], Answer],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Answer:
        return function(self._state, *args, **kwargs)

    def each(
        self, function: Callable[[State, Item], Answer], items: Iterable[Item]
    ) -> Iterator[Answer]:
        return (function(self._state, item) for item in items)


class Panel(Generic[State]):
    """Processes; functions live in modules, since they travel by name.

    A Refusal comes back as one; anything else that goes wrong there is a RuntimeError.
    """

    def __init__(self, load: Callable[..., State], arguments: tuple[Any, ...], judges: int) -> None:
        self._load, self._arguments, self._judges = load, arguments, judges

    def __enter__(self) -> Self:
        pairs = [Pipe() for _ in range(self._judges)]
        dead, self._alive = os.pipe()
        theirs = [their.fileno() for _, their in pairs]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _code(theirs, dead)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(*theirs, dead),
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        )
        os.close(dead)
        self._channels = deque(ours for ours, _ in pairs)
        for ours, their in pairs:
            their.close()
            self._send(ours, self._load, self._arguments)
        self._loading = set(self._channels)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # the judges go with it
        self._process.wait()
        os.close(self._alive)
        for channel in self._channels:
            channel.close()

    def call(
        self,
        function: Callable[Concatenate[State, P], Answer],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Answer:
        answer: Answer = next(self.each(_unpacked, [(function, args, kwargs)]))
        return answer

    def each(
        self, function: Callable[[State, Item], Answer], items: Iterable[Item]
    ) -> Iterator[Answer]:
        """Every judge works on one item while this process is busy with an earlier answer."""
        waiting: deque[Connection] = deque()
        for item in items:
            ready = len(waiting) == self._judges
            answer: Any = self._answer(waiting.popleft()) if ready else None
            waiting.append(self._give(function, item))
            if ready:
                yield answer
        while waiting:
            yield self._answer(waiting.popleft())

    def _give(self, function: Callable[[State, Item], Answer], item: Item) -> Connection:
        """The channel of the judge whose turn it is."""
        channel = self._channels[0]
        self._channels.rotate(-1)
        if channel in self._loading:
            self._answer(channel)
            self._loading.remove(channel)
        self._send(channel, function, (item,))
        return channel

    def _send(
        self, channel: Connection, function: Callable[..., Any], given: Sequence[Any]
    ) -> None:
        try:
            channel.send((function, given))
        except (BrokenPipeError, ConnectionResetError):
            raise self._death() from None

    def _answer(self, channel: Connection) -> Any:
        try:
            kind, value = channel.recv()
        except (EOFError, ConnectionResetError):
            raise self._death() from None
        if kind == "answer":
            return value
        raise value if kind == "refusal" else RuntimeError(f"a judge failed: {value}")

    def _death(self) -> RuntimeError:
        return RuntimeError("the process of a judge ended, perhaps for want of memory")


def _unpacked(state: Any, call: tuple[Callable[..., Any], Any, Any]) -> Any:
    function, arguments, named = call
    return function(state, *arguments, **named)


def _code(channels: Sequence[int], lifeline: int) -> str:
    return (
        f"import sys; sys.path[:] = {sys.path!r}; from tasks.validation.panel import lead; "
        f"lead({list(channels)}, {lifeline})"
    )


def lead(channels: Sequence[int], lifeline: int) -> None:
    """The first process: become a judge for each channel, once the library is there."""
    import gc

    gc.disable()
    great_expectations()
    gc.enable()
    gc.freeze()  # what is shared stays shared: the collector would write into it
    leader = os.getpid()
    for channel in channels:
        if os.fork() == 0:
            for other in channels:
                if other != channel:
                    os.close(other)
            serve(channel, lifeline, leader)
            os._exit(0)
    for channel in channels:
        os.close(channel)
    for _ in channels:
        os.wait()
