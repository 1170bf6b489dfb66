"""Calls that can be stopped: a child process with a deadline for each call and a memory limit.

    with Sandbox(load, (training,), memory_gb=4.0) as sandbox:
        score = sandbox.call(fit, "forest", seconds=20)  # runs fit(load(training), "forest")

`load` runs once in each child; a child that was stopped is replaced by a fresh one. Functions
live in modules, since they travel by name. The child is a plain `python -c`, so that neither the
threads nor the `__main__` of the parent matter, and it dies when the parent dies.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import psutil

from charter import Refusal

State = TypeVar("State")
Answer = TypeVar("Answer")
P = ParamSpec("P")

STEP = 0.02
"""Seconds between two looks at the clock and at the memory."""
GIB = 2**30


class Stopped(Exception):
    """A call that brought no answer; its text says why."""


class TookTooLong(Stopped):
    """The call did not end before its deadline; the child was killed."""


class TookTooMuch(Stopped):
    """Parent and child together held more memory than allowed; the child was killed."""


class Died(Stopped):
    """The child ended by itself, as by a fault in compiled code or from outside."""


class Failed(Stopped):
    """The function raised; the child lives on."""


class Sandbox(Generic[State]):
    """One child process at a time; not to be shared by threads."""

    def __init__(
        self,
        load: Callable[..., State],
        arguments: tuple[Any, ...] = (),
        *,
        memory_gb: float,
        threads: int = 2,
        watch: Callable[[], None] | None = None,
    ) -> None:
        """`memory_gb` (GiB) bounds this process and the child together; `watch` is called about
        every 20 ms while a call runs."""
        self._load = (load, arguments)
        self._limit = memory_gb
        self._threads = threads
        self._watch = watch
        self._child: _Child | None = None
        self._self = psutil.Process()
        self._spent = 0.0
        self.peak_gb = 0.0

    @property
    def processor_seconds(self) -> float:
        """Processor time of all children so far, as far as it was looked at."""
        return self._spent + (self._child.spent if self._child else 0.0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Let a child prepare itself while the caller goes on."""
        if self._child is None:
            self._child = _Child(self._load, self._threads)

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None:
            self._spent += self._child.spent
            self._child.end()
            self._child = None

    def call(
        self,
        function: Callable[Concatenate[State, P], Answer],
        /,
        *arguments: Any,
        seconds: float,
    ) -> Answer:
        """What `function(state, *arguments)` returns.

        Raises TookTooLong, TookTooMuch, Died or Failed, all `Stopped`; a Refusal stays a Refusal.
        A child that is still loading has to be ready within `seconds` too; `ready` waits for it
        apart.
        """
        if seconds <= 0:  # who is stopped has to be replaced
            raise TookTooLong("was given up because its time was over")
        deadline = time.monotonic() + seconds
        self.ready(seconds)
        with self._stopping() as child:
            child.send((function, arguments))
            answer: Answer = _answer(self._reply(child, deadline))
        return answer

    def ready(self, seconds: float) -> None:
        """Wait until the child has loaded; raises what `call` raises."""
        deadline = time.monotonic() + seconds
        self.start()
        with self._stopping() as child:
            if not child.ready:
                _answer(self._reply(child, deadline))
                child.ready = True

    @contextmanager
    def _stopping(self) -> Iterator[_Child]:
        """The child, which ends with whatever is raised, unless it raised that itself."""
        child = self._child
        assert child is not None
        try:
            yield child
        except (Failed, Refusal):
            if not child.ready:
                self.close()
            raise
        except BaseException:
            self.close()
            raise

    def _reply(self, child: _Child, deadline: float) -> tuple[str, Any]:
        while not child.answered(STEP):
            self._look(child)
            if time.monotonic() > deadline:
                raise TookTooLong("was stopped because its time was over")
            if self._watch is not None:
                self._watch()
        self._look(child)
        return child.receive()

    def _look(self, child: _Child) -> None:
        held = (self._self.memory_info().rss + child.look()) / GIB
        self.peak_gb = max(self.peak_gb, held)
        if held > self._limit:
            raise TookTooMuch(f"was stopped at {held:.2f} GiB of {self._limit:g} GiB")


class _Child:
    """The process, its channel, and the file that holds what it said last."""

    def __init__(self, load: tuple[Callable[..., Any], tuple[Any, ...]], threads: int) -> None:
        self.ready = False
        self.spent = 0.0
        """Seconds of processor time at the last look."""
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by `end`
        self._channel, theirs = Pipe()
        dead, self._alive = os.pipe()
        try:
            self._process = _spawn(theirs, dead, threads, self._said)
        finally:
            theirs.close()
            os.close(dead)
        self._seen = psutil.Process(self._process.pid)
        self.send(load)

    def send(self, call: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
        try:
            self._channel.send(call)
        except (BrokenPipeError, ConnectionResetError):
            raise self._death() from None

    def answered(self, seconds: float) -> bool:
        return self._channel.poll(seconds)

    def receive(self) -> tuple[str, Any]:
        try:
            kind, value = self._channel.recv()
        except (EOFError, ConnectionResetError):
            raise self._death() from None
        return kind, value

    def look(self) -> int:
        """Resident bytes; 0 once it has gone."""
        try:
            with self._seen.oneshot():
                times = self._seen.cpu_times()
                self.spent = times.user + times.system
                return int(self._seen.memory_info().rss)
        except psutil.Error:
            return 0

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._channel.close()
        os.close(self._alive)
        self._said.close()

    def _death(self) -> Died:
        code = self._process.wait()
        if code < 0:
            return Died(f"its process was ended by {signal.Signals(-code).name}")
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        return Died(f"its process ended with status {code}: {words[-1] if words else 'no words'}")


def _spawn(
    channel: Connection, lifeline: int, threads: int, said: IO[bytes]
) -> subprocess.Popen[bytes]:
    numbers = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    bounds = {f"{library}_NUM_THREADS": str(threads) for library in numbers}
    # Linear algebra on a few hundred columns gains little from a second thread, and waits for it
    # many times longer than it works where the cores are shared.
    bounds["OPENBLAS_NUM_THREADS"] = "1"
    # Threads that wait for each other let go of their core: where the machine is shared, spinning
    # made XGBoost on 16,000 rows take 12 s instead of 0.5 s.
    bounds["OMP_WAIT_POLICY"] = "passive"
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from tasks.tuning.worker import main; "
        f"main({channel.fileno()}, {lifeline}, {os.getpid()})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        pass_fds=(channel.fileno(), lifeline),
        env={**os.environ, **bounds, "PYTHONWARNINGS": "ignore"},
    )


def _answer(message: tuple[str, Any]) -> Any:
    kind, value = message
    if kind == "answer":
        return value
    if kind == "refusal":
        raise value
    if kind == "memory":
        raise TookTooMuch(value)
    raise Failed(value)
