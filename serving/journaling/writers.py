"""Group commit: what comes in while the last group is written goes out together as the next one.

A request waits for `add`; when that returns, its predictions are durable. Two ways, by what a
commit costs: on the event loop itself where it is a few system calls (SQLite without fsync), since
handing over to a thread costs more than the commit; otherwise in a thread beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from serving.journaling.database import DRIVER, Durable
from serving.journaling.stores import Busy, Record, Store, store

PATIENCE = 5.0  # seconds that a request waits for the journal
PAUSE = 0.002  # seconds until a busy database is tried again
GROUP = 500  # predictions of one transaction that a single request may fill


class Unwritten(Exception):
    """The journal cannot take predictions now, so they must not be acknowledged."""


class Writer:
    """Collects what is added in one turn of the event loop, and hands it out as a group."""

    def __init__(self, room: Store) -> None:
        self._room = room
        self._records: list[Record] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._due = False
        self._since = 0.0

    def add(self, records: Sequence[Record]) -> asyncio.Future[None]:
        """Done when the predictions are durable; fails with `Unwritten`."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        if not self._records:
            self._since = time.monotonic()
        self._records.extend(records)
        self._waiting.append(done)
        if not self._due:
            self._due = True
            loop.call_soon(self._write)
        return done

    @property
    def waiting(self) -> tuple[int, float]:
        """Predictions that are not durable yet, and for how long the oldest has waited (s)."""
        return len(self._records), time.monotonic() - self._since if self._records else 0.0

    def _write(self) -> None:
        raise NotImplementedError

    def _take(self) -> tuple[list[Record], list[asyncio.Future[None]]]:
        taken = self._records, self._waiting
        self._records, self._waiting = [], []
        return taken

    async def close(self) -> None:
        """Write what is left and let go of the database."""
        while self._due:
            await asyncio.sleep(PAUSE)
        self._room.close()


class Inline(Writer):
    """Writes on the event loop, and comes back later where another writer has the database."""

    def _write(self) -> None:
        try:
            self._room.insert(self._records)
        except Busy as error:
            if time.monotonic() - self._since < PATIENCE:
                asyncio.get_running_loop().call_later(PAUSE, self._write)
                return
            settle(self._end(), error)
        except Exception as error:
            settle(self._end(), error)
        else:
            settle(self._end(), None)

    def _end(self) -> list[asyncio.Future[None]]:
        self._due = False
        return self._take()[1]


class Beside(Writer):
    """Writes in one thread; while a group is on its way the next one gathers."""

    def __init__(self, room: Store) -> None:
        super().__init__(room)
        self._thread = ThreadPoolExecutor(1, "journal")
        self._flying = (0, 0.0)

    @property
    def waiting(self) -> tuple[int, float]:
        size, since = self._flying
        gathered, lag = super().waiting
        return (size + gathered, time.monotonic() - since) if size else (gathered, lag)

    def _write(self) -> None:
        self._flying = (len(self._records), self._since)
        records, waiting = self._take()
        told = asyncio.get_running_loop().call_soon_threadsafe
        self._thread.submit(self._insert, records, waiting, told)

    def _insert(
        self,
        records: list[Record],
        waiting: list[asyncio.Future[None]],
        told: Callable[..., object],
    ) -> None:
        failure: Exception | None = None
        try:
            self._room.insert(records)
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed; nobody waits any more
            told(self._end, waiting, failure)

    def _end(self, waiting: list[asyncio.Future[None]], failure: Exception | None) -> None:
        if self._records:
            self._write()
        else:
            self._due, self._flying = False, (0, 0.0)
        settle(waiting, failure)

    async def close(self) -> None:
        await super().close()
        self._thread.shutdown()


def settle(waiting: Sequence[asyncio.Future[None]], failure: Exception | None) -> None:
    """Tell everybody who waits how it went."""
    for one in waiting:
        if one.done():  # its request was cancelled
            continue
        if failure is None:
            one.set_result(None)
        else:
            why = "another writer has it" if isinstance(failure, Busy) else _first_line(failure)
            one.set_exception(Unwritten(why))


def _first_line(failure: Exception) -> str:
    said = str(failure).strip().splitlines()
    return f"{type(failure).__name__}: {said[0] if said else 'no reason given'}"


def writer(url: sa.URL, durable: Durable) -> Writer:
    """The writer that suits the journal's address and the durability asked for."""
    if url.drivername != DRIVER and durable == "process":
        return Inline(store(url, durable, 0.0))
    return Beside(store(url, durable, PATIENCE))
