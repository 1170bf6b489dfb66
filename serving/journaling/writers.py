"""Group commit: what comes in while the last group is written goes out together as the next one.

A request waits for `add`; when that returns, its predictions are durable. Where a commit takes less
than a turn of the event loop is worth (SQLite on a quick disk), it is made there and then, since
handing over to a thread costs more; otherwise in one thread beside it, measured as it goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from serving.journaling.database import DRIVER, Durable
from serving.journaling.stores import Busy, PostgresStore, Record, SqliteStore, Store

PATIENCE = 5.0  # seconds that a request waits for the journal
PAUSE = 0.002  # seconds until a busy database is tried again
GROUP = 500  # predictions of one transaction that a single request may fill
QUICK = 0.002  # seconds of a commit for which the event loop may stand still
SHARE = 0.1  # of what a commit is taken to cost, the last one's part


class Unwritten(Exception):
    """The journal cannot take predictions now, so they must not be acknowledged."""


class Writer:
    """Writes what is added, each time all of it in one transaction.

    `far`: the store is over a network, for which the event loop never waits.
    """

    def __init__(self, room: Store, far: bool = False) -> None:
        self._room = room
        self._far = far
        self._cost = 0.0
        self._records: list[Record] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._since = 0.0
        self._flying = (0, 0.0)
        self._thread = ThreadPoolExecutor(1, "journal")

    def add(self, records: Sequence[Record]) -> asyncio.Future[None]:
        """Done when the predictions are durable; fails with `Unwritten`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        aside = self._far or self._flying[0] or self._cost > QUICK
        if aside or not self._here(records, done):
            self._gather(records, done)
        return done

    @property
    def waiting(self) -> tuple[int, float]:
        """Predictions that are not durable yet, and for how long the oldest has waited (s)."""
        flying, since = self._flying
        return (flying + len(self._records), time.monotonic() - since) if flying else (0, 0.0)

    def _here(self, records: Sequence[Record], done: asyncio.Future[None]) -> bool:
        """Written now, on the event loop; False where another writer has the database."""
        start = time.monotonic()
        try:
            self._room.insert(records)
        except Busy:
            return False
        except Exception as error:
            settle([done], error)
        else:
            settle([done], None)
        self._took(time.monotonic() - start)
        return True

    def _gather(self, records: Sequence[Record], done: asyncio.Future[None]) -> None:
        if not self._records:
            self._since = time.monotonic()
        self._records.extend(records)
        self._waiting.append(done)
        if not self._flying[0]:
            self._send()

    def _send(self) -> None:
        """Hand over what has gathered; while it is on its way, the next group does."""
        records, waiting = self._records, self._waiting
        self._records, self._waiting = [], []
        self._flying = (len(records), self._since)
        told = asyncio.get_running_loop().call_soon_threadsafe
        self._thread.submit(self._beside, records, self._since, waiting, told)

    def _beside(
        self,
        records: list[Record],
        since: float,
        waiting: list[asyncio.Future[None]],
        told: Callable[..., object],
    ) -> None:
        failure: Exception | None = None
        start = time.monotonic()
        try:
            self._patiently(records, since + PATIENCE)
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed; nobody waits any more
            told(self._landed, waiting, failure, time.monotonic() - start)

    def _patiently(self, records: list[Record], deadline: float) -> None:
        while True:
            try:
                return self._room.insert(records)
            except Busy:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)

    def _landed(
        self, waiting: list[asyncio.Future[None]], failure: Exception | None, seconds: float
    ) -> None:
        self._flying = (0, 0.0)
        self._took(seconds)
        if self._records:
            self._send()
        settle(waiting, failure)

    def _took(self, seconds: float) -> None:
        self._cost += SHARE * (seconds - self._cost)

    async def close(self) -> None:
        """Write what is left and let go of the database."""
        while self._flying[0]:
            await asyncio.sleep(PAUSE)
        self._thread.shutdown()
        self._room.close()


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
    """The writer for the journal's address and the durability asked for."""
    if url.drivername == DRIVER:
        return Writer(PostgresStore(url, durable), far=True)
    return Writer(SqliteStore(str(url.database), durable))
