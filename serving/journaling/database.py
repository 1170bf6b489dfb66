"""The journal's database by its address: SQLite (write-ahead log) or PostgreSQL, the same code."""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool, QueuePool

from charter import Refusal
from serving.home import home
from serving.journaling.tables import META

Durable = Literal["process", "power"]
"""What an acknowledged write survives: a killed process, or a loss of power too."""

VARIABLE = "PERENNIAL_JOURNAL_URL"
PATIENCE = 60.0  # seconds that a writer waits for another one
SQLITE = {"process": "NORMAL", "power": "FULL"}
POSTGRES = {"process": "off", "power": "on"}
DRIVER = "postgresql+psycopg"


def address(url: str | None = None) -> sa.URL:
    """The address given, or that of the environment, or SQLite under the root."""
    text = url or os.environ.get(VARIABLE) or f"sqlite:///{home() / 'journal' / 'journal.db'}"
    try:
        found = make_url(text)
    except sa.exc.ArgumentError:
        raise _unknown("something that is no address") from None
    if found.drivername in ("postgresql", "postgres", "postgresql+psycopg2"):
        found = found.set(drivername=DRIVER)
    if found.drivername not in ("sqlite", DRIVER) or not found.database:
        raise _unknown(f"{found.drivername}://…")
    return found


def _unknown(found: str) -> Refusal:
    return Refusal(
        "journal", f"found {found}", "wanted sqlite:///PATH or postgresql://USER@HOST/DATABASE",
        f"Correct {VARIABLE} or --journal, or leave it out for SQLite under the root.",
    )  # fmt: skip


class Database:
    """Transactions on the journal's tables, which are made where they are missing."""

    def __init__(self, url: sa.URL, durable: Durable = "power", pool: bool = False) -> None:
        self.url = url
        self.durable = durable
        self.is_sqlite = url.drivername == "sqlite"
        if self.is_sqlite:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": PATIENCE} if self.is_sqlite else {"prepare_threshold": None}
        self.engine = sa.create_engine(
            url, poolclass=QueuePool if pool else NullPool, connect_args=arguments
        )
        sa.event.listen(self.engine, "connect", self._settle)
        if self.is_sqlite:
            sa.event.listen(self.engine, "begin", _begin)
        self._make()

    def _settle(self, connection: Any, _: Any) -> None:
        if self.is_sqlite:
            connection.isolation_level = None  # transactions begin where we say so
            write_ahead(connection)
            connection.execute(f"PRAGMA synchronous={SQLITE[self.durable]}")
        else:
            connection.execute(f"SET synchronous_commit = {POSTGRES[self.durable]}")
            connection.commit()

    def _make(self) -> None:
        with self.reading() as connection:
            there = sa.inspect(connection).get_table_names()
        if set(META.tables) <= set(there):
            return
        with self.writing("tables") as connection:
            META.create_all(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent look, which holds nobody up."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.execution_options(reading=True).begin():
                yield connection

    @contextmanager
    def writing(self, lock: str) -> Iterator[sa.Connection]:
        """One transaction; two with the same lock never run at once, on either database."""
        with self.engine.begin() as connection:
            if not self.is_sqlite:
                key = zlib.crc32(f"perennial journal {lock}".encode())
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
            yield connection

    def close(self) -> None:
        """Give back the connections that are kept open."""
        self.engine.dispose()


def write_ahead(connection: sqlite3.Connection) -> None:
    """Turn to the write-ahead log; SQLite itself does not wait while another one does the same."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
