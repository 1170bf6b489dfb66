"""Tables keep order and versions; the quarantine takes each row once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tasks import lake, rowgroups
from tasks.quarantine import QUARANTINE, Quarantine, quarantine, refused_rows

NUMBERS = pa.schema([("i", pa.int64()), ("t", pa.timestamp("us")), ("s", pa.string())])
WHERE = "tables/x/landed"


def batches(count: int, rows: int = 7_000) -> Iterator[pa.RecordBatch]:
    for start in range(0, count, rows):
        i = pa.array(np.arange(start, min(start + rows, count)))
        columns = [i, i.cast(pa.timestamp("us")), i.cast(pa.string())]
        yield pa.RecordBatch.from_arrays(columns, schema=NUMBERS)


def write(count: int, fingerprint: str, rows: int = 7_000) -> lake.Table:
    reader = pa.RecordBatchReader.from_batches(NUMBERS, batches(count, rows))
    return lake.write(WHERE, "x", reader, fingerprint)


def numbers(table: lake.Table) -> list[int]:
    found: list[int] = pa.Table.from_batches(lake.read(table))["i"].to_pylist()
    return found


def refused(count: int, reason: str = "odd") -> pa.RecordBatch:
    rows = [
        {"row": row, "reasons": [reason, "late"][: 1 + row % 2], "record": "{}"}
        for row in range(count)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=QUARANTINE)


def test_order_is_kept_over_several_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowgroups, "FILE_BYTES", 1_000_000)
    monkeypatch.setattr(rowgroups, "GROUP_ROWS", 20_000)
    table = write(1_000_000, "a")
    assert len(lake.dataset(table).files) > 3
    assert numbers(table) == list(range(1_000_000))
    assert max(batch.num_rows for batch in lake.read(table, ["s"], rows=1_000)) == 1_000


def test_same_fingerprint_makes_no_version(root: Path) -> None:
    first = write(10, "a")
    assert write(99, "a") == first == lake.find(WHERE, "x", "a")
    assert lake.find(WHERE, "x", "b") is None
    assert lake.find("tables/x/none", "x", "a") is None


def test_older_versions_stay_readable(root: Path) -> None:
    first, second, third = write(10, "a"), write(3, "b"), write(10, "a")
    assert [numbers(table) for table in (first, second, third)] == [
        list(range(10)), list(range(3)), list(range(10)),
    ]  # fmt: skip
    assert (second.version - first.version, third.version - second.version) == (1, 1)
    assert lake.find(WHERE, "x", "b") is None


def test_another_schema_replaces_the_first_one(root: Path) -> None:
    schema = pa.schema([("z", pa.timestamp("us", "UTC")), ("n", pa.timestamp("us"))])
    empty = pa.RecordBatchReader.from_batches(pa.schema([("q", pa.bool_())]), [])
    assert lake.write(WHERE, "x", empty, "a").rows == 0
    table = lake.write(WHERE, "x", pa.RecordBatchReader.from_batches(schema, []), "b")
    assert lake.dataset(table).schema.equals(schema)
    assert pa.Table.from_batches(lake.read(table), schema).num_rows == 0


@pytest.mark.parametrize("type", [pa.timestamp("ns"), pa.uint16(), pa.large_string()])
def test_a_type_that_delta_would_change_is_turned_down(root: Path, type: pa.DataType) -> None:
    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", type)]), [])
    with pytest.raises(TypeError, match="Delta would change"):
        lake.write(WHERE, "x", reader, "a")


def test_a_write_that_fails_leaves_the_last_version_and_no_files(root: Path) -> None:
    before = write(10, "a")

    def failing() -> Iterator[pa.RecordBatch]:
        yield from batches(300_000)
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        lake.write(WHERE, "x", pa.RecordBatchReader.from_batches(NUMBERS, failing()), "b")
    assert lake.find(WHERE, "x", "a") == before
    assert len(list((root / WHERE).glob("*.parquet"))) == 1


def write_for_ever(home: str, started: object) -> None:
    os.environ["PERENNIAL_HOME"] = home

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield from batches(200_000)
            started.set()  # type: ignore[attr-defined]

    lake.write(WHERE, "x", pa.RecordBatchReader.from_batches(NUMBERS, endless()), "b")


def test_a_killed_write_leaves_the_last_version(root: Path) -> None:
    before = write(10, "a")
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    child = context.Process(target=write_for_ever, args=(str(root), started))
    child.start()
    assert started.wait(60)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert lake.find(WHERE, "x", "a") == before
    assert numbers(write(20, "b")) == list(range(20))


def test_a_lost_file_is_written_again(root: Path) -> None:
    for file in lake.dataset(write(10, "a")).files:
        Path(file).unlink()
    assert numbers(write(10, "a")) == list(range(10))


def test_two_writers_make_one_version_each(root: Path) -> None:
    tables: list[lake.Table] = []
    threads = [
        threading.Thread(target=lambda n=n: tables.append(write(10 + n, f"{n}"))) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({table.version for table in tables}) == 4
    assert all(len(numbers(table)) == table.rows for table in tables)


def test_quarantine_takes_rows_once_per_stage_and_fingerprint(root: Path) -> None:
    first = quarantine("x", "ingest", "a", [refused(3), refused(0), refused(2)])
    assert (first.rows, first.reasons) == (5, {"odd": 5, "late": 2})
    assert quarantine("x", "ingest", "a", [refused(9)]) == first
    assert quarantine("x", "validate", "a", [refused(1, "null")]).reasons == {"null": 1}
    assert quarantine("x", "ingest", "b", []).rows == 0
    rows = pa.Table.from_batches(refused_rows(first))
    assert rows.schema.equals(QUARANTINE)
    assert sorted(rows["row"].to_pylist()) == [0, 0, 1, 1, 2]


def test_two_that_quarantine_the_same_keep_it_once(root: Path) -> None:
    kept: list[Quarantine] = []

    def keep() -> None:
        kept.extend(quarantine("x", "ingest", f"{n}", [refused(4)]) for n in range(8))

    threads = [threading.Thread(target=keep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.rows for record in kept] == [4] * 16


def test_quarantine_takes_its_own_schema_only(root: Path) -> None:
    wrong = pa.RecordBatch.from_pydict({"row": ["1"], "reasons": [["a"]], "record": ["{}"]})
    with pytest.raises(Exception, match="quarantine takes"):
        quarantine("x", "ingest", "a", [wrong])


LOG = "tables/x/collected"


def append(start: int, stop: int, mark: str, **counts: int) -> lake.Table:
    i = pa.array(np.arange(start, stop))
    columns = [i, i.cast(pa.timestamp("us")), i.cast(pa.string())]
    batch = pa.RecordBatch.from_arrays(columns, schema=NUMBERS)
    reader = pa.RecordBatchReader.from_batches(NUMBERS, [batch])
    return lake.append(LOG, "x", reader, mark, counts)


def test_rows_are_appended_in_order_once_per_mark(root: Path) -> None:
    assert lake.latest(LOG, "x") is None
    first = append(0, 10, "a", odd=5)
    assert append(0, 10, "a", odd=5) == first == lake.latest(LOG, "x")
    second = append(10, 12, "b", odd=1, even=1)
    assert (second.rows, second.version) == (12, first.version + 1)
    assert numbers(second) == list(range(12))
    assert numbers(first) == list(range(10))
    assert append(0, 10, "a", odd=5) == second
    assert lake.counted(LOG, first.version) == {"odd": 5}
    assert lake.counted(LOG, second.version) == {"even": 1, "odd": 6}


def test_what_was_appended_under_a_mark_is_found(root: Path) -> None:
    append(0, 3, "a")
    append(3, 3, "nothing")
    append(3, 5, "b")

    def found(batches: Iterator[pa.RecordBatch]) -> list[int]:
        return [i for batch in batches for i in batch.column("i").to_pylist()]

    assert found(lake.appended(LOG, "a", ["i"])) == [0, 1, 2]
    assert found(lake.appended(LOG, "nothing", ["i"])) == []
    assert found(lake.appended(LOG, "c", ["i"])) == []


def test_a_new_column_is_null_in_earlier_rows_and_an_absent_one_in_later_rows(root: Path) -> None:
    append(0, 2, "a", odd=1)
    schema = pa.schema([("i", pa.int64()), ("z", pa.timestamp("us", "UTC"))])
    rows = pa.RecordBatch.from_arrays(
        [pa.array([2]), pa.array([7]).cast(schema.types[1])], schema=schema
    )
    reader = pa.RecordBatchReader.from_batches(schema, [rows])
    table = lake.append(LOG, "x", reader, "b", {"odd": 0})
    found = pa.Table.from_batches(lake.read(table))
    assert found["i"].to_pylist() == [0, 1, 2]
    assert found["z"].is_null().to_pylist() == [True, True, False]
    assert found["s"].to_pylist() == ["0", "1", None]
    assert lake.counted(LOG, table.version) == {"odd": 1}
    wrong = pa.RecordBatch.from_pydict({"i": ["1"]})
    with pytest.raises(TypeError, match="i is int64 in the table, not string"):
        lake.append(LOG, "x", pa.RecordBatchReader.from_batches(wrong.schema, [wrong]), "c")


def test_many_that_append_at_once_lose_nothing_and_count_nothing_twice(root: Path) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for n in range(6):
                append(10 * n, 10 * n + 10, f"{n}", rows=10)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    table = lake.latest(LOG, "x")
    assert table is not None
    assert sorted(numbers(table)) == list(range(60))
    assert lake.counted(LOG, table.version) == {"rows": 60}
