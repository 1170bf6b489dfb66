"""Files in S3-compatible storage: copied whole or not at all, over a way that fails."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from charter import Refusal
from charter.data import CsvSource, Data, DeltaSource, ParquetSource
from charter.data import Source as Clause
from tasks.sources import Source, opened, remote, rows
from tasks.sources.refused import Spool
from tasks.sources.remote import PORTION, delta_options
from tests.storage import Fault, Storage

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})


@pytest.fixture(autouse=True)
def _root(root: Path) -> None:
    """The copies lie under the root."""


def _csv(path: str) -> Source:
    return opened(CsvSource(kind="csv", path=path), "data.source")


def _table(source: Source, room: Path) -> pa.Table:
    incoming = rows(source, {}, room, Spool(room / "refused"))
    return pa.Table.from_batches(incoming.batches, incoming.schema)


def _parquet(table: pa.Table) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()


def _refused(clause: Clause, room: Path) -> str:
    with pytest.raises(Refusal) as refusal:
        _table(opened(clause, "data.source"), room)
    return str(refusal.value)


def test_an_object_is_copied_once_and_its_copy_goes_away(
    storage: Storage, tmp_path: Path, root: Path
) -> None:
    source = _csv(storage.put("2024/a.csv", b"a,b\n1,x\n"))
    source.fingerprint()
    assert _table(source, tmp_path).to_pylist() == [{"a": 1, "b": "x"}]
    assert source.name == "a.csv"
    assert len([line for line in storage.asked if line.startswith("GET /rows/2024")]) == 1
    source.check_unchanged()
    del source
    assert list((root / "scratch").iterdir()) == []


def test_faults_on_the_way_are_tried_again_and_nothing_is_lost(
    storage: Storage, tmp_path: Path
) -> None:
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * 7) for n in range(700_000))
    assert len(content) > PORTION
    source = _csv(storage.put("a.csv", content))
    faults: list[Fault] = ["busy", "busy", None, "cut", "busy"]
    storage.faults += faults
    table = _table(source, tmp_path)
    assert table["a"].to_pylist() == list(range(700_000))
    assert storage.faults == []


def test_a_storage_that_stays_away_is_a_fault_and_no_refusal(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ATTEMPTS", 2)
    storage.faults += ["busy"] * 6
    with pytest.raises(OSError, match=r"SLOW_DOWN|503"):
        _table(_csv(storage.put("a.csv", b"a\n1\n")), tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for clause in (
        CsvSource(kind="csv", path="s3://rows/a.csv"),
        DeltaSource(kind="delta", path="s3://rows/a"),
    ):
        with pytest.raises(OSError, match="onnect"):
            _table(opened(clause), tmp_path)


def test_a_folder_with_partitions_is_read_as_one_on_disk(storage: Storage, tmp_path: Path) -> None:
    storage.put("in/month=1/p.parquet", _parquet(TABLE))
    storage.put("in/month=2/p.parquet", _parquet(TABLE.slice(0, 1)))
    storage.put("in/_SUCCESS", b"")
    storage.put("into/p.parquet", _parquet(TABLE))  # begins with the same letters
    source = opened(ParquetSource(kind="parquet", path="s3://rows/in/"))
    assert _table(source, tmp_path)["month"].to_pylist() == [1, 1, 1, 2]
    source.check_unchanged()
    storage.put("in/month=2/q.parquet", _parquet(TABLE))
    with pytest.raises(Refusal, match="changed while it was read"):
        source.check_unchanged()


def test_an_object_that_is_written_meanwhile_does_not_land(
    storage: Storage, tmp_path: Path
) -> None:
    source = _csv(storage.put("a.csv", b"a\n1\n"))
    _table(source, tmp_path)
    source.check_unchanged()
    storage.put("a.csv", b"a\n2\n")  # of the same size
    with pytest.raises(Refusal, match=r"a\.csv was changed while it was read"):
        source.check_unchanged()
    storage.files.delete_file("rows/a.csv")
    with pytest.raises(Refusal):
        source.check_unchanged()


def test_a_delta_table_is_read_by_version(storage: Storage, tmp_path: Path) -> None:
    for mode in ("overwrite", "append"):
        write_deltalake(
            "s3://rows/table",
            TABLE,
            mode=mode,
            storage_options=delta_options() | {"AWS_S3_ALLOW_UNSAFE_RENAME": "true"},
        )
    newest = DeltaSource(kind="delta", path="s3://rows/table")
    first = newest.model_copy(update={"version": 0})
    assert [_table(opened(one), tmp_path).num_rows for one in (newest, first)] == [6, 3]
    missing = _refused(newest.model_copy(update={"version": 7}), tmp_path)
    assert "in version 7" in missing


def test_what_cannot_be_is_refused_in_words(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = storage.put("in/a.jsonl", b'{"a": 1}\n')
    storage.put("up/.", b"")

    def said(path: str, kind: str = "jsonl") -> str:
        source = {"kind": kind, "path": path}
        return _refused(Data.model_validate({"source": source}).source, tmp_path)

    assert "Did you mean a.jsonl? (in s3://rows/in)" in said("s3://rows/in/b.jsonl")
    assert "found no bucket rowss at http://127.0.0.1" in said("s3://rowss/in/a.jsonl")
    assert "Name a file in it: a.jsonl." in said("s3://rows/in")
    assert "Name the folder that it lies in" in said(address, "delta")
    storage.put_as_named("bad/../../../x.parquet")
    assert "wanted names that can be those of files" in said("s3://rows/bad", "parquet")
    storage.faults += ["denied"] * 3
    assert "may not be read (ACCESS_DENIED)" in said(address)
    storage.faults.clear()
    assert _table(_csv(storage.put("a.csv", b"a\n1\n")), tmp_path).num_rows == 1
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    storage.asked.clear()
    assert _table(_csv("s3://rows/a.csv"), tmp_path).num_rows == 1
