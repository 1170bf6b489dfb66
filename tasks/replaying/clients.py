"""The people who ask the service, and tell it later how it went: over HTTP, some at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from charter import Refusal

CONNECTIONS = 8
RATE = 2_000.0  # requests a second, all connections together
PATIENCE = 60.0  # seconds that a client waits for an answer, and tries again when told 503
PLAIN = False  # no certificates are read for an address that begins with http:
CLOCK = "Perennial-Time"
OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


@dataclass(frozen=True)
class Request:
    """One request, at its moment on the simulated clock."""

    path: str
    at: datetime
    content: Any


class Clients:
    """Sends requests over a bounded number of connections, at a bounded rate."""

    def __init__(self, port: int, connections: int = CONNECTIONS, rate: float = RATE) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._connections = connections
        self._pause = 1 / rate
        self._next = 0.0
        self.sent = 0

    def all(self, requests: Sequence[Request]) -> list[Any]:
        """The answers, in the order of the requests."""
        return asyncio.run(self._all(requests))

    def model(self) -> Any:
        """What the service says of the release that answers."""
        answer = httpx.get(f"{self._base}/model", timeout=PATIENCE, verify=PLAIN, trust_env=False)
        return answer.raise_for_status().json()

    async def _all(self, requests: Sequence[Request]) -> list[Any]:
        answers: list[Any] = [None] * len(requests)
        waiting = iter(enumerate(requests))
        limits = httpx.Limits(max_connections=self._connections)
        options: dict[str, Any] = {"limits": limits, "timeout": PATIENCE, "verify": PLAIN}
        async with httpx.AsyncClient(base_url=self._base, trust_env=False, **options) as http:

            async def work() -> None:
                for place, request in waiting:  # one iterator for all: each takes the next
                    await self._paced()
                    answers[place] = await self._send(http, request)

            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._connections, len(requests))):
                    group.create_task(work())
        return answers

    async def _paced(self) -> None:
        now = time.monotonic()
        mine = self._next = max(now, self._next + self._pause)
        if mine > now:
            await asyncio.sleep(mine - now)

    async def _send(self, http: httpx.AsyncClient, request: Request) -> Any:
        """The answer; 503 (nothing was taken) is tried again, anything else but 200 is refused."""
        body = orjson.dumps(request.content, option=OPTIONS)
        headers = {
            CLOCK: request.at.astimezone(UTC).isoformat(),
            "Content-Type": "application/json",
        }
        deadline = time.monotonic() + PATIENCE
        while True:
            self.sent += 1
            answer = await http.post(request.path, content=body, headers=headers)
            if answer.status_code == 200:
                return orjson.loads(answer.content)
            if answer.status_code != 503 or time.monotonic() > deadline:
                raise _refused(request, answer)
            await asyncio.sleep(0.2)


def _refused(request: Request, answer: httpx.Response) -> Refusal:
    return Refusal(
        f"replay, {request.path} at {request.at:%Y-%m-%d %H:%M}",
        f"found status {answer.status_code}: {answer.text[:500]}",
        "wanted every request answered",
        "Look at the row above; the source has to give what the model asks for.",
    )
