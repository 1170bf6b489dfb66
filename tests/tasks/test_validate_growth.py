"""Of a table that grows only what is new is judged, and what is said is what all of it would give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from charter import Charter
from serving.home import place
from tasks import lake
from tasks.compaction import compact
from tasks.ingest import ingest
from tasks.tidy import tidy
from tasks.validate import Validated, validate
from tasks.validation.sift import Bench, Part

HEAD = "id,delay,city\n"


@pytest.fixture
def file(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trips.csv").write_text(HEAD + lines(0, 200))
    return tmp_path / "trips.csv"


def lines(first: int, count: int, *more: str) -> str:
    rows = [f"{n},{n % 60},c{n % 3}\n" for n in range(first, first + count)]
    return "".join([*rows, *(f"{row}\n" for row in more)])


def charter(file: Path, **data: Any) -> Charter:
    return Charter.model_validate(
        {
            "name": "trips",
            "goal": {"target": {"column": "delay"}},
            "data": {
                "source": {"kind": "csv", "path": str(file)}, "grows": True, "key": ["id"],
                "rules": [{"column": "delay", "between": [0, 90]}], "quarantine_share": 0.5, **data,
            },
        }
    )  # fmt: skip


def grown(file: Path, text: str) -> Validated:
    with file.open("a") as content:
        content.write(text)
    return judged(charter(file))


def judged(made: Charter) -> Validated:
    return validate(made, ingest(made))


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The rows that were judged one by one."""
    spans: list[tuple[int, int]] = []
    part = Bench.part

    def seen(bench: Bench, asked: Part) -> Any:
        spans.append((asked.start, asked.stop))
        return part(bench, asked)

    monkeypatch.setattr(Bench, "part", seen)
    return spans


def refused() -> list[tuple[int, list[str]]]:
    kept = DeltaTable(place("tables/trips/quarantine")).to_pyarrow_table().to_pylist()
    return sorted((row["row"], row["reasons"]) for row in kept if row["stage"] == "validate")


BAD = ("7,5,c0", "300,999,c1", "301,5,zz")
"""A key that is there already, a value out of range, and one that the suite only warns of."""


def test_only_new_rows_are_judged_and_all_is_said(
    file: Path, looked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = judged(charter(file))
    assert first.quarantine.rows == 0
    second = grown(file, lines(200, 20, *BAD))
    third = grown(file, lines(220, 20, "200,1,c1"))
    assert looked == [(0, 200), (200, 223), (223, 244)]
    assert third.table.version == first.table.version + 2
    assert [row for row, _ in refused()] == [220, 221, 243]
    files = [set(lake.dataset(one.table).files) for one in (first, second, third)]
    assert files[0] < files[1] < files[2]
    assert judged(charter(file)) == third
    assert len(looked) == 3
    rows = lake.dataset(third.table).to_table()

    monkeypatch.setenv("PERENNIAL_HOME", "again")
    whole = judged(charter(file, grows=False))
    assert looked[3:] == [(0, 244)]
    assert whole.verdicts == third.verdicts
    assert whole.quarantine.reasons == third.quarantine.reasons
    assert whole.quarantine.rows == third.quarantine.rows == 3
    assert lake.dataset(whole.table).to_table().equals(rows)


@pytest.mark.slow
def test_another_law_judges_all(file: Path, looked: list[tuple[int, int]]) -> None:
    judged(charter(file))
    again = judged(charter(file, rules=[{"column": "delay", "between": [0, 50]}]))
    assert looked == [(0, 200), (0, 200)]
    assert again.quarantine.rows > 0
    file.write_text(HEAD + lines(1, 150))
    assert judged(charter(file)).table.rows == 150
    assert looked[2:] == [(0, 150)]


def test_a_run_killed_before_quarantine_is_taken_up(
    file: Path, looked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    judged(charter(file))
    with monkeypatch.context() as patched:
        patched.setattr("tasks.validate._quarantine", kill)
        with pytest.raises(Killed):
            grown(file, lines(200, 20, *BAD))
    last = grown(file, lines(220, 20, "200,1,c1"))
    assert looked == [(0, 200), (200, 223), (200, 223), (223, 244)]
    assert [row for row, _ in refused()] == [220, 221, 243]
    assert (last.table.rows, last.quarantine.rows) == (241, 3)


@pytest.mark.slow
def test_tidied_tables_go_on(
    file: Path, looked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.compaction.MANY", 2)
    judged(charter(file))
    for first in (200, 210, 220):
        grown(file, lines(first, 10))
    assert tidy(charter(file)).fewer_files > 0
    last = grown(file, lines(230, 10))
    assert looked[-1] == (230, 240)
    ids = lake.dataset(last.table).to_table()["id"].to_pylist()
    assert ids == list(range(240))


def test_after_somebody_is_forgotten_every_new_row_is_judged(
    file: Path, looked: list[tuple[int, int]]
) -> None:
    """Their rows leave a gap among those that were judged: positions are no longer the same."""
    judged(charter(file))
    for table in ("landed", "table"):
        compact(f"tables/trips/{table}", pc.field("id").isin([3, 4, 5]))
    found = grown(file, lines(200, 20, "300,999,c1"))
    assert looked[-1] == (0, 218)
    assert found.table.rows == 217
    assert found.quarantine.rows == 1
    assert {row["id"] for batch in lake.read(found.table) for row in batch.to_pylist()} == {
        *range(3), *range(6, 220)
    }  # fmt: skip
    grown(file, lines(220, 20))
    assert looked[-1] == (218, 238)  # and from there on only what is new
    compact("tables/trips/landed", pc.field("id") == 239)
    grown(file, lines(240, 20))
    assert looked[-1] == (0, 257)
