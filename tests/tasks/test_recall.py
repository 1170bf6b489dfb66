"""An old training set comes back as it was, row by row, or the Refusal says why not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from charter import Charter, Refusal
from serving.home import place
from tasks import lake
from tasks.ingest import ingest
from tasks.lake import Table
from tasks.recall import recall, spelled
from tasks.validate import validate


@pytest.fixture
def charter(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Charter:
    monkeypatch.chdir(tmp_path)
    source = {"kind": "csv", "path": str(tmp_path / "rows.csv")}
    return Charter.model_validate(
        {"name": "old", "goal": {"target": {"column": "late"}}, "data": {"source": source}}
    )


def landed(charter: Charter, rows: int) -> Table:
    lines = (f"{row % 7},{row * 31 % 101},{row % 2}\n" for row in range(rows))
    Path(charter.data.source.path).write_text("a,b,late\n" + "".join(lines))  # type: ignore[union-attr]
    return validate(charter, ingest(charter)).table


def content(table: Table) -> pa.Table:
    return pa.Table.from_batches(lake.read(table))


def test_rows_order_and_fingerprint_are_those_of_that_day(charter: Charter) -> None:
    first, before = (table := landed(charter, 200)), content(table)
    second = landed(charter, 300)
    assert second.version > first.version
    again = recall(charter, str(first.version))
    assert (again.table, again.sources) == (first, ())
    assert content(again.table).equals(before)
    assert recall(charter, str(second.version)).table == second
    assert spelled(first) == str(first.version)


def test_what_is_not_there_is_refused(charter: Charter) -> None:
    table = landed(charter, 200)
    with pytest.raises(Refusal, match="found no such version"):
        recall(charter, "77")
    with pytest.raises(Refusal, match=f"Name one of {table.version}"):
        recall(charter, "0")  # the empty one that Delta begins with
    for wrong in ("yesterday", "landed:1", "-1", ""):
        with pytest.raises(Refusal, match="wanted a number, or renewed:NUMBER"):
            recall(charter, wrong)
    later = landed(charter, 300)
    for path in place(table.where).glob(f"{table.version:010}-*.parquet"):
        path.unlink()
    with pytest.raises(Refusal, match=f"were removed.*Name one of {later.version}\\."):
        recall(charter, str(table.version))


def test_what_a_retrain_learned_from_brings_the_log_that_is_in_it(charter: Charter) -> None:
    rows = pa.table({"a": [1, 2]})
    renewed = lake.write("tables/old/renewed", "old", rows.to_reader(), "of both")
    with pytest.raises(Refusal, match="found no release that was trained on"):
        recall(charter, spelled(renewed))
    folder = place("releases/old/1")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(
        '{"project": "old", "fingerprint": "f", "created": "2026-01-01T00:00:00Z", "files": {}, '
        f'"tables": {{"tables/old/table": 4, "tables/old/collected": 9, "{renewed.where}": 1}}}}'
    )
    again = recall(charter, "renewed:1")
    assert content(again.table).equals(rows)
    assert {one.where: one.version for one in again.sources} == {
        "tables/old/table": 4, "tables/old/collected": 9,
    }  # fmt: skip
