"""Small requests that come in within two turns of the event loop are answered together.

One run of the model on sixteen rows costs little more than on one, and the journal takes them as
one group. The second turn takes in what arrived while the first was read; no request waits longer
for others that have not come yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from serving.arms import Arms
from serving.journaling.stores import Record
from serving.loaded import Answer, Loaded
from serving.trial import Asked, Trial

Waiting = asyncio.Future[bytes]


class Turns:
    """`trial` gives what answers now; `write` returns when the journal has it."""

    def __init__(
        self, trial: Trial, write: Callable[[Sequence[Record]], Awaitable[None]] | None
    ) -> None:
        self._trial = trial
        self._write = write
        self._asked: list[Asked] = []
        self._keys: list[bytes] = []
        self._waiting: list[asyncio.Future[bytes]] = []
        self._running: set[asyncio.Task[None]] = set()

    def ask(self, body: bytes, at: float, key: bytes = b"") -> asyncio.Future[bytes]:
        """The answer, once it is durable; fails with `Bad`, `Unwritten` or what went wrong.

        `key` decides which release is asked while one is tried; by default the body does.
        """
        if not self._waiting:
            self._start(self._answer())  # runs behind what has come in already
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked.append((body, at))
        self._keys.append(key or body)
        self._waiting.append(done)
        return done

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        asked, self._asked = self._asked, []
        keys, self._keys = self._keys, []
        waiting, self._waiting = self._waiting, []
        try:
            arms = self._trial.arms()
            if arms.canary is not None:
                asked, waiting = self._shared(arms, asked, keys, waiting)
            found = self._trial.champion(arms, asked, Loaded.answers) if asked else []
        except Exception as error:
            found = [error] * len(waiting)
        await self._give(found, waiting)

    def _shared(
        self, arms: Arms, asked: list[Asked], keys: list[bytes], waiting: list[Waiting]
    ) -> tuple[list[Asked], list[Waiting]]:
        """What is left for the champion; the rest is on its way to the canary."""
        takes = [arms.takes(key) for key in keys]
        theirs = [i for i, one in enumerate(takes) if one]
        if theirs:
            self._start(self._tried(arms, [asked[i] for i in theirs], [waiting[i] for i in theirs]))
        ours = [i for i, one in enumerate(takes) if not one]
        return [asked[i] for i in ours], [waiting[i] for i in ours]

    async def _tried(self, arms: Arms, asked: list[Asked], waiting: list[Waiting]) -> None:
        await self._give(await self._trial.canary(arms, asked, Loaded.answers), waiting)

    async def _give(self, found: list[Answer | Exception], waiting: list[Waiting]) -> None:
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
