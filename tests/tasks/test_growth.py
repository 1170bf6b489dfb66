"""A source that grows: what is new lands, once, as if all of it had landed at once."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from charter import Charter, Refusal
from flows.headlines import headline
from serving.home import place
from tasks import increment, lake
from tasks.ingest import Ingested, ingest
from tasks.tidy import tidy

HEAD = "id,when,city,delay\n"
FIRST = HEAD + '1,2020-01-01,a,20\n2,2020-01-02,"b, or c",5\n'
MORE = "3,2020-02-01,a,5\n4,2020-02-02,b,16\n"


def charter(path: Path, kind: str = "csv", **data: Any) -> Charter:
    source = {"kind": kind, "path": str(path), **data.pop("source", {})}
    return Charter.model_validate(
        {
            "name": "trips",
            "goal": {"target": {"column": "late", "derive": "delay > 15"}},
            "data": {"grows": True, **data, "source": source},
        }
    )


@pytest.fixture
def file(root: Path, tmp_path: Path) -> Path:
    (tmp_path / "trips.csv").write_text(FIRST)
    return tmp_path / "trips.csv"


def landed(ingested: Ingested) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lake.dataset(ingested.table).to_table().to_pylist()
    return rows


def ids(ingested: Ingested) -> list[int]:
    return [row["id"] for row in landed(ingested)]


def refused() -> list[tuple[int, list[str], str]]:
    """Every row in quarantine, however often it stands there."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place("tables/trips/quarantine"))):
        return []
    kept = DeltaTable(place("tables/trips/quarantine")).to_pyarrow_table().to_pylist()
    return sorted((row["row"], row["reasons"], row["record"]) for row in kept)


def append(path: Path, text: str) -> None:
    with path.open("a", newline="") as file:
        file.write(text)


def test_what_is_new_lands_behind_what_is_there(file: Path) -> None:
    first = ingest(charter(file))
    assert (first.table.rows, first.new_rows, first.anew) == (2, None, "")
    before = {path.name for path in place(first.table.where).glob("*.parquet")}
    append(file, MORE)
    second = ingest(charter(file))
    assert (second.table.rows, second.new_rows, second.source_rows) == (4, 2, 4)
    assert second.table.version == first.table.version + 1
    assert [row["late"] for row in landed(second)] == [True, False, False, True]
    after = {path.name for path in place(first.table.where).glob("*.parquet")}
    assert before < after
    assert len(after - before) == 1  # nothing that was there is written again


def test_nothing_new_makes_no_version(file: Path) -> None:
    first = ingest(charter(file))
    assert ingest(charter(file)) == first
    append(file, MORE)
    second = ingest(charter(file))
    assert ingest(charter(file)) == second


def test_a_torn_last_line_waits(file: Path) -> None:
    append(file, "3,2020-02-01,a")
    first = ingest(charter(file))
    assert (ids(first), first.waiting, first.quarantine.rows) == ([1, 2], 14, 0)
    append(file, ',5\n4,2020-02-02,"two\nlines')
    second = ingest(charter(file))
    assert (ids(second), second.waiting) == ([1, 2, 3], len('4,2020-02-02,"two\nlines'))
    append(file, ' and ""more""",7\n')
    third = ingest(charter(file))
    assert third.waiting == 0
    assert landed(third)[-1]["city"] == 'two\nlines and "more"'


def test_the_beginning_of_a_first_row_is_no_row(file: Path) -> None:
    file.write_text(HEAD + "1,2020-01-01")
    with pytest.raises(Refusal, match=r"no whole row in trips\.csv.*Run again when more has come"):
        ingest(charter(file))
    append(file, ",a,20\n")
    assert ids(ingest(charter(file))) == [1]


def test_types_are_those_of_the_table(file: Path) -> None:
    ingest(charter(file))
    append(file, "007,2020-02-01,5,5.5\n4,2020-02-02,b,\n")
    second = ingest(charter(file))
    assert ids(second) == [1, 2, 4]
    assert second.quarantine.reasons == {
        "id: not a whole number": 1,
        "delay: not a whole number": 1,
    }
    assert refused()[0][:2] == (2, ["id: not a whole number", "delay: not a whole number"])


def test_refused_lines_keep_their_numbers(file: Path) -> None:
    append(file, "x\n")
    first = ingest(charter(file))
    append(file, "\n5,2020-02-01,a,1\n6,y\n")
    second = ingest(charter(file))
    assert (first.quarantine.rows, second.quarantine.rows) == (1, 2)
    assert [(row, record) for row, _, record in refused()] == [(2, "line 4: x"), (4, "line 7: 6,y")]
    assert second.verdicts[-1].message == "rows that cannot be read: 2 of the source"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HEAD + "1,2020-01-01,a,20\n", "37 bytes where 62 had landed"),
        (FIRST.replace("a,20", "a,21") + MORE, "does not begin as it did"),
        (FIRST.replace("id,", "ID,") + MORE, "does not begin as it did"),
    ],
)
def test_what_is_not_there_any_more_lands_anew(file: Path, content: str, words: str) -> None:
    ingest(charter(file))
    file.write_text(content)
    again = ingest(charter(file))
    assert again.new_rows is None
    assert re.search(words, again.anew)
    assert again.table.rows == content.count("\n") - 1
    assert ingest(charter(file)) == again


@pytest.mark.parametrize(
    "change",
    [
        {"time": "when", "until": "2020-02-02"},
        {"columns": {"id": {"role": "category"}}},
        {"source": {"missing": ["", "a"]}},
    ],
)
def test_another_charter_lands_anew(file: Path, change: dict[str, Any]) -> None:
    ingest(charter(file))
    append(file, MORE)
    again = ingest(charter(file, **change))
    assert again.anew == "the charter says something else of the rows, or a joined source changed"
    assert (again.source_rows, again.new_rows) == (4, None)


def test_joined_rows_add_up_and_another_joined_source_lands_anew(file: Path) -> None:
    cities = file.with_name("cities.csv")
    cities.write_text("city,size\na,10\nb,20\nx\n")
    join = {"source": {"kind": "csv", "path": str(cities)}, "on": ["city"], "unmatched_share": 1}
    first = ingest(charter(file, joins=[join]))
    append(file, MORE)
    second = ingest(charter(file, joins=[join]))
    assert [row["size"] for row in landed(second)] == [10, None, 10, 20]
    report = second.joins[0]
    assert (report.unmatched, report.unmatched_share, report.refused) == (1, 0.25, 1)
    assert len(refused()) == 1  # the joined source was read twice, its line is refused once
    cities.write_text("city,size\na,11\nb,20\n")
    third = ingest(charter(file, joins=[join]))
    assert [row["size"] for row in landed(third)] == [11, None, 11, 20]
    assert (first.new_rows, second.new_rows, third.new_rows) == (None, 2, None)


def test_later_rows_add_up(file: Path) -> None:
    until = {"time": "when", "until": "2020-02-01"}
    first = ingest(charter(file, **until))
    append(file, MORE)
    second = ingest(charter(file, **until))
    assert (second.later_rows, second.new_rows, second.source_rows) == (2, 0, 4)
    assert second.table.rows == first.table.rows
    assert ingest(charter(file, **until)) == second
    files = list(place(first.table.where).glob("*.parquet"))
    assert len(files) == len(list(lake.dataset(second.table).files))


@pytest.mark.parametrize("stop", ["add", "keep"])
def test_a_run_killed_on_the_way_is_taken_up(
    file: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    ingest(charter(file))
    append(file, "x\n" + MORE)
    place_of = {"add": "tasks.increment.commit", "keep": "tasks.ingestion.landing.Landing.keep"}
    with monkeypatch.context() as patched:
        patched.setattr(place_of[stop], kill)
        with pytest.raises(Killed):
            ingest(charter(file))
    append(file, "y\n5,2020-03-01,a,9\n")
    last = ingest(charter(file))
    assert ids(last) == [1, 2, 3, 4, 5]
    assert [record for _, _, record in refused()] == ["line 4: x", "line 7: y"]
    assert (last.quarantine.rows, last.source_rows) == (2, 7)


def test_two_at_once_land_a_row_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(charter(file))
    append(file, MORE)
    quicker: list[Ingested] = []
    add = increment.add

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(increment, "add", add)
        append(file, "5,2020-03-01,a,9\n")
        quicker.append(ingest(charter(file)))
        return add(*given)

    monkeypatch.setattr(increment, "add", slow)
    slower = ingest(charter(file))
    assert ids(slower) == [1, 2, 3, 4, 5]
    assert slower == quicker[0]


@pytest.mark.parametrize("pack", ["gzip", "zip"])
def test_what_is_compressed_does_not_grow(file: Path, pack: str) -> None:
    if pack == "gzip":
        file.write_bytes(gzip.compress(FIRST.encode()))
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("trips.csv", FIRST)
    with pytest.raises(Refusal, match=r"trips\.csv compressed.*take grows out"):
        ingest(charter(file))


@pytest.mark.parametrize(
    ("end", "encoding"), [("\r\n", "utf-8"), ("\r", "latin-1"), ("\n", "utf-8-sig")]
)
def test_line_ends_and_encodings(file: Path, end: str, encoding: str) -> None:
    made = charter(file, source={"encoding": encoding})
    text = (FIRST.replace(",a,", ",é,") + MORE).replace("\n", end).encode(encoding)
    cut = len(text) // 2
    file.write_bytes(text[:cut])
    ingest(made)
    file.write_bytes(text)
    last = ingest(made)
    assert last.anew == ""
    assert [row["city"] for row in landed(last)] == ["é", "b, or c", "a", "b"]


def lines(*rows: Any) -> str:
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)


def test_json_lines_grow(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "trips.jsonl"
    file.write_text(lines({"id": 1, "delay": 1, "at": "2020-01-01T00:00:00Z"}, "", {"id": 2}) + "{")
    made = charter(file, "jsonl")
    first = ingest(made)
    assert (first.source_rows, first.waiting) == (2, 1)
    append(
        file, lines("", {"id": "3", "delay": 2}, {"id": 4, "delay": 20.0}, {"id": 5, "delay": 9})
    )
    second = ingest(made)
    assert [(row["id"], row["late"]) for row in landed(second)] == [
        (1, False),
        (2, None),
        (5, False),
    ]
    assert [(row, reasons) for row, reasons, _ in refused()] == [
        (2, ["no JSON (Expecting property name enclosed in double quotes at character 2)"]),
        (3, ["id: not a whole number"]),
        (4, ["delay: not a whole number"]),
    ]
    assert [record.split(":")[0] for _, _, record in refused()[:2]] == ["line 4", "line 5"]


def test_a_new_column_lands_anew(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "trips.jsonl"
    file.write_text(lines({"id": 1, "delay": 1}))
    ingest(charter(file, "jsonl"))
    append(file, lines({"id": 2, "delay": 5, "gate": "A"}))
    again = ingest(charter(file, "jsonl"))
    assert again.anew == "gate: a column that no row had before"
    assert [row["gate"] for row in landed(again)] == [None, "A"]


def test_the_first_values_of_a_column_decide_together_with_all(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.write_text("id,delay,gate\n1,1,\n2,2,\n")
    assert lake.dataset(ingest(charter(file)).table).schema.field("gate").type == pa.string()
    append(file, "3,3,\n")
    assert ingest(charter(file)).anew == ""
    append(file, "4,4,7\n")
    again = ingest(charter(file))
    assert again.anew == "gate: the first values of the column"
    assert [row["gate"] for row in landed(again)] == [None, None, None, 7]


def test_tidying_keeps_what_the_source_was_read_to(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.compaction.MANY", 2)
    made = charter(file)
    ingest(made)
    for number in range(3, 7):
        append(file, f"{number},2020-03-01,a,9\nbad {number}\n")
        last = ingest(made)
    bad = refused()
    tidied = tidy(made, datetime.now(UTC) + timedelta(days=900))
    assert tidied.fewer_files > 0
    assert ingest(made).model_copy(update={"table": last.table}) == last
    assert (ids(last), refused()) == ([1, 2, 3, 4, 5, 6], bad)
    append(file, "7,2020-03-01,a,9\n")
    again = ingest(made)
    assert (ids(again), again.new_rows, len(refused())) == ([1, 2, 3, 4, 5, 6, 7], 1, 4)


def test_the_headline_says_what_came(file: Path) -> None:
    ingest(charter(file))
    append(file, MORE + "5,2020")
    assert headline(ingest(charter(file))) == (
        "4 rows landed (version 2, which brought 2); 6 bytes wait for the end of their row"
    )
    file.write_text(HEAD + "1,2020-01-01,a,20\n")
    assert "all of them anew: trips.csv has 37 bytes" in headline(ingest(charter(file)))


def test_who_may_not_be_used_is_counted_and_names_stay_hashes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", "k1:" + "2b" * 32)
    file = tmp_path / "trips.csv"
    file.write_text("id,delay,who,agreed\n1,20,ann,yes\n2,5,bob,no\n")
    made = charter(file).model_dump(mode="json")
    made["privacy"] = {
        "identifiers": ["who"], "purpose": "delays", "consent": {"column": "agreed"}
    }  # fmt: skip
    made["data"]["columns"] = {"agreed": {"role": "flag"}}
    private = Charter.model_validate(made)
    first = ingest(private)
    append(file, "3,5,ann,yes\n4,7,eve,no\n5,x,ann,yes\n")
    second = ingest(private)
    assert [sum(one.barred.values()) for one in (first, second)] == [1, 2]
    rows = landed(second)
    assert [row["id"] for row in rows] == [1, 3]
    assert rows[0]["who"] == rows[1]["who"] != "ann"
    assert [record for _, _, record in refused()] == [""]


def test_personal_data_that_nobody_declared_is_found_over_all_parts(
    root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "trips.csv"
    file.write_text("id,delay,note\n" + "".join(f"{n},5,fine\n" for n in range(99)))
    made = charter(file).model_dump(mode="json")
    made["privacy"] = {"found": {"action": "mask", "share": 0.02}}
    masking = Charter.model_validate(made)
    ingest(masking)
    append(file, "99,5,ann@mail.test\n")  # one in a hundred
    second = ingest(masking)
    assert (second.anew, second.found[0].rows, second.found[0].share) == ("", 1, 0.01)
    append(file, "100,5,bob@mail.test\n101,5,eve@mail.test\n")
    third = ingest(masking)
    assert "note (email in 2.9% of the rows)" in third.anew
    assert {row["note"] for row in landed(third)} == {"fine", "[email]"}
    append(file, "102,5,dan@mail.test\n")
    fourth = ingest(masking)
    assert (fourth.anew, fourth.new_rows, landed(fourth)[-1]["note"]) == ("", 1, "[email]")
    kept = b"".join(one.read_bytes() for one in place(third.table.where).glob("*.parquet"))
    assert b"eve@" not in kept
    refusing = Charter.model_validate(made | {"privacy": {"found": {"share": 0.02}}})
    with pytest.raises(Refusal, match=r"privacy\.found"):
        ingest(refusing)
