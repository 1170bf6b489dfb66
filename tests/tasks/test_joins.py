"""Joins keep the rows and their order; what cannot be joined is refused."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from charter import Charter, Refusal
from tasks import lake, rowgroups
from tasks.ingest import Ingested, ingest
from tasks.quarantine import refused_rows

LEFT = "id,city,day,y\n1,a,2020-01-01,0\n2,b,2020-01-02,1\n3,c,2020-01-03,0\n4,,2020-01-04,1\n"
RIGHT = "city,size\nb,20\na,10\nz,5\n"


def charter(
    tmp_path: Path, left: str, right: str, join: dict[str, Any] | None = None, **data: Any
) -> Charter:
    (tmp_path / "left.csv").write_text(left)
    (tmp_path / "right.csv").write_text(right)
    source = {"kind": "csv", "path": str(tmp_path / "left.csv")}
    joined = {"source": {"kind": "csv", "path": str(tmp_path / "right.csv")}, "on": ["city"]}
    return Charter.model_validate(
        {
            "name": "cities",
            "goal": {"target": {"column": "y"}},
            "data": {"source": source, "joins": [{**joined, **(join or {})}], **data},
        }
    )


def landed(ingested: Ingested) -> pa.Table:
    return pa.Table.from_batches(lake.read(ingested.table))


def test_each_row_gets_its_match_or_nothing(root: Path, tmp_path: Path) -> None:
    ingested = ingest(charter(tmp_path, LEFT, RIGHT))
    assert landed(ingested)["size"].to_pylist() == [10, 20, None, None]
    assert landed(ingested)["id"].to_pylist() == [1, 2, 3, 4]
    report = ingested.joins[0]
    assert (report.added, report.unmatched, report.unmatched_share) == (("size",), 2, 0.5)


def test_the_unmatched_share_is_gated(root: Path, tmp_path: Path) -> None:
    stopped = ingest(charter(tmp_path, LEFT, RIGHT)).verdicts[0]
    passed = ingest(charter(tmp_path, LEFT, RIGHT, {"unmatched_share": 0.5})).verdicts[0]
    assert (stopped.stops, passed.stops) == (True, False)
    assert stopped.gate == "data.joins.0.unmatched_share"
    assert "2 rows (50.00%) have no match in right.csv" in stopped.message


def test_order_is_kept_over_many_batches(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowgroups, "GROUP_ROWS", 3_000)
    keys = random.Random(0).choices(range(5_000), k=20_000)
    left = "n,city,y\n" + "".join(f"{n},{key},1\n" for n, key in enumerate(keys))
    right = "city,double\n" + "".join(f"{key},{2 * key}\n" for key in reversed(range(5_000)))
    table = landed(ingest(charter(tmp_path, left, right)))
    assert table["n"].to_pylist() == list(range(20_000))
    assert table["double"].to_pylist() == [2 * key for key in keys]


def test_types_that_mean_the_same_meet(root: Path, tmp_path: Path) -> None:
    left, right = "city,y\n1,0\n2,1\n", "city,size\n2.0,20\n1.5,3\n"
    assert landed(ingest(charter(tmp_path, left, right)))["size"].to_pylist() == [None, 20]
    left, right = "city,y\n1,0\nx,1\n", "city,size\n1,20\n2,3\n"
    assert landed(ingest(charter(tmp_path, left, right)))["size"].to_pylist() == [20, None]


@pytest.mark.parametrize(
    ("left", "right", "join", "said"),
    [
        (LEFT, RIGHT + "a,11\n", {}, r"found 2 rows of right\.csv with city a.*tell them apart"),
        (LEFT, RIGHT, {"on": ["cty"]}, r"no column cty in the rows.*Did you mean city\?"),
        (LEFT, RIGHT.replace("city", "town"), {}, r"no column city in right\.csv"),
        (LEFT, RIGHT, {"columns": ["sise"]}, r"no column sise.*Did you mean size\?"),
        (LEFT, RIGHT, {"columns": ["city"]}, "found city in the rows already"),
        (LEFT, "city\na\n", {}, "found no column to add.*Take the join out"),
        (
            LEFT, "day,size\n2020-01-01T00:00:00Z,1\n", {"on": ["day"]},
            r"day as timestamp\[us\] in the rows and as timestamp\[us, tz=UTC\].*time zone",
        ),
        (LEFT, "day,size\n1.5,1\n", {"on": ["day"]}, "day as .* in the rows and as double.*role"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_refused(
    root: Path, tmp_path: Path, left: str, right: str, join: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        ingest(charter(tmp_path, left, right, join))
    assert refusal.value.where.startswith("data.joins.0")


def test_bad_lines_of_a_joined_source_are_kept_and_shown(root: Path, tmp_path: Path) -> None:
    right = RIGHT + "c\nd,x\n"
    ingested = ingest(charter(tmp_path, LEFT, right, columns={"size": {"role": "number"}}))
    assert ingested.joins[0].refused == 2
    assert ingested.quarantine.rows == 0
    assert ingested.verdicts[-1].message == "rows that cannot be read: 2 of right.csv"
    kept = ingested.quarantine.model_copy(update={"stage": "ingest join 0"})
    assert sum(batch.num_rows for batch in refused_rows(kept)) == 2


def test_a_failure_of_the_joined_source_is_told_as_it_is(root: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"column size: .*wanted the role number"):
        ingest(charter(tmp_path, LEFT, "city,size\na,x\n", columns={"size": {"role": "number"}}))
