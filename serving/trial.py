"""A canary at work: it answers its share with the champion behind it, and goes at once where it is bad.

Whatever the canary fails to answer the champion answers, so that nobody who asks meets a fault of it.
What fails or is slow beyond doubt (`serving/arms.py`) is out of this process with the answer that
shows it, and out of `live.json`, so out of every other, with the next write.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving import canary
from serving.arms import Arms, Fared, Limits, broken
from serving.form import Bad
from serving.journaling.book import Book
from serving.loaded import Loaded
from serving.releases import Note

log = logging.getLogger(__name__)

T = TypeVar("T")

Asked = tuple[bytes, float]
"""Body and time of a request."""
Work = Callable[[Loaded, Sequence[Asked]], list[T | Exception]]
"""What a release makes of requests: one answer each, or what was wrong with it."""

PROBATION = 50
"""Answers that a canary first gives beside the event loop, where a slow one holds nobody up."""
PATIENCE = 4.0
"""How many times the limit of latency a canary on probation may take, before the champion steps in."""
LEAST = 0.25  # seconds


class Trial:
    """What answers now, and what becomes of a canary among it."""

    def __init__(self, found: Callable[[], Arms], book: Book | None) -> None:
        self._found = found
        self._book = book
        self._thread = ThreadPoolExecutor(1, "canary")
        self._tried: object = None
        self._out = False
        self._fared = (Fared(), Fared())
        self._running: set[asyncio.Task[None]] = set()

    def arms(self) -> Arms:
        """The live release and the canary, unless that is out; raises `Bad` before there is one."""
        arms = self._found()
        if arms.canary is None:
            return arms
        if self._tried != arms.canary.live:
            self._tried, self._out = arms.canary.live, False
            self._fared = (Fared(), Fared())
        return Arms(arms.champion) if self._out else arms

    async def one(
        self,
        key: bytes,
        asked: Asked,
        work: Work[T],
        large: bool = False,
        release: str | None = None,
    ) -> T | Exception:
        """What becomes of a request that is answered by itself; `release` where it asks for one."""
        arms = self.arms()
        theirs = arms.canary is not None and release == str(arms.canary.live.release)
        if theirs or (release is None and arms.takes(key)):
            return (await self.canary(arms, [asked], work, large))[0]
        if large:
            return (await asyncio.to_thread(self.champion, arms, [asked], work))[0]
        return self.champion(arms, [asked], work)[0]

    def champion(self, arms: Arms, asked: Sequence[Asked], work: Work[T]) -> list[T | Exception]:
        """What the live release answers; counted while there is something to compare it with."""
        start = time.perf_counter()
        found = work(arms.champion, asked)
        if arms.canary is not None:
            bad = [isinstance(one, Exception) and not isinstance(one, Bad) for one in found]
            self._count(arms, arms.champion, bad, _since(start), asked)
        return found

    async def canary(
        self, arms: Arms, asked: Sequence[Asked], work: Work[T], large: bool = False
    ) -> list[T | Exception]:
        """What the canary answers; where it fails, is late, or refuses what the champion takes, the
        champion does. `large`: too much for the event loop."""
        assert arms.canary is not None
        start = time.perf_counter()
        found = await self._tried_on(arms.canary, asked, work, large)
        spent = _since(start)
        open_ = [i for i, one in enumerate(found) if isinstance(one, Exception)]
        given = list(found)
        if open_:
            again = [asked[i] for i in open_]
            step_in = asyncio.to_thread(work, arms.champion, again) if large else None
            helped = await step_in if step_in else work(arms.champion, again)
            for i, one in zip(open_, helped, strict=True):
                given[i] = one
        bad = [one is not two and not isinstance(two, Exception) for one, two in zip(found, given, strict=True)]  # fmt: skip
        self._count(arms, arms.canary, bad, spent, asked)
        return given

    async def _tried_on(
        self, loaded: Loaded, asked: Sequence[Asked], work: Work[T], large: bool
    ) -> list[T | Exception]:
        try:
            if large:
                return await asyncio.to_thread(work, loaded, asked)
            if self._fared[0].answers >= PROBATION:
                return work(loaded, asked)
            limit = max(LEAST, PATIENCE * Limits.of(loaded).milliseconds / 1e3)
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._thread, work, loaded, asked)
            return await asyncio.wait_for(running, limit)
        except Exception as error:
            return [error] * len(asked)

    def _count(
        self,
        arms: Arms,
        loaded: Loaded,
        bad: Sequence[bool],
        milliseconds: float,
        asked: Sequence[Asked],
    ) -> None:
        """`bad`: of each answer whether it is the release's fault that there is none."""
        limits = Limits.of(loaded)
        fared = self._fared[loaded is arms.champion]
        fared.answers += len(bad)
        fared.failed += sum(bad)
        fared.slow += len(bad) * (milliseconds > limits.milliseconds)
        if self._book is not None:
            tally = self._book.tally_of(loaded.live.release)
            for one, (_, at) in zip(bad, asked, strict=True):
                tally.count(at, 500 if one else 200, milliseconds)
        if loaded is arms.canary and (why := broken(*self._fared, limits)):
            self._end(loaded, why)

    def _end(self, loaded: Loaded, why: str) -> None:
        """Out of this process at once, and out of `live.json` as soon as that is written."""
        if self._out:
            return
        self._out = True
        log.warning("canary %d is withdrawn: %s", loaded.live.release, why)
        task = asyncio.get_running_loop().create_task(_told(loaded, why))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _told(loaded: Loaded, why: str) -> None:
    note: Note = {"event": "withdrawn", "why": why, "asked": "the service"}
    release = loaded.live.release
    try:
        await asyncio.to_thread(canary.withdraw, loaded.folder.parent, release, note)
    except Exception as error:  # it may read only; the next look at the journal withdraws it
        log.warning("canary %d is out of this process alone: %s", release, error)


def _since(start: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - start) * 1e3
