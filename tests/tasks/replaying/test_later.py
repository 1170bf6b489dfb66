"""Later rows: what training left out, joined and derived as training would."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from charter import Charter, Refusal
from tasks import lake
from tasks.ingest import ingest
from tasks.replaying.later import later_rows, midnight


def _charter(folder: Path, **data: object) -> Charter:
    """Eight days of orders, not in order of time; the weather of seven is known."""
    days = [4, 8, 1, 6, 2, 7, 5, 3]
    lines = [
        f"2024-01-0{day}T{hour:02}:00:00Z,{day * 10 + hour}" for day in days for hour in (9, 8)
    ]
    (folder / "orders.csv").write_text("\n".join(["at,amount", *lines]) + "\n")
    weather = [f"2024-01-0{day}T08:00:00Z,{day}" for day in range(1, 8)]
    (folder / "weather.csv").write_text("\n".join(["at,sun", *weather]) + "\n")
    join = {"source": {"kind": "csv", "path": str(folder / "weather.csv")}, "on": ["at"]}
    clauses = {
        "source": {"kind": "csv", "path": str(folder / "orders.csv")},
        "joins": [{**join, "unmatched_share": 1.0}], "time": "at", "until": "2024-01-05", **data,
    }  # fmt: skip
    return Charter.model_validate(
        {
            "name": "orders",
            "goal": {"target": {"column": "big", "derive": "amount > 55"}},
            "data": clauses,
        }
    )


def _day(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, tzinfo=UTC)


def test_rows_come_in_order_of_time_with_joins_and_target(root: Path, tmp_path: Path) -> None:
    with later_rows(_charter(tmp_path), _day(5)) as later:
        assert (later.count(_day(1), _day(9)), later.last) == (8, _day(8, 9))
        found = later.between(_day(6), _day(9)).to_pylist()
    assert [row["amount"] for row in found] == [68, 69, 78, 79, 88, 89]
    assert [row["sun"] for row in found] == [6, None, 7, None, None, None]
    assert found[0]["big"] is True
    assert midnight(found[0]["at"]) == _day(6, 8)


def test_together_with_what_was_landed_they_are_the_whole_source(
    root: Path, tmp_path: Path
) -> None:
    charter = _charter(tmp_path)
    landed = ingest(charter).table
    with later_rows(charter, _day(5)) as later:
        assert later.schema.equals(lake.dataset(landed).schema)
        assert landed.rows + later.count(_day(1), _day(9)) == 16


def test_a_stretch_has_its_first_moment_and_not_its_last(root: Path, tmp_path: Path) -> None:
    with later_rows(_charter(tmp_path), _day(5)) as later:
        assert later.between(_day(5, 8), _day(5, 9)).column("amount").to_pylist() == [58]
        assert later.between(_day(1), _day(5)).num_rows == 0


def test_rows_without_times_are_refused(root: Path, tmp_path: Path) -> None:
    charter = _charter(tmp_path, time="amount", joins=[], columns={"amount": {"role": "number"}})
    with (
        pytest.raises(Refusal, match=r"ISO 8601 times in data\.time"),
        later_rows(charter, _day(5)),
    ):
        pass
