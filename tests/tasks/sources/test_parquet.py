"""Parquet files, folders of them, and Delta tables: no row is lost, none comes that was removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from charter import Refusal
from charter.data import DeltaSource, ParquetSource, Role
from charter.data import Source as Clause
from tasks.sources import opened, rows
from tasks.sources.refused import Spool


def _read(clause: Clause, roles: Mapping[str, Role] | None = None) -> pa.Table:
    incoming = rows(opened(clause), roles or {}, Path(), Spool(Path("refused")))
    return pa.Table.from_batches(incoming.batches, incoming.schema)


def _folder(path: Path, parts: Mapping[str, object]) -> ParquetSource:
    for name, columns in parts.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path / name)
    return ParquetSource(kind="parquet", path=str(path))


def test_partitions_are_columns_whose_meaning_is_read_off(tmp_path: Path) -> None:
    parts = {
        f"year={year}/kind={kind}/part-0.parquet": {"a": [year]}
        for year, kind in ((2023, "a%20b"), (2024, "__HIVE_DEFAULT_PARTITION__"), (2024, "c"))
    }
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part.crc").touch()
    clause = _folder(tmp_path, parts)
    found = _read(clause).sort_by([("year", "ascending"), ("kind", "ascending")])
    assert found.to_pydict() == {
        "a": [2023, 2024, 2024], "year": [2023, 2024, 2024], "kind": ["a b", "c", None],
    }  # fmt: skip
    assert _read(clause, {"year": "category"})["year"].to_pylist() == ["2023", "2024", "2024"]


def test_files_with_other_columns_are_brought_together_without_a_loss(tmp_path: Path) -> None:
    clause = _folder(
        tmp_path,
        {
            "0.parquet": {"a": pa.array([1, 2], pa.int32()), "gaps": pa.array([1, 2])},
            "1.parquet": {"b": ["x"], "a": pa.array([3], pa.int64()), "gaps": [None]},
            "2.parquet": {"a": pa.array([None], pa.null()), "gaps": [2.5]},
        },
    )
    found = _read(clause)
    assert found.to_pydict() == {
        "a": [1, 2, 3, None], "gaps": [1.0, 2.0, None, 2.5], "b": [None, None, "x", None],
    }  # fmt: skip
    assert [str(type) for type in found.schema.types] == ["int64", "double", "string"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {"0.parquet": {"a": [1]}, "1.parquet": {"a": ["x"]}},
            "a as int64 in 0.parquet and as str",
        ),
        ({"a=1/0.parquet": {"b": [1]}, "1.parquet": {"b": [1]}}, "are partitioned differently"),
        ({"a=1/0.parquet": {"a": [1]}}, "the name a more than once in a=1/0.parquet"),
        (
            {"0.parquet": {"a": [2**60 + 1]}, "1.parquet": {"a": [0.5]}},
            "column a: found a value in 0.parquet that double",
        ),
        ({"0.parquet": {"a": pa.array([], pa.int64())}}, "found no rows"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, parts: Mapping[str, object], words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        _read(_folder(tmp_path, parts))


def test_a_file_that_is_no_parquet_is_named_and_not_passed_over(tmp_path: Path) -> None:
    clause = _folder(tmp_path, {"0.parquet": {"a": [1]}})
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(Refusal, match=r"notes\.txt unreadable as Parquet"):
        _read(clause)
    (tmp_path / "notes.txt").unlink()
    (tmp_path / "0.parquet").unlink()
    with pytest.raises(Refusal, match="found no files"):
        _read(clause)


def test_a_row_that_does_not_fit_is_named_by_its_file(tmp_path: Path) -> None:
    clause = _folder(tmp_path, {"0.parquet": {"a": ["1", "2"]}, "1.parquet": {"a": ["3", "x"]}})
    refused = Spool(tmp_path.parent / f"{tmp_path.name}-refused")
    incoming = rows(opened(clause), {"a": "number"}, tmp_path, refused)
    assert pa.Table.from_batches(incoming.batches)["a"].to_pylist() == [1, 2, 3]
    (bad,) = [row for batch in refused.batches() for row in batch.to_pylist()]
    assert (bad["row"], bad["reasons"]) == (3, ["a: not a number"])
    raw = opened(clause).raw(tmp_path, refused)
    assert [raw.place(row) for row in range(4)] == [
        "0.parquet, row 1", "0.parquet, row 2", "1.parquet, row 1", "1.parquet, row 2",
    ]  # fmt: skip


def test_a_new_file_is_another_fingerprint(tmp_path: Path) -> None:
    clause = _folder(tmp_path, {"0.parquet": {"a": [1]}})
    first = opened(clause).fingerprint()
    _folder(tmp_path, {"1.parquet": {"a": [2]}})
    assert opened(clause).fingerprint() != first


def test_delta_gives_the_version_that_is_named_and_no_removed_rows(tmp_path: Path) -> None:
    from deltalake import DeltaTable, write_deltalake

    path, day = tmp_path / "shop", dt.datetime(2024, 1, 2)
    write_deltalake(path, pa.table({"a": [1, 2, 3], "day": [day] * 3}))
    DeltaTable(path).delete("a = 2")
    write_deltalake(path, pa.table({"a": [4], "day": [day]}), mode="append")
    clause = DeltaSource(kind="delta", path=str(path))
    assert sorted(_read(clause)["a"].to_pylist()) == [1, 3, 4]
    first = clause.model_copy(update={"version": 0})
    assert _read(first)["a"].to_pylist() == [1, 2, 3]
    prints = {opened(clause).fingerprint(), opened(first).fingerprint()}
    assert len(prints) == 2
    assert opened(clause.model_copy(update={"version": 2})).fingerprint() in prints
    with pytest.raises(Refusal, match="in version 9"):
        _read(clause.model_copy(update={"version": 9}))
    with pytest.raises(Refusal, match="Say kind: delta"):
        _read(ParquetSource(kind="parquet", path=str(path)))
    DeltaTable(path).vacuum(0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(Refusal, match="vacuum removes old files"):
        _read(first)
    with pytest.raises(Refusal, match="unreadable as a Delta table"):
        _read(DeltaSource(kind="delta", path=str(tmp_path)))
