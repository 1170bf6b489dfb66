"""What every source keeps, run for each member of the catalogue."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import get_args

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from pyarrow import fs

from charter import Refusal
from charter.data import (
    CsvSource,
    DeltaSource,
    ExcelSource,
    JsonLinesSource,
    ParquetSource,
    PythonSource,
    SqlSource,
)
from charter.data import Source as Clause
from tasks import lake
from tasks.sources import CATALOGUE, Source, opened, rows
from tasks.sources.base import BATCH_ROWS
from tasks.sources.refused import Spool
from tests.storage import Storage

ROWS = 150_000
TABLE = pa.table(
    {
        "number": pa.array(range(ROWS)),
        "share": pa.array([row / 7 for row in range(ROWS)]),
        "name": pa.array([f"name {row % 11}" for row in range(ROWS)]),
        "flag": pa.array([row % 3 == 0 for row in range(ROWS)]),
        "at": pa.array(range(ROWS), pa.int64()).cast(pa.timestamp("us", "UTC")),
    }
)


def _csv(table: pa.Table) -> bytes:
    content = io.BytesIO()
    pacsv.write_csv(table, content)
    return content.getvalue()


def _csv_source(path: Path) -> CsvSource:
    return CsvSource(kind="csv", path=str(path))


def write_plain(folder: Path, table: pa.Table) -> Clause:
    return _csv_source(_csv_file(folder, table))


def write_gzip(folder: Path, table: pa.Table) -> Clause:
    (folder / "rows.csv.gz").write_bytes(gzip.compress(_csv(table), 1, mtime=0))
    return _csv_source(folder / "rows.csv.gz")


def write_zip(folder: Path, table: pa.Table) -> Clause:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("rows.csv"), _csv(table))
    (folder / "rows.zip").write_bytes(content.getvalue())
    return _csv_source(folder / "rows.zip")


def write_parquet(folder: Path, table: pa.Table) -> Clause:
    pq.write_table(table, folder / "rows.parquet", row_group_size=40_000)
    return ParquetSource(kind="parquet", path=str(folder / "rows.parquet"))


def write_jsonl(folder: Path, table: pa.Table) -> Clause:
    frame = table.to_pandas()
    path = folder / "rows.jsonl"
    frame.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us")
    shares = iter(table["share"].to_pylist())  # pandas writes 15 digits
    lines = [
        json.dumps(json.loads(line) | {"share": next(shares)})
        for line in path.read_text().split("\n")
        if line
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return JsonLinesSource(kind="jsonl", path=str(path))


def write_folder(folder: Path, table: pa.Table) -> Clause:
    parts = folder / "parts"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir()
    half = table.num_rows // 2
    pq.write_table(table.slice(0, half), parts / "part-0.parquet", row_group_size=40_000)
    pq.write_table(table.slice(half), parts / "part-1.parquet", row_group_size=40_000)
    (parts / "_SUCCESS").touch()
    return ParquetSource(kind="parquet", path=str(parts))


def write_delta(folder: Path, table: pa.Table) -> Clause:
    shutil.rmtree(folder / "delta", ignore_errors=True)
    lake.write(str(folder / "delta"), "rows", table.to_reader(BATCH_ROWS), "of the rows")
    return DeltaSource(kind="delta", path=str(folder / "delta"))


def write_sql(folder: Path, table: pa.Table) -> Clause:
    path = folder / "rows.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE rows (number, share, name, flag, at)")
        rows = (
            (row["number"], row["share"], row["name"], row["flag"], row["at"].isoformat())
            for row in table.to_pylist()
        )
        database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", rows)
        database.commit()
    query = "SELECT * FROM rows ORDER BY number"
    return SqlSource(kind="sql", url=f"sqlite:///{path}", query=query)


def write_excel(folder: Path, table: pa.Table) -> Clause:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.append(table.schema.names)
    for row in table.to_pylist():
        sheet.append([*list(row.values())[:-1], row["at"].isoformat()])
    book.save(folder / "rows.xlsx")
    return ExcelSource(kind="excel", path=str(folder / "rows.xlsx"))


def write_object(folder: Path, table: pa.Table) -> Clause:
    return CsvSource(kind="csv", path=_uploaded(_csv_file(folder, table)))


def write_objects(folder: Path, table: pa.Table) -> Clause:
    clause = write_folder(folder, table)
    return ParquetSource(kind="parquet", path=_uploaded(Path(clause.path)))  # type: ignore[union-attr]


def write_delta_in_storage(folder: Path, table: pa.Table) -> Clause:
    clause = write_delta(folder, table)
    return DeltaSource(kind="delta", path=_uploaded(Path(clause.path)))  # type: ignore[union-attr]


def _csv_file(folder: Path, table: pa.Table) -> Path:
    (folder / "rows.csv").write_bytes(_csv(table))
    return folder / "rows.csv"


def _uploaded(path: Path) -> str:
    """The file or folder in the storage that the environment leads to."""
    scheme, _, host = os.environ["AWS_ENDPOINT_URL"].partition("://")
    storage = fs.S3FileSystem(endpoint_override=host, scheme=scheme)
    if path.is_dir() and storage.get_file_info(f"rows/{path.name}").type:
        storage.delete_dir(f"rows/{path.name}")
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with storage.open_output_stream(f"rows/{file.relative_to(path.parent)}") as stream:
                stream.write(file.read_bytes())
    return f"s3://rows/{path.name}"


def write_python(folder: Path, table: pa.Table) -> Clause:
    pq.write_table(table, folder / "frame.parquet")
    return PythonSource(
        kind="python", call="pandas:read_parquet", arguments={"path": str(folder / "frame.parquet")}
    )


WRITERS = [
    write_plain, write_gzip, write_zip, write_jsonl, write_excel, write_parquet, write_folder,
    write_delta, write_sql, write_python, write_object, write_objects, write_delta_in_storage,
]  # fmt: skip
Writer = Callable[[Path, pa.Table], Clause]
every = pytest.mark.parametrize("write", WRITERS)


def fitting(write: Writer) -> pa.Table:
    """More than a batch; workbooks take long to write, and hold no more than 16 digits."""
    if write is not write_excel:
        return TABLE
    table = TABLE.slice(0, 20_000)
    return table.set_column(1, "share", pa.array([row / 8 for row in range(20_000)]))


@pytest.fixture(autouse=True)
def _root(root: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a source spools before it is asked for rows lies under the root."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.direct)


def everything(source: Source, room: Path) -> tuple[pa.Table, Spool]:
    refused = Spool(room / "refused")
    incoming = rows(source, {"flag": "flag"}, room, refused)  # SQLite has none of its own
    return pa.Table.from_batches(incoming.batches, incoming.schema), refused


def test_every_member_is_tried_and_every_kind_has_a_member(tmp_path: Path) -> None:
    clauses = {type(write(tmp_path, TABLE.slice(0, 1))) for write in WRITERS}
    assert clauses == {member.clause for member in CATALOGUE}
    assert clauses == set(get_args(get_args(Clause)[0]))


@every
def test_values_types_and_order_are_kept(tmp_path: Path, write: Writer) -> None:
    table = fitting(write)
    found, refused = everything(opened(write(tmp_path, table)), tmp_path)
    assert found.schema.equals(table.schema)
    assert found.equals(table)
    assert refused.count == 0


@every
def test_batches_are_bounded(tmp_path: Path, write: Writer) -> None:
    incoming = rows(
        opened(write(tmp_path, fitting(write))), {}, tmp_path, Spool(tmp_path / "refused")
    )
    sizes = [batch.num_rows for batch in incoming.batches]
    assert len(sizes) > 1
    assert max(sizes) <= BATCH_ROWS


@every
def test_the_fingerprint_follows_the_bytes(tmp_path: Path, write: Writer) -> None:
    few = TABLE.slice(0, 50)
    clause = write(tmp_path, few)
    first = opened(clause).fingerprint()
    if not isinstance(clause, (DeltaSource, ExcelSource)):  # these say when they were written
        clause = write(tmp_path, few)
    assert opened(clause).fingerprint() == first
    changed = few.set_column(1, "share", pa.array([0.5] * 50))
    assert opened(write(tmp_path, changed)).fingerprint() != first


@every
def test_raw_batches_come_again(tmp_path: Path, write: Writer) -> None:
    raw = opened(write(tmp_path, TABLE.slice(0, 50))).raw(tmp_path, Spool(tmp_path / "refused"))
    first, second = (pa.Table.from_batches(raw.batches()) for _ in range(2))
    assert first.equals(second)
    assert (raw.position(3), first.schema) == (3, raw.schema)


@every
def test_no_rows_are_refused(tmp_path: Path, write: Writer) -> None:
    with pytest.raises(Refusal, match="found no rows"):
        everything(opened(write(tmp_path, TABLE.slice(0, 0))), tmp_path)


@every
def test_what_is_not_there_is_refused_with_the_nearest_name(tmp_path: Path, write: Writer) -> None:
    clause = write(tmp_path, TABLE.slice(0, 5))
    if isinstance(clause, PythonSource):
        wrong: Clause = clause.model_copy(update={"call": "pandas:read_parqet"})
        nearest = "Did you mean read_parquet?"
    elif isinstance(clause, SqlSource):
        wrong = clause.model_copy(update={"url": clause.url.replace("rows.", "rowss.")})
        nearest = "Did you mean rows.sqlite?"
    else:
        folder, _, name = clause.path.rpartition("/")
        wrong = clause.model_copy(update={"path": f"{folder}/s{name}"})
        nearest = f"Did you mean {name}?"
    with pytest.raises(Refusal) as refusal:
        everything(opened(wrong, "data.source"), tmp_path)
    assert nearest in refusal.value.remedy
    assert refusal.value.where.startswith("data.source.")


def test_a_frame_of_any_kind_becomes_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "makers_of_frames.py").write_text(
        "import pandas as pd\n"
        "def frame(rows=2):\n"
        "    return pd.DataFrame({'mixed': [1, 'a'], 'none': [None, None], 'f': [1.0, float('nan')],\n"
        "        'c': pd.Categorical(['x', 'y']), 'day': pd.to_datetime(['2020-01-01', None])})\n"
        "def lines(): return [1, 2]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    clause = PythonSource(kind="python", call="makers_of_frames:frame")
    found, _ = everything(opened(clause), tmp_path)
    assert [str(type) for type in found.schema.types] == [
        "string", "string", "double", "string", "timestamp[us]",
    ]  # fmt: skip
    assert found["mixed"].to_pylist() == ["1", "a"]
    assert found["f"].to_pylist() == [1.0, None]
    with pytest.raises(Refusal, match="wanted a pandas or other data frame"):
        everything(opened(clause.model_copy(update={"call": "makers_of_frames:lines"})), tmp_path)
    with pytest.raises(Refusal, match=r"Correct data\.source\.arguments"):
        everything(opened(clause.model_copy(update={"arguments": {"row": 1}})), tmp_path)
    with pytest.raises(Refusal, match="pip install nowhere"):
        everything(opened(clause.model_copy(update={"call": "nowhere.at:all"})), tmp_path)


def test_a_file_of_a_package_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packed_rows"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "rows.csv").write_text("a\n1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found, _ = everything(
        opened(CsvSource(kind="csv", path="package:packed_rows/rows.csv")), tmp_path
    )
    assert found.to_pylist() == [{"a": 1}]
    with pytest.raises(Refusal, match=r"Did you mean rows\.csv"):
        opened(CsvSource(kind="csv", path="package:packed_rows/row.csv")).fingerprint()
    with pytest.raises(Refusal, match="pip install unpacked_rows"):
        opened(CsvSource(kind="csv", path="package:unpacked_rows/rows.csv")).fingerprint()


def test_parquet_refuses_nested_columns_and_damage(tmp_path: Path) -> None:
    nested = pa.table({"a": [1], "b": [[1, 2]]})
    clause = write_parquet(tmp_path, nested)
    with pytest.raises(Refusal, match=r"column b.*role: ignore"):
        everything(opened(clause), tmp_path)
    incoming = rows(opened(clause), {"b": "ignore"}, tmp_path, Spool(tmp_path / "refused"))
    assert incoming.schema.names == ["a"]
    path = Path(clause.path)  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Refusal, match="unreadable as Parquet"):
        everything(opened(clause), tmp_path)


def test_types_are_settled(tmp_path: Path) -> None:
    table = pa.table(
        {
            "small": pa.array([1], pa.uint8()),
            "single": pa.array([0.5], pa.float32()),
            "ns": pa.array([1_500], pa.timestamp("ns", "America/New_York")),
            "date": pa.array([1], pa.date32()),
            "code": pa.array(["x"]).dictionary_encode(),
            "large": pa.array(["x"], pa.large_string()),
        }
    )
    found, _ = everything(opened(write_parquet(tmp_path, table)), tmp_path)
    assert [str(type) for type in found.schema.types] == [
        "int64", "double", "timestamp[us, tz=UTC]", "timestamp[us]", "string", "string",
    ]  # fmt: skip
    assert found["date"].to_pylist() == [pd.Timestamp("1970-01-02").to_pydatetime()]
