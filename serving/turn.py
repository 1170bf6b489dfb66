"""Small requests that come in one turn of the event loop are answered together.

One run of the model on sixteen rows costs little more than on one, and the journal takes them as
one group; no request waits for others that have not come yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from serving.journaling.stores import Record
from serving.loaded import Answer, Loaded

Asked = tuple[bytes, float]
"""Body and time of a request."""


class Turns:
    """`loaded` gives the release that answers now; `write` returns when the journal has it."""

    def __init__(
        self,
        loaded: Callable[[], Loaded],
        write: Callable[[Sequence[Record]], Awaitable[None]] | None,
    ) -> None:
        self._loaded = loaded
        self._write = write
        self._asked: list[Asked] = []
        self._waiting: list[asyncio.Future[bytes]] = []
        self._running: set[asyncio.Task[None]] = set()

    def ask(self, body: bytes, at: float) -> asyncio.Future[bytes]:
        """The answer, once it is durable; fails with `Bad`, `Unwritten` or what went wrong."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            task = loop.create_task(self._answer())  # runs behind what has come in already
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        done: asyncio.Future[bytes] = loop.create_future()
        self._asked.append((body, at))
        self._waiting.append(done)
        return done

    async def _answer(self) -> None:
        asked, self._asked = self._asked, []
        waiting, self._waiting = self._waiting, []
        try:
            found = self._loaded().answers(asked)
        except Exception as error:
            found = [error] * len(waiting)
        found = await self._kept(found)
        for done, one in zip(waiting, found, strict=True):
            if done.done():  # its request was cancelled
                continue
            if isinstance(one, Exception):
                done.set_exception(one)
            else:
                done.set_result(one.content)

    async def _kept(self, found: list[Answer | Exception]) -> list[Answer | Exception]:
        """What may be given out: with a journal that cannot be written, only refusals."""
        records = [
            record for one in found if not isinstance(one, Exception) for record in one.records
        ]
        if self._write is None or not records:
            return found
        try:
            await self._write(records)
        except Exception as error:
            return [one if isinstance(one, Exception) else error for one in found]
        return found
