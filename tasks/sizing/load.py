"""Load on a service of this machine: over connections that are kept open, as fast as it goes or at a rate.

At a rate, requests come when they are due, whether or not earlier ones were answered, and their time
counts from then: a service that falls behind cannot hide it (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

CONNECTIONS = 16
WARM = 0.5  # seconds that are not counted


class Failed(Exception):
    """The service refused a request; what it said."""


@dataclass
class Counted:
    """What came back."""

    milliseconds: list[float] = field(default_factory=list)
    """Of each answer, from when it was due."""
    seconds: float = 0.0
    """How long it was counted."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds


class _Connection(asyncio.Protocol):
    """Asks one request at a time and hands its answer's time to the load."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._due = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._load.free(self)

    def ask(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        if len(body) < int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]):
            return
        if b" 200 " not in head[:16]:
            self._load.fail(self._got[:500].decode("utf-8", "replace"))
            return
        self._got = b""
        self._load.answered(self._due)
        self._load.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.fail(f"the connection was closed ({error})")


class _Load:
    """`rate` None: each connection asks again as soon as it is answered."""

    def __init__(self, requests: Sequence[bytes], rate: float | None) -> None:
        self._requests = cycle(requests)
        self._rate = rate
        self._idle: deque[_Connection] = deque()
        self._due: deque[float] = deque()
        self._random = random.Random(0)
        self._next = 0.0
        self.milliseconds: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Let requests come, at chance intervals (a Poisson process)."""
        if self._rate is not None:
            self._next = time.perf_counter()
            self._tick()

    def _tick(self) -> None:
        assert self._rate is not None
        now = time.perf_counter()
        while self._next <= now:
            self._due.append(self._next)
            self._next += self._random.expovariate(self._rate)
        while self._due and self._idle:
            self._idle.popleft().ask(next(self._requests), self._due.popleft())
        if not self.over.done():
            asyncio.get_running_loop().call_later(self._next - now, self._tick)

    def free(self, connection: _Connection) -> None:
        """This one may ask."""
        if self.over.done():
            return
        if self._rate is None:
            connection.ask(next(self._requests), time.perf_counter())
        elif self._due:
            connection.ask(next(self._requests), self._due.popleft())
        else:
            self._idle.append(connection)

    def answered(self, due: float) -> None:
        self.milliseconds.append((time.perf_counter() - due) * 1e3)

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(Failed(why))


def load(
    port: int,
    bodies: Sequence[bytes],
    seconds: float,
    rate: float | None = None,
    path: str = "/predict",
    connections: int = CONNECTIONS,
) -> Counted:
    """Post the bodies in turn for so long; raises `Failed` where one is not answered with 200."""
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    requests = [
        f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies
    ]  # fmt: skip

    async def run() -> Counted:
        loop, running = asyncio.get_running_loop(), _Load(requests, rate)
        transports = [
            (await loop.create_connection(lambda: _Connection(running), "127.0.0.1", port))[0]
            for _ in range(connections)
        ]
        running.start()
        try:
            await _passes(running, WARM)
            warm, begin = len(running.milliseconds), time.perf_counter()
            await _passes(running, seconds)
            found = Counted(running.milliseconds[warm:], time.perf_counter() - begin)
        finally:
            running.over.cancel()
            for transport in transports:
                transport.abort()
        return found

    return asyncio.run(run())


async def _passes(running: _Load, seconds: float) -> None:
    """So many seconds, or until something failed."""
    done, _ = await asyncio.wait([running.over], timeout=seconds)
    if done:
        running.over.result()
