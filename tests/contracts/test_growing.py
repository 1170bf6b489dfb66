"""What every source that can grow keeps: its new rows land once, and what is not as it was lands anew."""

from __future__ import annotations

import json
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from deltalake import DeltaTable, write_deltalake

from charter import Charter, Refusal
from charter.data import ExcelSource, PythonSource, SqlSource
from charter.data import Source as Clause
from tasks import lake
from tasks.ingest import Ingested, ingest
from tests.contracts.test_sources import _uploaded
from tests.postgres import database
from tests.storage import Storage
from tests.tasks.test_growth import refused

Rows = list[dict[str, Any]]
Clauses = dict[str, Any]


class Grower(ABC):
    """A source of one kind, that rows are added to."""

    kind: str

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.kind

    def clause(self) -> Clauses:
        return {"source": {"kind": self.kind, "path": str(self.path)}}

    @abstractmethod
    def add(self, rows: Rows) -> None: ...

    @abstractmethod
    def spoil(self) -> None:
        """Change a row that has landed."""


class Csv(Grower):
    kind = "csv"

    def add(self, rows: Rows) -> None:
        names = list(rows[0])
        if not self.path.exists():
            self.path.write_text(",".join(names) + "\n")
        with self.path.open("a") as file:
            file.writelines(",".join(str(row[name]) for name in names) + "\n" for row in rows)

    def spoil(self) -> None:
        self.path.write_text(self.path.read_text().replace("\n1,", "\n8,", 1))


class JsonLines(Grower):
    kind = "jsonl"

    def add(self, rows: Rows) -> None:
        with self.path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def spoil(self) -> None:
        self.path.write_text(self.path.read_text().replace('"id": 1,', '"id": 8,', 1))


class Folder(Grower):
    kind = "parquet"

    def add(self, rows: Rows) -> None:
        self.path.mkdir(exist_ok=True)
        number = 9 - len(list(self.path.iterdir()))  # a new name may come before an old one
        pq.write_table(pa.Table.from_pylist(rows), self.path / f"part-{number}.parquet")

    def spoil(self) -> None:
        first = self.path / "part-9.parquet"
        rows = pq.read_table(first).to_pylist()
        pq.write_table(pa.Table.from_pylist([rows[0] | {"id": 8}, *rows[1:]]), first)


class Partitions(Folder):
    def add(self, rows: Rows) -> None:
        month = len(list(self.path.iterdir())) if self.path.exists() else 0
        (self.path / f"month={month}").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), self.path / f"month={month}" / "rows.parquet")

    def spoil(self) -> None:
        shutil.rmtree(self.path / "month=0")


class Delta(Grower):
    kind = "delta"
    by: list[str] | None = None

    def add(self, rows: Rows) -> None:
        table = pa.Table.from_pylist(rows)
        merge: Literal["merge"] | None = "merge" if self.path.exists() else None
        write_deltalake(
            self.path, table, mode="append", partition_by=self.by, schema_mode=merge
        )  # fmt: skip

    def spoil(self) -> None:
        DeltaTable(self.path).update(updates={"id": "8"}, predicate="id = 1")


class PartitionedDelta(Delta):
    by = ["city"]


class Sqlite(Grower):
    kind = "sql"

    def clause(self) -> Clauses:
        source = {"kind": "sql", "url": f"sqlite:///{self.path}", "query": "SELECT * FROM trips;"}
        return {"source": source, "watermark": "at"}

    def add(self, rows: Rows) -> None:
        with closing(sqlite3.connect(self.path)) as base, base:
            names = ", ".join(rows[0])
            base.execute(f"CREATE TABLE IF NOT EXISTS trips ({names})")
            have = {one[1] for one in base.execute("PRAGMA table_info(trips)")}
            for name in set(rows[0]) - have:
                base.execute(f"ALTER TABLE trips ADD COLUMN {name}")
            marks = ", ".join("?" for _ in rows[0])
            base.executemany(
                f"INSERT INTO trips ({names}) VALUES ({marks})",
                [tuple(row.values()) for row in rows],
            )

    def spoil(self) -> None:
        with closing(sqlite3.connect(self.path)) as base, base:
            base.execute("DELETE FROM trips WHERE at = (SELECT max(at) FROM trips)")


class Postgres(Grower):
    kind = "sql"
    url = ""

    def clause(self) -> Clauses:
        query = "SELECT *, 'a:b'::text AS said FROM trips"
        return {
            "source": {"kind": "sql", "url": "env:GROWING_URL", "query": query},
            "watermark": "at",
        }

    def _run(self, *statements: Any) -> None:
        url = sa.engine.make_url(self.url).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            for text, values in statements:
                connection.execute(sa.text(text), values)

    def add(self, rows: Rows) -> None:
        columns = "id int, x text, city text, at timestamptz"
        self._run((f"CREATE TABLE IF NOT EXISTS trips ({columns})", {}))
        for name in set(rows[0]) - {"id", "x", "city", "at"}:
            self._run((f"ALTER TABLE trips ADD COLUMN IF NOT EXISTS {name} text", {}))
        names = ", ".join(rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        self._run(*((f"INSERT INTO trips ({names}) VALUES ({marks})", row) for row in rows))

    def spoil(self) -> None:
        self._run(("UPDATE trips SET id = 8 WHERE at = (SELECT max(at) FROM trips)", {}))


class InStorage(Grower):
    """The same, copied to object storage after each change."""

    def clause(self) -> Clauses:
        return {"source": {"kind": self.kind, "path": _uploaded(self.path)}}


class CsvInStorage(InStorage, Csv):
    pass


class FolderInStorage(InStorage, Folder):
    pass


class DeltaInStorage(InStorage, Delta):
    pass


GROWERS = [Csv, JsonLines, Folder, Delta, Sqlite]
LONG = [Partitions, PartitionedDelta, Postgres, CsvInStorage, FolderInStorage, DeltaInStorage]
every = pytest.mark.parametrize(
    "member",
    [*GROWERS, *(pytest.param(member, marks=pytest.mark.slow) for member in LONG)],
    ids=lambda member: member.__name__,
)


@pytest.fixture
def make(
    root: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[type[Grower]], Grower]:
    def made(member: type[Grower]) -> Grower:
        grower = member(tmp_path)
        if isinstance(grower, Postgres):
            grower.url = database(request.getfixturevalue("postgres_url"))
            monkeypatch.setenv("GROWING_URL", grower.url)
        if isinstance(grower, InStorage):
            storage: Storage = request.getfixturevalue("storage")
            monkeypatch.setenv("AWS_ENDPOINT_URL", storage.direct)
        return grower

    return made


def charter(grower: Grower) -> Charter:
    return Charter.model_validate(
        {
            "name": "trips",
            "goal": {"target": {"column": "x"}},
            "data": {"grows": True, "columns": {"x": {"role": "number"}}, **grower.clause()},
        }
    )


def row(number: int, x: str = "1.5") -> dict[str, Any]:
    """Three rows share a time."""
    at = f"2024-01-01T00:00:{number // 3:02}+00:00"
    return {"id": number, "x": x, "city": f"c{number % 2}", "at": at}


def ids(ingested: Ingested) -> list[int]:
    found: list[int] = lake.dataset(ingested.table).to_table()["id"].to_pylist()
    return found


def test_every_kind_that_can_grow_is_tried() -> None:
    kinds = {member.model_fields["kind"].annotation for member in get_args(get_args(Clause)[0])}
    named = {get_args(kind)[0] for kind in kinds} - {"excel", "python"}
    assert {member.kind for member in GROWERS} == named
    assert {ExcelSource, PythonSource, SqlSource} < set(get_args(get_args(Clause)[0]))


@every
def test_new_rows_land_once(make: Callable[[type[Grower]], Grower], member: type[Grower]) -> None:
    grower = make(member)
    grower.add([row(number) for number in range(1, 5)])
    first = ingest(charter(grower))
    assert ingest(charter(grower)) == first
    before = set(lake.dataset(first.table).files)
    grower.add([row(number) for number in range(5, 8)])  # the first has the time of the last
    second = ingest(charter(grower))
    assert (second.new_rows, second.anew) == (3, "")
    assert before < set(lake.dataset(second.table).files)
    grower.add([row(8), row(8)])  # a row that is there twice is two rows
    third = ingest(charter(grower))
    assert (third.new_rows, third.source_rows) == (2, 9)
    assert sorted(ids(third)) == [*range(1, 9), 8]
    assert set(ids(third)[4:7]) == {5, 6, 7}
    assert ingest(charter(grower)) == third


@every
def test_what_was_there_and_is_another_now_lands_anew(
    make: Callable[[type[Grower]], Grower], member: type[Grower]
) -> None:
    grower = make(member)
    grower.add([row(number) for number in range(1, 5)])
    first = ingest(charter(grower))
    grower.add([row(5)])
    grower.spoil()
    again = ingest(charter(grower))
    assert again.anew
    assert (again.new_rows, again.table.version) == (None, first.table.version + 1)
    assert sorted(ids(again)) != [1, 2, 3, 4, 5]
    assert ingest(charter(grower)) == again


@every
def test_a_column_that_is_new_lands_anew(
    make: Callable[[type[Grower]], Grower], member: type[Grower]
) -> None:
    grower = make(member)
    grower.add([row(1), row(2)])
    first = ingest(charter(grower))
    if isinstance(grower, Csv):  # a line with a field more is no row
        grower.path.write_text(grower.path.read_text().replace("at\n", "at,gate\n", 1))
    grower.add([row(3) | {"gate": "A"}])
    again = ingest(charter(grower))
    assert again.anew
    assert "gate" in lake.dataset(again.table).schema.names
    assert first.table.version + 1 == again.table.version


@every
def test_a_run_killed_before_quarantine_is_taken_up(
    make: Callable[[type[Grower]], Grower], member: type[Grower], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    grower = make(member)
    for first in (1, 4, 7):
        grower.add([row(first), row(first + 1, "oops"), row(first + 2)])
        if first == 4:
            ingest(charter(grower))
            continue
        with monkeypatch.context() as patched:
            patched.setattr("tasks.ingestion.landing.Landing.keep", kill)
            with pytest.raises(Killed):
                ingest(charter(grower))
    grower.add([row(10)])
    last = ingest(charter(grower))
    assert sorted(ids(last)) == [1, 3, 4, 6, 7, 9, 10]
    assert [reasons for _, reasons, _ in refused()] == [["x: not a number"]] * 3
    assert (last.quarantine.rows, last.source_rows) == (3, 10)
    assert [at // 3 for at, _, _ in refused()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"watermark": "att"}, r"found no column att.*Did you mean at\?"),
        ({"watermark": "city"}, "found rows without a city.*WHERE city IS NOT NULL"),
    ],
)
def test_a_watermark_that_tells_nothing_is_refused(
    make: Callable[[type[Grower]], Grower], change: Clauses, words: str
) -> None:
    grower = make(Sqlite)
    grower.add([row(1), row(2) | {"city": None}])
    made = charter(grower)
    data = made.data.model_copy(update=change)
    with pytest.raises(Refusal, match=words):
        ingest(made.model_copy(update={"data": data}))


def test_too_many_rows_with_one_watermark_are_refused(
    make: Callable[[type[Grower]], Grower], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.sources.watermark.MOST_TIED", 2)
    grower = make(Sqlite)
    grower.add([row(3), row(4), row(5)])
    with pytest.raises(Refusal, match=r"found 3 rows with the at .*Name a finer column"):
        ingest(charter(grower))


def test_a_file_of_parquet_does_not_grow(root: Path, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([row(1)]), tmp_path / "parquet")
    with pytest.raises(Refusal, match="wanted a folder, to which files are added"):
        ingest(charter(Folder(tmp_path)))


def test_a_table_that_was_only_compacted_lands_anew_and_says_why(
    make: Callable[[type[Grower]], Grower],
) -> None:
    grower = make(Delta)
    grower.add([row(1)])
    grower.add([row(2)])
    ingest(charter(grower))
    DeltaTable(grower.path).optimize.compact()
    assert "was more than appended to since version 1" in ingest(charter(grower)).anew
