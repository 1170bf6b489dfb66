"""The one door to Dask: a scheduler, who works for it, and what they are asked.

Workers import this file to answer, so it imports next to nothing itself.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from tasks.tuning.post import Post, Told
from tasks.tuning.reach import unreachable

Brought = TypeVar("Brought", covariant=True)

CONNECT = 10.0
"""Seconds that a scheduler has to take us in, or an answer to be fetched."""
LOOK = 1.0
"""Seconds between two looks at who is there."""
SILENT = 20.0
"""A scheduler that does not answer for so many seconds is lost."""


class Lost(Exception):
    """There is no scheduler any more."""


class Later(Protocol[Brought]):
    """What a worker was asked for; a future of Dask."""

    status: str
    """`pending`, `finished`, `error`, `cancelled` or `lost`."""

    def done(self) -> bool: ...

    def result(self, timeout: float) -> Brought: ...

    def exception(self, timeout: float) -> BaseException: ...


class Scheduler:
    """A connection to the scheduler; what was asked through it is forgotten with it."""

    def __init__(self, address: str) -> None:
        """Raises a Refusal where none answers. Certificates come from Dask's own settings."""
        from distributed import Client

        self.address = address
        self.rang = threading.Event()
        """Set whenever an answer has come."""
        self._looked = float("-inf")
        self._looking: Future[Any] | None = None
        try:
            self._client = Client(address, timeout=CONNECT, set_as_default=False)
        except Exception as error:  # also what is wrong with certificates
            raise unreachable(address, f"{type(error).__name__}: {error}") from None

    def close(self) -> None:
        self._client.close(timeout=CONNECT)

    def ask(self, function: Callable[..., Any], worker: str, *arguments: Any) -> Any:
        """What the function of a module brings there, Later; others of these may be arguments."""
        future = self._client.submit(
            _by_name(function),
            *arguments,
            workers=[worker],
            pure=False,
            key=f"perennial-{function.__name__}-{uuid.uuid4()}",
        )
        future.add_done_callback(lambda _: self.rang.set())
        return future

    def send(self, content: bytes, workers: Sequence[str]) -> Any:
        """The same bytes for all of them, each gets them once; to be an argument."""
        (sent,) = self._client.scatter([content], workers=list(workers), broadcast=True, hash=False)
        return sent

    def look(self) -> Mapping[str, Mapping[str, Any]] | None:
        """The workers by their address, every second; None in between, since nobody waits for it.

        Raises Lost.
        """
        now = time.monotonic()
        if self._looking is None:
            if now - self._looked >= LOOK:
                asking = self._client.scheduler.identity(n_workers=-1)
                loop = self._client.loop.asyncio_loop
                self._looking = asyncio.run_coroutine_threadsafe(asking, loop)
                self._looking.add_done_callback(lambda _: self.rang.set())
                self._looked = now
            return None
        if not self._looking.done():
            if now - self._looked > SILENT:
                raise Lost(f"the scheduler at {self.address} says nothing")
            return None
        later, self._looking = self._looking, None
        if error := later.exception():
            raise Lost(f"the scheduler at {self.address} is lost ({error})")
        workers: Mapping[str, Mapping[str, Any]] = later.result()["workers"]
        return workers


def _by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, travelling as a name: the scheduler unpacks what it hands on, and need not have it."""
    module, name = function.__module__, function.__qualname__

    def named(*arguments: Any) -> Any:
        from importlib import import_module

        return getattr(import_module(module), name)(*arguments)

    return named


def answer(post: Post, call: bytes, seconds: float) -> Told:
    """On a worker: the answer of a post there, unless nobody waits for it any more."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state != "cancelled"

    return post.answer(call, seconds, wanted)
