"""What a service keeps in the journal: its predictions, the truths it is told, how it did."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from serving.journal import Journal, Receipt, Truth
from serving.journaling.database import Durable, address
from serving.journaling.minutes import Tally
from serving.journaling.stores import Record
from serving.journaling.writers import GROUP, Unwritten, writer

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE = 10.0  # seconds between two looks at the tally


class Backlog(NamedTuple):
    """What the journal is behind with."""

    waiting: int
    """Predictions that are not durable yet."""
    lag: float
    """Seconds that the oldest of them has been waiting."""
    unfolded: float | None
    """Seconds since the oldest prediction that no batch has; None where that is not known."""


class Book:
    """The journal as the service of one project uses it; made before the event loop runs.

    `project` is a first guess; what the release that answers says counts (`belong`).
    """

    def __init__(self, project: str, url: str | None, durable: Durable = "process") -> None:
        self._where = address(url)
        self._project = project
        self._durable = durable
        self._journal: Journal | None = None
        self._writer = writer(self._where, durable)
        self._instance = f"{os.uname().nodename}:{os.getpid()}"
        self.tally = Tally(self._instance)
        self._tried: dict[int, Tally] = {}

    def tally_of(self, release: int) -> Tally:
        """What counts the answers of a release while another one is tried beside it."""
        if release not in self._tried:
            self._tried[release] = Tally(f"{release} {self._instance}")
        return self._tried[release]

    def belong(self, project: str) -> None:
        """What comes from now on is about this project, whatever its folder is called."""
        self._project = project
        if self._journal is not None:
            self._journal.project = project

    def open(self) -> None:
        """Make the tables; where that fails, requests are answered 503 until it succeeds."""
        try:
            self._opened()
        except Exception as error:
            log.warning("the journal cannot be opened: %s", error)

    def _opened(self) -> Journal:
        if self._journal is None:
            where = self._where.render_as_string(hide_password=False)
            self._journal = Journal(self._project, where, self._durable, pool=True)
            self._journal.project = self._project  # a release may have been taken meanwhile
        return self._journal

    async def write(self, records: Sequence[Record]) -> None:
        """Returns when the predictions are durable; raises `Unwritten`."""
        if self._journal is None:
            await self._beside(self._opened)
        for first in range(0, len(records), GROUP):
            await self._writer.add(records[first : first + GROUP])

    async def feedback(self, entries: Sequence[tuple[str, Truth]], at: float) -> Receipt:
        """Returns when the truths are durable; raises `Unwritten`."""
        return await self._beside(lambda: self._opened().feedback(entries, at))

    async def read(self, work: Callable[[Journal], T]) -> T:
        """What `work` finds in the journal, asked beside the event loop; raises `Unwritten`."""
        return await self._beside(lambda: work(self._opened()))

    async def backlog(self) -> Backlog:
        """How far behind it is; the database is asked one indexed question."""
        waiting, lag = self._writer.waiting
        try:
            since = await self.read(Journal.unfolded)
        except Unwritten:
            return Backlog(waiting, lag, None)
        return Backlog(waiting, lag, time.time() - since if since is not None else 0.0)

    async def _beside(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except Exception as error:
            raise Unwritten(f"{type(error).__name__}: {str(error).splitlines()[0]}") from error

    async def run(self) -> None:
        """Enter the minutes that are over, for ever."""
        while True:
            await asyncio.sleep(PAUSE)
            await self._enter(everything=False)

    async def _enter(self, everything: bool) -> None:
        found = self.tally.take(everything)
        tried = [minute for one in self._tried.values() for minute in one.take(everything)]
        if not found and not tried:
            return
        try:
            await asyncio.to_thread(lambda: self._opened().add_minutes(found, tried))
        except Exception as error:  # they are lost, predictions are not
            log.warning("%d minutes not entered: %s", len(found), error)

    async def close(self) -> None:
        """Write what is left."""
        await self._enter(everything=True)
        await self._writer.close()
        if self._journal is not None:
            self._journal.close()
