"""The writers of the journal: on the event loop while commits are quick, beside it where not."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from serving.journal import Journal
from serving.journaling import ids, stores, writers
from serving.journaling.stores import Record, SqliteStore
from serving.journaling.writers import Unwritten, Writer


class Waiting:
    """A journal on a disk that takes its time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.groups: list[int] = []

    def insert(self, records: Sequence[Record]) -> None:
        time.sleep(self.seconds)
        self.groups.append(len(records))

    def close(self) -> None:
        pass


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    journal = Journal("toy", f"sqlite:///{tmp_path / 'journal.db'}", "process")
    yield tmp_path / "journal.db"
    journal.close()


def made(many: int) -> list[Record]:
    return [Record("toy", name, 0.0, 1, "{}", "{}") for name in ids.several(many)]


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM predictions").fetchone()[0])


def test_a_quick_commit_is_made_at_once(path: Path) -> None:
    async def add() -> int:
        writer = Writer(SqliteStore(str(path), "process"))
        done = writer.add(made(3))
        assert done.done()
        assert writer.waiting == (0, 0.0)
        found = rows(path)
        await writer.close()
        return found

    assert asyncio.run(add()) == 3


def test_a_slow_disk_does_not_hold_up_the_event_loop_and_what_waits_goes_together() -> None:
    room = Waiting(0.02)

    async def add() -> None:
        writer = Writer(room)
        while writer._cost <= writers.QUICK:
            await writer.add(made(1))
        room.groups.clear()
        first, *others = [writer.add(made(2)) for _ in range(5)]
        assert not first.done()
        assert writer.waiting[0] == 10
        await asyncio.gather(first, *others)
        room.seconds = 0.0
        for _ in range(200):  # a disk that is quick again is found out
            done = writer.add(made(1))
            if done.done():
                break
            await done
        assert done.done()
        await writer.close()

    asyncio.run(add())
    assert room.groups[:2] == [2, 8]


def test_a_network_is_never_waited_for_on_the_event_loop() -> None:
    async def add() -> None:
        writer = Writer(Waiting(0.0), far=True)
        for _ in range(5):
            done = writer.add(made(1))
            assert not done.done()
            await done
        await writer.close()

    asyncio.run(add())


def test_another_writer_is_waited_for_without_holding_up_the_event_loop(path: Path) -> None:
    async def add() -> None:
        writer = Writer(SqliteStore(str(path), "process"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = [writer.add(made(1)) for _ in range(3)]
            await asyncio.sleep(0.02)
            assert not any(done.done() for done in waiting)
            other.execute("COMMIT")
        await asyncio.gather(*waiting)
        await writer.close()

    asyncio.run(add())
    assert rows(path) == 3


def test_who_waits_too_long_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "PATIENCE", 0.02)

    async def add() -> None:
        writer = Writer(SqliteStore(str(path), "process"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unwritten, match="another writer has it"):
                await writer.add(made(1))
        await writer.add(made(2))
        await writer.close()

    asyncio.run(add())
    assert rows(path) == 2


def test_the_log_is_brought_over_and_does_not_grow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "LOGGED", 500)
    monkeypatch.setattr(stores, "LONGEST", 400)
    room = SqliteStore(str(path), "process")
    log = path.with_name("journal.db-wal")
    for _ in range(600):
        room.insert(made(50))
    assert log.stat().st_size < 8 * 400 * 4096  # without end it would be twice as long
    assert rows(path) == 30_000
    assert room._checkpoint is not None
    room._checkpoint.result()
    stores.checkpoint(str(path))
    room.insert(made(1))
    assert path.stat().st_size > 30_000 * 50
    room.close()
