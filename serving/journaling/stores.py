"""The one statement of the hot path: predictions into the journal, a group in one transaction.

Raw driver connections, as every microsecond is paid by each request; the tables are those of
`serving/journaling/tables.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import cache
from typing import NamedTuple, Protocol

import psycopg
import sqlalchemy as sa

from serving.journaling.database import POSTGRES, SQLITE, Durable, write_ahead

AT_ONCE = 64
"""Rows of one statement; each number of rows is a statement of its own."""

LOGGED = 4_000
"""Pages (of 4 kB) after which the write-ahead log of SQLite is brought into the database."""
LONGEST = 16_000
"""Pages of the log at which a commit does so itself."""
COMMIT, ROW = 4.0, 0.25
"""Pages of the log that a commit takes, and each of its rows, about."""


class Record(NamedTuple):
    """A prediction that was made."""

    project: str
    id: str
    at: float
    release: int
    row: str
    answer: str


class Busy(Exception):
    """Another writer has the database just now."""


class Store(Protocol):
    """Where groups of predictions go."""

    def insert(self, records: Sequence[Record]) -> None:
        """All of them in one transaction, or none; raises what the driver raises, or `Busy`."""

    def close(self) -> None: ...


class SqliteStore:
    """SQLite; `Busy` at once where another writer has it.

    The write-ahead log is brought into the database by a thread: a commit that does it waits for
    the disk twice. Only a log that never comes to an end, since more is always written meanwhile,
    is begun anew by a commit, which then has little left to bring over.
    """

    def __init__(self, path: str, durable: Durable) -> None:
        self._path = path
        self._level = SQLITE[durable]
        self._connection: sqlite3.Connection | None = None
        self._logged = 0.0
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._checkpoint: Future[None] | None = None

    def insert(self, records: Sequence[Record]) -> None:
        connection = self._connection or self._open()
        self._insert(connection, records)
        self._logged += COMMIT + ROW * len(records)
        if self._logged >= LOGGED and (self._checkpoint is None or self._checkpoint.done()):
            self._logged = 0.0
            self._checkpoint = self._thread.submit(checkpoint, self._path)

    def _insert(self, connection: sqlite3.Connection, records: Sequence[Record]) -> None:
        try:
            if len(records) <= AT_ONCE:
                _execute(connection, records)  # a statement is a transaction of its own
            else:
                connection.execute("BEGIN IMMEDIATE")
                for first in range(0, len(records), AT_ONCE):
                    _execute(connection, records[first : first + AT_ONCE])
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if busy and not connection.in_transaction:
                raise Busy from error
            self.close()
            raise
        except BaseException:
            self.close()  # rolls back
            raise

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=0.0, isolation_level=None, check_same_thread=False,
            cached_statements=2 * AT_ONCE,
        )  # fmt: skip
        self._connection = connection
        write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={self._level}")
        connection.execute(f"PRAGMA wal_autocheckpoint={LONGEST}")
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def checkpoint(path: str) -> None:
    """Bring what the write-ahead log holds into the database; nobody who writes waits."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _execute(connection: sqlite3.Connection, records: Sequence[Record]) -> None:
    """One statement for all of them: each step lets the interpreter's lock go and waits for it."""
    connection.execute(_insert(len(records)), [value for record in records for value in record])


@cache
def _insert(rows: int) -> str:
    places = ",".join(["(?,?,?,?,?,?)"] * rows)
    return f"INSERT INTO predictions (project, id, at, release, row, answer) VALUES {places}"


class PostgresStore:
    """PostgreSQL: one statement, one round trip, whatever the size of the group."""

    SQL = (
        "INSERT INTO predictions (project, id, at, release, row, answer) SELECT * FROM unnest("
        "%s::text[], %s::text[], %s::float8[], %s::int[], %s::text[], %s::text[]) "
        "ON CONFLICT (id) DO NOTHING"
    )

    def __init__(self, url: sa.URL, durable: Durable) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._level = POSTGRES[durable]
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def insert(self, records: Sequence[Record]) -> None:
        columns = [list(column) for column in zip(*records, strict=True)]
        try:
            self._send(columns)
        except psycopg.OperationalError:  # the server went away; a group is not entered twice
            self._send(columns)

    def _send(self, columns: list[list[object]]) -> None:
        connection = self._connection or self._open()
        try:
            connection.execute(self.SQL, columns, prepare=True)
        except BaseException:
            self.close()
            raise

    def _open(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        self._connection = connection
        connection.execute(f"SET synchronous_commit = {self._level}".encode())
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
