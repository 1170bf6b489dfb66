"""The same person is the same, from whatever source, and in a request."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

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
from serving.pseudonyms import Key, Pseudonyms, replaced
from tasks import lake
from tasks.protection.hashes import hashed
from tasks.sources import opened, rows
from tasks.sources.refused import Spool

HASHES = Pseudonyms("persons", (Key("k1", b"0123456789abcdef" * 4),))
Values = Sequence[Any]


def as_csv(folder: Path, values: Values) -> Clause:
    path = _new(folder, "csv")
    path.write_text("who,n\n" + "".join(f"{one},1\n" for one in values))
    return CsvSource(kind="csv", path=str(path))


def as_json(folder: Path, values: Values) -> Clause:
    path = _new(folder, "jsonl")
    path.write_text("".join(f'{{"who": {_json(one)}}}\n' for one in values))
    return JsonLinesSource(kind="jsonl", path=str(path))


def as_parquet(folder: Path, values: pa.Array) -> Clause:
    path = _new(folder, "parquet")
    pq.write_table(pa.table({"who": values}), path)
    return ParquetSource(kind="parquet", path=str(path))


def as_delta(folder: Path, values: pa.Array) -> Clause:
    table = pa.table({"who": values})
    lake.write(str(folder / "delta"), "persons", table.to_reader(), "of the rows")
    return DeltaSource(kind="delta", path=str(folder / "delta"))


def as_python(folder: Path, values: pa.Array) -> Clause:
    path = folder / "frame.parquet"
    pq.write_table(pa.table({"who": values}), path)
    return PythonSource(kind="python", call="pandas:read_parquet", arguments={"path": str(path)})


def as_excel(folder: Path, values: Values) -> Clause:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("who")
    sheet.append(["who"])
    for one in values:
        sheet.append([one])
    book.save(folder / "who.xlsx")
    return ExcelSource(kind="excel", path=str(folder / "who.xlsx"))


def as_sql(folder: Path, values: Values) -> Clause:
    path = _new(folder, "sqlite")
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE persons (who)")
        database.executemany("INSERT INTO persons VALUES (?)", [(one,) for one in values])
        database.commit()
    query = "SELECT who FROM persons ORDER BY rowid"
    return SqlSource(kind="sql", url=f"sqlite:///{path}", query=query)


def _new(folder: Path, ending: str) -> Path:
    return folder / f"{len(list(folder.iterdir()))}.{ending}"


def _json(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def stored(clause: Clause) -> list[object]:
    """The hashes that the source's rows land with."""
    with tempfile.TemporaryDirectory() as room:
        spool = Spool(Path(room) / "refused")
        found = rows(opened(clause), {"who": "identifier"}, Path(room), spool)
        made = [hashed(HASHES, "who", batch.column("who")) for batch in found.batches]
        assert spool.count == 0
    return [name for part in made for name in part.to_pylist()]


def sent(values: Values) -> list[object]:
    """The hashes that a service keeps of requests with these values."""
    rows = (orjson.loads(f'{{"who": {_json(one)}}}') for one in values)
    return [replaced(row, ["who"], HASHES)["who"] for row in rows]


def numbers(folder: Path, values: list[int]) -> list[list[object]]:
    """Each way in which whole numbers come."""
    floats = [float(one) for one in values]
    whole = pa.array(values, pa.int64())
    clauses = [
        as_csv(folder, values), as_json(folder, values), as_json(folder, floats),
        as_json(folder, [str(one) for one in values]), as_json(folder, [*map(Decimal, values)]),
        as_parquet(folder, whole), as_parquet(folder, whole.cast(pa.float64())),
        as_parquet(folder, pa.array([Decimal(one) for one in values], pa.decimal128(20, 3))),
        as_parquet(folder, whole.cast(pa.string()).dictionary_encode()),
        as_parquet(folder, whole.dictionary_encode()),
        as_delta(folder, whole), as_python(folder, whole.cast(pa.float64())),
        as_excel(folder, values), as_sql(folder, values),
    ]  # fmt: skip
    assert {type(one) for one in clauses} == set(get_args(get_args(Clause)[0]))
    ways = [*map(stored, clauses), stored(as_csv(folder, floats)), stored(as_sql(folder, floats))]
    return [*ways, sent(values), sent(floats), sent([str(one) for one in values])]


def days(folder: Path, values: list[date]) -> list[list[object]]:
    """Each way in which days come."""
    moments = [datetime.combine(one, time(), UTC) for one in values]
    texts = [one.isoformat() for one in values]
    dates = pa.array(values, pa.date32())
    clauses = [
        as_csv(folder, texts), as_json(folder, [one.isoformat() for one in moments]),
        as_parquet(folder, dates), as_parquet(folder, dates.cast(pa.timestamp("us"))),
        as_parquet(folder, dates.cast(pa.timestamp("ms")).cast(pa.timestamp("ms", "UTC"))),
        as_delta(folder, dates), as_python(folder, dates),
        as_excel(folder, values), as_sql(folder, texts),
    ]  # fmt: skip
    said = [one.isoformat().replace("+00:00", "Z") for one in moments]
    return [*map(stored, clauses), sent(texts), sent(said)]


def codes(folder: Path, values: list[str]) -> list[list[object]]:
    """Each way in which texts come."""
    texts = pa.array(values, pa.string())
    clauses = [
        as_csv(folder, values), as_json(folder, values), as_parquet(folder, texts),
        as_parquet(folder, texts.cast(pa.large_string())), as_delta(folder, texts),
        as_python(folder, texts.dictionary_encode()), as_excel(folder, values),
        as_sql(folder, values),
    ]  # fmt: skip
    return [*map(stored, clauses), sent(values)]


WHOLE = st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1, unique=True)
DAYS = st.lists(st.dates(date(1900, 3, 1), date(2200, 1, 1)), min_size=1, unique=True)
CODES = st.lists(
    st.from_regex(r"[0-9]{1,8}|[A-Z]{1,3}[0-9]{1,5}|[0-9a-f]{6}", fullmatch=True), min_size=1, unique=True
)  # fmt: skip
few = settings(
    max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(
    ("ways", "values"), [(numbers, WHOLE), (days, DAYS), (codes, CODES)],
    ids=["numbers", "days", "codes"],
)  # fmt: skip
@few
@given(data=st.data())
def test_a_person_is_the_same_from_everywhere(
    root: Path, ways: Any, values: Any, data: st.DataObject
) -> None:
    persons = data.draw(values)
    with tempfile.TemporaryDirectory() as folder:
        first, *others = ways(Path(folder), persons)
    assert None not in first
    assert len(set(first)) == len(persons)
    for number, other in enumerate(others):
        assert other == first, f"way {number + 1}"


def test_codes_with_leading_zeros_are_other_persons_than_numbers(
    root: Path, tmp_path: Path
) -> None:
    first, second = stored(as_csv(tmp_path, ["007", "7"]))
    assert first != second
    assert sent(["007", 7]) == [first, second]


def test_whole_numbers_of_any_size_keep_every_digit(root: Path, tmp_path: Path) -> None:
    large = [10**30 + at for at in range(3)]
    decimals = pa.array(map(Decimal, large), pa.decimal128(38, 0))
    hashes = [2**63 + at for at in range(3)]
    assert len({*stored(as_parquet(tmp_path, decimals))}) == 3
    assert stored(as_parquet(tmp_path, decimals)) == stored(as_json(tmp_path, large))
    assert stored(as_parquet(tmp_path, decimals)) == sent([str(one) for one in large])
    assert stored(as_parquet(tmp_path, pa.array(hashes, pa.uint64()))) == sent(hashes)


def test_an_exponent_of_json_lines_is_a_number(root: Path, tmp_path: Path) -> None:
    assert stored(as_json(tmp_path, [Decimal("1e5"), Decimal("12E+1")])) == sent([100000, 120])
