"""What lands, what does not, and what happens the second time."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from charter import Charter, Refusal
from charter.load import load
from serving.signature import Input
from tasks import lake
from tasks.ingest import Ingested, ingest, rows_for_scoring

ROWS = "id,when,city,delay\n1,2020-01-01,a,20\n2,2020-01-02,b,\n3,2020-02-01,a,5\n4,,b,16\n"


def charter(path: Path, target: dict[str, Any] | None = None, **sections: Any) -> Charter:
    data = {"source": {"kind": "csv", "path": str(path)}, **sections.pop("data", {})}
    goal = {"target": target or {"column": "late", "derive": "delay > 15"}}
    return Charter.model_validate({"name": "trips", "goal": goal, "data": data, **sections})


@pytest.fixture
def file(root: Path, tmp_path: Path) -> Path:
    (tmp_path / "trips.csv").write_text(ROWS)
    return tmp_path / "trips.csv"


def landed(ingested: Ingested) -> pa.Table:
    return pa.Table.from_batches(lake.read(ingested.table))


def test_the_target_is_derived_and_later_rows_are_left(file: Path) -> None:
    until = {"time": "when", "until": dt.date(2020, 2, 1)}
    ingested = ingest(charter(file, data=until))
    assert landed(ingested)["late"].to_pylist() == [True, None, True]
    assert landed(ingested)["id"].to_pylist() == [1, 2, 4]
    assert (ingested.source_rows, ingested.later_rows, ingested.table.rows) == (4, 1, 3)
    assert [verdict.passed for verdict in ingested.verdicts] == [True]


def test_the_same_input_again_is_the_same_record(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ingest(charter(file))
    with monkeypatch.context() as patched:
        patched.setattr("tasks.ingestion.landing.rows", None)  # nothing is read
        assert ingest(charter(file)) == first
        # clauses that change nothing of what lands
        assert ingest(charter(file, data={"key": ["id"], "quarantine_share": 0.5})) == first
    file.write_text(ROWS + "5,2020-01-05,c,1\n")
    second = ingest(charter(file))
    assert second.table.version == first.table.version + 1
    file.write_text(ROWS)
    assert ingest(charter(file)).table.version == second.table.version + 1


@pytest.mark.parametrize(
    "change",
    [
        {"target": {"column": "late", "derive": "delay > 10"}},
        {"data": {"columns": {"id": {"role": "category"}}}},
        {"data": {"time": "when", "until": dt.date(2020, 1, 2)}},
        {"data": {"source": {"kind": "csv", "path": "", "missing": ["", "a"]}}},
    ],
)
def test_clauses_that_matter_make_a_version(file: Path, change: dict[str, Any]) -> None:
    first = ingest(charter(file))
    if "source" in change.get("data", {}):
        change["data"]["source"]["path"] = str(file)
    assert ingest(charter(file, **change)).table.version == first.table.version + 1


def test_a_run_killed_before_its_record_is_taken_up(file: Path, root: Path) -> None:
    file.write_text(ROWS + "5\n")
    first = ingest(charter(file))
    for note in (root / "tables/trips/ingested").iterdir():
        note.unlink()
    assert ingest(charter(file)) == first
    assert first.quarantine.rows == 1


@pytest.mark.parametrize(
    ("change", "words"), [("grows", "was changed while it was read"), ("goes", "found no file")]
)
def test_a_file_that_changes_while_it_is_read_does_not_land(
    file: Path, monkeypatch: pytest.MonkeyPatch, change: str, words: str
) -> None:
    from tasks.sources import rows

    def slow(*given: Any) -> Any:
        found = rows(*given)
        if change == "goes":
            file.rename(file.with_name("moved.csv"))
        else:
            file.write_text(ROWS + "5,2020-01-05,c,1\n")
        return found

    with monkeypatch.context() as patched:
        patched.setattr("tasks.ingestion.landing.rows", slow)
        with pytest.raises(Refusal, match=words):
            ingest(charter(file))
    assert lake.latest("tables/trips/landed", "trips") is None
    if change == "grows":
        assert ingest(charter(file)).table.rows == 5


def test_unreadable_rows_are_kept_and_reported(file: Path) -> None:
    file.write_text(ROWS + "5,x\n6,2020-01-06,a,far\n")
    ingested = ingest(charter(file, data={"columns": {"delay": {"role": "number"}}}))
    assert (ingested.source_rows, ingested.table.rows) == (6, 4)
    assert ingested.quarantine.reasons == {
        "2 fields where the header has 4": 1,
        "delay: not a number": 1,
    }
    verdict = ingested.verdicts[-1]
    assert (verdict.passed, verdict.stops) == (False, False)
    assert verdict.message == "rows that cannot be read: 2 of the source"
    assert verdict.numbers == {"refused": 2, "share": 2 / 6}


@pytest.mark.parametrize(
    ("sections", "where", "remedy"),
    [
        ({"target": {"column": "dely"}}, "goal.target.column", "Did you mean delay?"),
        ({"data": {"key": ["ID"]}}, "data.key", "Did you mean id?"),
        ({"data": {"time": "wen"}}, "data.time", "Did you mean when?"),
        ({"data": {"known_later": ["dellay"]}}, "data.known_later", "Did you mean delay?"),
        ({"data": {"known_before": ["citi"]}}, "data.known_before", "Did you mean city?"),
        ({"data": {"columns": {"xyz": {"role": "text"}}}}, "data.columns", "There are: id,"),
        ({"data": {"rules": [{"column": "cit", "not_null": True}]}}, "data.rules.0", "mean city?"),
        ({"evaluation": {"slices": ["city", "qqq"]}}, "evaluation.slices", "There are: id,"),
        ({"features": {"drop": ["dela"]}}, "features.drop", "Did you mean delay?"),
        (
            {"evaluation": {"split": {"by": "group", "column": "cty"}}},
            "evaluation.split.column",
            "Did you mean city?",
        ),
    ],
)
def test_a_column_that_is_not_there_is_refused(
    file: Path, sections: dict[str, Any], where: str, remedy: str
) -> None:
    for _ in range(2):  # also when the table is there already
        with pytest.raises(Refusal) as refusal:
            ingest(charter(file, **sections))
        assert refusal.value.where == where
        assert remedy in refusal.value.remedy
        ingest(charter(file))


@pytest.mark.parametrize(
    ("derive", "said"),
    [
        ("dely > 15", r"there is no column dely.*Did you mean delay\?"),
        ("delay >", "DuckDB says: .*The columns are: id .int64."),
        ("avg(delay)", "aggregates"),
        ("delay > avg(delay) OVER ()", "window functions"),
        ("delay > (SELECT max(delay) FROM landing)", "a query of its own.*one row only"),
        ("[delay]", "it gives values of type list"),
        ("CAST(city AS INTEGER)", "DuckDB says: .*Could not convert"),
    ],
)
def test_an_expression_that_cannot_be_is_refused(file: Path, derive: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        ingest(charter(file, {"column": "late", "derive": derive}))
    assert refusal.value.where == "goal.target.derive"


def test_a_derived_target_has_a_new_name(file: Path) -> None:
    with pytest.raises(Refusal, match=r"found city in the data already.*Choose another name"):
        ingest(charter(file, {"column": "city", "derive": "delay > 15"}))


def test_nothing_to_learn_from_is_refused(file: Path) -> None:
    until = {"time": "when", "until": dt.date(2019, 1, 1)}
    file.write_text(ROWS.replace("4,,b,16\n", ""))
    with pytest.raises(Refusal, match=r"all 3 rows at or after 2019-01-01.*Move data\.until"):
        ingest(charter(file, data=until))
    file.write_text("id,when,city,delay\n1\n2\n")
    with pytest.raises(Refusal, match=r"no row that can be used; the first: 1 field.*line 2: 1"):
        ingest(charter(file, {"column": "delay"}))


def test_a_time_column_without_times_is_refused(file: Path) -> None:
    with pytest.raises(Refusal, match=r"column city: .*wanted the role time.*data\.time"):
        ingest(charter(file, data={"time": "city"}))


def test_names_that_differ_in_case_only_are_refused(file: Path) -> None:
    file.write_text("a,A,y\n1,2,3\n")
    with pytest.raises(Refusal, match="found the columns a and A"):
        ingest(charter(file, {"column": "y"}))


def joined(file: Path) -> Charter:
    (file.parent / "cities.csv").write_text("city,size\na,10\nb,20\n")
    source = {"kind": "csv", "path": str(file.parent / "cities.csv")}
    return charter(file, data={"joins": [{"source": source, "on": ["city"], "columns": ["size"]}]})


def score(charter: Charter, path: Path, *inputs: Input) -> list[dict[str, Any]]:
    with rows_for_scoring(charter, path, inputs) as reader:
        found: list[dict[str, Any]] = reader.read_all().to_pylist()
    return found


def test_rows_for_scoring_are_joined_where_the_columns_are_not_there(file: Path) -> None:
    new = file.parent / "new.csv"
    new.write_text("city,id\nb,1\nz,2\na,3\n")
    assert [row["size"] for row in score(joined(file), new)] == [20, None, 10]
    new.write_text("city,size\nb,7\n")
    assert score(joined(file), new) == [{"city": "b", "size": 7}]
    new.write_text("id\n1\n")
    assert score(joined(file), new) == [{"id": 1}]
    pq.write_table(pa.table({"city": ["a"]}), file.parent / "new.parquet")
    assert score(joined(file), file.parent / "new.parquet") == [{"city": "a", "size": 10}]


def test_the_signature_decides_the_types_of_rows_for_scoring(file: Path) -> None:
    new = file.parent / "new.csv"
    new.write_text("city,id\n01,1\n1,2\n")
    inputs = (Input(name="city", kind="text"), Input(name="id", kind="text"))
    assert score(joined(file), new, *inputs)[0] == {"city": "01", "id": "1", "size": None}


@pytest.mark.parametrize("bad", ["x,1", "1"])
def test_scoring_loses_no_row(file: Path, bad: str) -> None:
    new = file.parent / "new.csv"
    new.write_text(f"id,city\n1,a\n{bad}\n3,b\n")
    with pytest.raises(Refusal, match=r"new\.csv, line 3: .*Correct the row"):
        score(charter(file), new, Input(name="id", kind="number"))


def test_the_real_flights(root: Path) -> None:
    """The counts are those of a pandas merge of the same two files."""
    ingested = ingest(load(Path("configs/flights.yaml")))
    assert (ingested.source_rows, ingested.table.rows) == (336_776, 80_687)
    assert ingested.later_rows == 336_776 - 80_687
    assert ingested.joins[0].unmatched == 81
    assert ingested.quarantine.rows == 0
    late = [
        value for batch in lake.read(ingested.table, ["late"]) for value in batch[0].to_pylist()
    ]
    assert (late.count(True), late.count(None)) == (17_761, 2_878)


PEAK = """
import sys
from pathlib import Path
from charter import Charter
from tasks.ingest import ingest
made = Charter.model_validate({
    "name": "big", "goal": {"target": {"column": "late", "derive": "x > 50"}},
    "data": {"source": {"kind": "csv", "path": sys.argv[1]}, "joins": [{
        "source": {"kind": "csv", "path": sys.argv[2]}, "on": ["s"]}]},
})
assert ingest(made).table.rows == int(sys.argv[3])
# Not `ru_maxrss`: a child inherits the peak of the process that started it.
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = "".join(
        f"{n},{n % 97 * 1.5},name{n % 7},2013-01-{n % 28 + 1:02}T03:00:00Z,{n * 7919:0300}\n"
        for n in range(4_000)
    )
    (tmp_path / "names.csv").write_text("s,size\n" + "".join(f"name{n},{n}\n" for n in range(7)))
    peaks = []
    for blocks in (80, 320):
        monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / f"root{blocks}"))
        with (tmp_path / "big.csv").open("w") as file:
            file.write("i,x,s,t,text\n")
            for _ in range(blocks):
                file.write(block)
        files = [str(tmp_path / "big.csv"), str(tmp_path / "names.csv"), str(blocks * 4_000)]
        child = [sys.executable, "-c", PEAK, *files]
        peaks.append(int(subprocess.run(child, capture_output=True, check=True, text=True).stdout))
    grown = (320 - 80) * len(block) / 2**20
    assert grown > 250
    assert peaks[1] - peaks[0] < grown / 2
