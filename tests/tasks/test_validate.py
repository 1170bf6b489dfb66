"""Validation on small tables: batches of two hundred rows, so that tables take several."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter, Refusal, Verdict, gate
from serving.home import place
from tasks import lake
from tasks.ingest import Ingested, JoinReport
from tasks.quarantine import QUARANTINE, Quarantine, refused_rows
from tasks.validate import Validated, validate
from tasks.validation import distribution, docs, inference, panel, sieve, sift
from tasks.validation.expectation import BETWEEN, FILLED, Expectation
from tasks.validation.inference import infer
from tasks.validation.judge import Judge
from tasks.validation.rules import charter_expectations
from tasks.validation.suite import location, write

ROWS = 450
DISTANCE = {"column": "distance", "between": [1, 6000]}


@pytest.fixture(autouse=True)
def _small(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sift, "BATCH_ROWS", 200)


def columns() -> dict[str, list[Any]]:
    rng = np.random.default_rng(7)
    start = datetime(2026, 1, 1)
    return {
        "id": list(range(ROWS)),
        "at": [start + timedelta(hours=row) for row in range(ROWS)],
        "distance": rng.uniform(80, 5000, ROWS).tolist(),
        "carrier": rng.choice(["AA", "DL", "UA"], ROWS).tolist(),
        "tail": [f"N{row}" for row in range(ROWS)],
        "stops": rng.integers(0, 4, ROWS).tolist(),
        "gust": [None if row % 3 else 20.5 for row in range(ROWS)],
        "late": [None if row % 50 == 0 else bool(row % 2) for row in range(ROWS)],
    }


SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "at": pa.timestamp("us"),
        "distance": pa.float64(),
        "carrier": pa.string(),
        "tail": pa.string(),
        "stops": pa.int64(),
        "gust": pa.float64(),
        "late": pa.bool_(),
    }
)


def charter(**data: Any) -> Charter:
    source = {"kind": "csv", "path": "toy.csv"}
    told = {"source": source, "key": ["id"], "time": "at", "rules": [DISTANCE]} | data
    return Charter.model_validate(
        {"name": "toy", "goal": {"target": {"column": "late"}}, "data": told}
    )


def land(
    values: dict[str, list[Any]], schema: pa.Schema = SCHEMA, refused: int = 0, **more: Any
) -> Ingested:
    table = pa.table(values, schema=schema)
    fingerprint = f"{hash(str(values)) & (2**64 - 1):064x}"
    landed = lake.write("tables/toy/landed", "toy", table.to_reader(130), fingerprint)
    quarantine = Quarantine(
        project="toy",
        where="tables/toy/quarantine",
        stage="ingest",
        fingerprint=fingerprint,
        rows=refused,
    )
    rows = table.num_rows + refused
    return Ingested(table=landed, quarantine=quarantine, source_rows=rows, **more)


def draft(ingested: Ingested) -> Ingested:
    """Infer the suite, as the first run does, without judging any row."""
    rules = charter_expectations(charter(), SCHEMA)
    write(infer(charter(), ingested, rules), location("toy"))
    return ingested


def verdict(validated: Validated, name: str) -> Verdict:
    return next(verdict for verdict in validated.verdicts if verdict.gate == name)


def refused(validated: Validated) -> dict[int, list[str]]:
    rows = pa.Table.from_batches(refused_rows(validated.quarantine), QUARANTINE)
    return {row["row"]: row["reasons"] for row in rows.to_pylist()}


def edit(change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(location("toy").read_text())
    change(document)
    location("toy").write_text(json.dumps(document))


def test_good_rows_pass_in_their_order_and_the_same_again_writes_nothing() -> None:
    ingested = land(columns())
    validated = validate(charter(), ingested)
    assert validated.drafted
    assert not [verdict for verdict in validated.verdicts if not verdict.passed]
    fit = pa.Table.from_batches(lake.read(validated.table), SCHEMA)
    assert fit.equals(pa.table(columns(), schema=SCHEMA))
    files = {path: path.stat().st_mtime_ns for path in place("").rglob("*") if path.is_file()}
    assert validate(charter(), ingested) == validated
    assert files == {
        path: path.stat().st_mtime_ns for path in place("").rglob("*") if path.is_file()
    }


def test_each_kind_of_rule_sends_its_rows_to_quarantine_with_every_reason() -> None:
    draft(land(columns()))
    bad = columns()
    bad["distance"][3] = 9000.0
    bad["carrier"][3] = None
    bad["carrier"][120] = "ZZ"
    bad["tail"][250] = "Q1"
    bad["stops"][449] = 9999
    bad["id"][0], bad["id"][301] = 17, 17
    rules = [
        DISTANCE,
        {"columns": ["carrier"], "not_null": True, "one_of": ["AA", "DL", "UA"]},
        {"column": "tail", "matches": r"N\d+"},
    ]
    validated = validate(charter(rules=rules), land(bad))
    assert not validated.drafted
    assert refused(validated) == {
        3: ["carrier is missing", "distance is not between 1 and 6,000"],
        17: ["id: an earlier row has the same"],
        120: ["carrier is not one of AA, DL, UA"],
        250: [r"tail does not match N\d+"],
        301: ["id: an earlier row has the same"],
        449: ["stops is not between 0 and 12"],
    }
    assert validated.table.rows + validated.quarantine.rows == ROWS
    assert verdict(validated, "validate.rows").message.startswith("6 of 450 rows (1.33%) broke")
    kept = [row for batch in lake.read(validated.table) for row in batch["id"].to_pylist()]
    expected = [id for row, id in enumerate(bad["id"]) if row not in refused(validated)]
    assert kept == expected


def test_a_refused_row_keeps_all_its_values() -> None:
    bad = columns()
    bad["distance"][210] = -1.0
    bad["gust"][210] = math.inf
    validated = validate(charter(), land(bad))
    (batch,) = refused_rows(validated.quarantine)
    record = json.loads(batch["record"][0].as_py())
    assert record["distance"] == -1.0
    assert record["at"] == "2026-01-09 18:00:00"
    assert record["tail"] == "N210"
    assert record["gust"] == "inf"


def test_a_key_of_several_columns_is_unique_across_batches() -> None:
    bad = columns()
    for name in ("at", "carrier", "tail"):
        bad[name][400] = bad[name][2]
    bad["tail"][401] = bad["tail"][2]  # only one of the three
    validated = validate(charter(key=["at", "carrier", "tail"]), land(bad))
    assert refused(validated) == {400: ["at, carrier, tail: an earlier row has the same"]}


def test_the_first_draft_asks_nothing_silly() -> None:
    draft(land(columns()))
    said = [
        (entry["kwargs"].get("column"), entry["type"], entry["meta"]["kind"])
        for entry in json.loads(location("toy").read_text())["expectations"]
    ]
    assert ("distance", "expect_column_values_to_be_between", "row") not in said  # the charter's
    assert ("gust", "expect_column_values_to_not_be_null", "row") not in said  # often missing
    assert ("late", "expect_column_values_to_not_be_null", "row") not in said  # split's matter
    assert ("id", "expect_column_values_to_be_between", "row") not in said  # a counter
    assert ("tail", "expect_column_values_to_be_in_set", "warning") not in said  # no category
    assert ("carrier", "expect_column_values_to_be_in_set", "warning") in said


def test_what_a_join_brought_may_be_missing_later() -> None:
    join = JoinReport(source="w", on=("at",), added=("stops",), unmatched=0, unmatched_share=0)
    draft(land(columns(), joins=(join,)))
    later = columns()
    later["stops"][5] = None
    validated = validate(charter(), land(later, joins=(join,)))
    assert validated.quarantine.rows == 0
    assert not verdict(validated, "validate.stops.not_be_null").passed


def test_few_rows_make_no_rule_that_throws_rows_out() -> None:
    few = {name: values[:60] for name, values in columns().items()}
    draft(land(few))
    kinds = {
        entry["meta"]["kind"] for entry in json.loads(location("toy").read_text())["expectations"]
    }
    assert kinds == {"table", "warning"}


def test_an_unseen_category_warns_and_costs_no_row() -> None:
    draft(land(columns()))
    new = columns()
    for row in range(40):
        new["carrier"][row * 11] = "NEW"
    validated = validate(charter(), land(new))
    assert validated.table.rows == ROWS
    warned = verdict(validated, "validate.carrier.be_in_set")
    assert warned.level == "warn"
    assert warned.message == (
        "carrier is not one of AA, DL, UA in 40 of 450 rows (8.89%): NEW (40)"
    )


def test_a_frozen_suite_is_used_as_it_stands_and_decides_the_fingerprint() -> None:
    ingested = land(columns())
    first = validate(charter(), ingested)
    edit(lambda suite: suite["expectations"].append(
        {"type": "expect_column_values_to_be_between",
         "kwargs": {"column": "distance", "min_value": 4900}, "meta": {"kind": "row"}}
    ))  # fmt: skip
    edited = location("toy").read_bytes()
    second = validate(charter(quarantine_share=1), ingested)
    assert location("toy").read_bytes() == edited
    assert not second.drafted
    near = sum(distance < 4900 for distance in columns()["distance"])
    assert second.quarantine.reasons == {"distance is not at least 4,900": near}
    assert second.table.fingerprint != first.table.fingerprint


def test_a_table_rule_of_the_suite_refuses_and_sees_all_batches() -> None:
    ingested = draft(land(columns()))
    mean = sum(columns()["distance"]) / ROWS
    rule = {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {"column": "distance", "min_value": mean + 1, "max_value": mean + 2},
        "meta": {"kind": "table"},
    }
    edit(lambda suite: suite["expectations"].append(rule))
    failed = verdict(validate(charter(), ingested), "validate.distance.mean_to_be_between")
    assert failed.stops
    assert failed.numbers["found"] == pytest.approx(mean)
    rule["kwargs"]["min_value"] = mean - 1  # type: ignore[index]
    edit(lambda suite: suite["expectations"].__setitem__(-1, rule))
    assert verdict(validate(charter(), ingested), "validate.distance.mean_to_be_between").passed


def test_a_table_rule_on_values_counts_mostly_over_the_whole_table() -> None:
    bad = columns()
    for row in range(30):
        bad["tail"][row] = "?"  # 15 % of the first batch, 6.7 % of all rows
    ingested = draft(land(bad))
    rule = {
        "type": "expect_column_values_to_match_regex",
        "kwargs": {"column": "tail", "regex": "^N", "mostly": 0.9},
        "meta": {"kind": "table"},
    }
    edit(lambda suite: suite["expectations"].append(rule))
    validated = validate(charter(), ingested)
    assert verdict(validated, "validate.tail.match_regex").passed
    assert validated.quarantine.rows == 0
    edit(lambda suite: suite["expectations"][-1]["kwargs"].update(mostly=0.95))
    assert verdict(validate(charter(), ingested), "validate.tail.match_regex").stops


def test_quantiles_are_judged_although_the_library_answers_with_a_numpy_bool() -> None:
    ingested = draft(land(columns()))
    ranges = {"quantiles": [0.5], "value_ranges": [[1, 6000]]}
    rule = {
        "type": "expect_column_quantile_values_to_be_between",
        "kwargs": {"column": "distance", "quantile_ranges": ranges},
    }
    edit(lambda suite: suite["expectations"].append(rule))
    name = "validate.distance.quantile_values_to_be_between"
    assert verdict(validate(charter(), ingested), name).passed


def test_a_rule_on_the_spread_sees_the_whole_table_and_says_what_it_stands_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = columns()
    values["distance"] = [float(row) for row in range(ROWS)]  # each batch has its own quantiles
    ingested = draft(land(values))
    ranges = {"quantiles": [0.5], "value_ranges": [[200, 250]]}
    rule = {
        "type": "expect_column_quantile_values_to_be_between",
        "kwargs": {"column": "distance", "quantile_ranges": ranges},
    }
    edit(lambda suite: suite["expectations"].append(rule))
    name = "validate.distance.quantile_values_to_be_between"
    asked = charter(rules=[])
    all_rows = verdict(validate(asked, ingested), name)
    assert all_rows.passed
    assert "(over all rows)" in all_rows.message
    monkeypatch.setattr(distribution, "SAMPLE_ROWS", 300)
    edit(
        lambda suite: suite["expectations"][-1]["kwargs"].update(quantile_ranges=ranges | {"x": 1})
    )
    validated = validate(asked, ingested)
    assert verdict(validated, name).passed
    assert "in a sample of 300 of 450 rows, seed " in verdict(validated, name).message
    assert "in a sample of 300 of 450 rows" in place(validated.docs).read_text()
    schema = lake.dataset(ingested.table).schema
    drawn = distribution.sample(ingested.table, schema, schema.names)
    assert drawn.num_rows == len(set(drawn["id"].to_pylist())) == 300
    assert drawn.equals(distribution.sample(ingested.table, schema, schema.names))


def test_which_values_there_are_is_asked_of_all_rows() -> None:
    values = columns()
    values["carrier"] = ["AA"] * (ROWS - 1) + ["DL"]  # the first batches hold one of the two
    ingested = draft(land(values))
    rule = {
        "type": "expect_column_distinct_values_to_contain_set",
        "kwargs": {"column": "carrier", "value_set": ["AA", "DL"]},
    }
    edit(lambda suite: suite["expectations"].append(rule))
    name = "validate.carrier.distinct_values_to_contain_set"
    assert verdict(validate(charter(), ingested), name).passed
    edit(lambda suite: suite["expectations"][-1]["kwargs"].update(value_set=["AA", "DL", "UA"]))
    assert verdict(validate(charter(), ingested), name).stops


def test_a_number_over_rows_that_meet_a_condition_counts_only_those() -> None:
    values = columns()
    values["distance"] = [100.0 if row % 2 else 3000.0 for row in range(ROWS)]
    ingested = draft(land(values))
    rule = {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {
            "column": "distance", "min_value": 2999, "max_value": 3001,
            "row_condition": {
                "type": "comparison", "column": {"name": "distance"}, "operator": ">",
                "parameter": 200,
            },
        },
    }  # fmt: skip
    edit(lambda suite: suite["expectations"].append(rule))
    name = "validate.distance.mean_to_be_between"
    assert verdict(validate(charter(), ingested), name).passed


@pytest.mark.slow
def test_judges_of_their_own_find_what_this_process_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft(land(columns()))
    bad = columns()
    for row in (3, 199, 200, 401):
        bad["distance"][row] = -1.0
    bad["id"][449] = 0
    ingested = land(bad)
    alone = validate(charter(), ingested)
    for folder in ("table", "quarantine", "validated"):
        shutil.rmtree(place(f"tables/toy/{folder}"))
    monkeypatch.setattr(panel, "PANEL_ROWS", 1)
    together = validate(charter(), ingested)
    assert together.verdicts == alone.verdicts
    assert refused(together) == {
        **{row: ["distance is not between 1 and 6,000"] for row in (3, 199, 200, 401)},
        449: ["id: an earlier row has the same"],
    }
    kept = pa.Table.from_batches(lake.read(together.table), SCHEMA)
    rows = pa.table(bad, schema=SCHEMA)
    assert kept.equals(rows.take([at for at in range(ROWS) if at not in refused(together)]))


def test_too_many_rows_in_quarantine_fail_with_those_that_never_landed() -> None:
    bad = columns()
    for row in range(5):
        bad["distance"][row] = 0.0
    told = charter(quarantine_share=0.02)
    passed = verdict(validate(told, land(bad)), "charter.data.quarantine_share")
    assert passed.passed
    assert passed.numbers["share"] == pytest.approx(5 / 450)
    validated = validate(told, land(bad, refused=10))
    failed = verdict(validated, "charter.data.quarantine_share")
    assert failed.stops
    assert failed.message == "15 of 460 rows are in quarantine (3.26%, allowed 2.00%)"
    with pytest.raises(Refusal, match="quarantine_share: 15 of 460 rows"):
        gate("validate", validated.verdicts, "Look.")


def test_no_row_left_fails_whatever_the_charter_allows() -> None:
    bad = columns() | {"distance": [0.0] * ROWS}
    validated = validate(charter(quarantine_share=1), land(bad))
    assert validated.table.rows == 0
    assert verdict(validated, "charter.data.quarantine_share").message.endswith("no row is left")


def test_a_missing_column_is_refused_in_words() -> None:
    draft(land(columns()))
    values = columns()
    del values["stops"]
    gone = pa.schema([field for field in SCHEMA if field.name != "stops"])
    with pytest.raises(Refusal, match="stops is missing") as refusal:
        validate(charter(), land(values, gone))
    assert "Repair the source" in refusal.value.remedy


def test_a_retyped_column_is_refused_and_a_harmless_type_is_cast() -> None:
    draft(land(columns()))
    values = columns() | {"stops": [str(stops) for stops in columns()["stops"]]}
    texts = SCHEMA.set(SCHEMA.get_field_index("stops"), pa.field("stops", pa.string()))
    with pytest.raises(Refusal, match="stops holds string, not int64"):
        validate(charter(), land(values, texts))
    values = columns() | {
        "distance": [100 + row for row in range(ROWS)], "gust": [None] * ROWS
    }  # fmt: skip
    whole = pa.schema(SCHEMA)
    for name, kind in (("distance", pa.int64()), ("gust", pa.string())):
        whole = whole.set(whole.get_field_index(name), pa.field(name, kind))
    validated = validate(charter(), land(values, whole))
    assert lake.dataset(validated.table).schema.equals(SCHEMA)


def test_a_new_column_warns() -> None:
    draft(land(columns()))
    values = columns() | {"extra": [1] * ROWS}
    validated = validate(charter(), land(values, SCHEMA.append(pa.field("extra", pa.int64()))))
    assert verdict(validated, "validate.columns").message.endswith(
        "not in the suite: extra (`perennial accept configs/toy.yaml` adds what is new)"
    )
    assert validated.table.rows == ROWS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"expectations": [', "line 1, column 19"),
        ("[]", "the file is a list"),
        ('{"name": "toy"}', "no list of expectations"),
        ('{"expectations": [{"kwargs": {}}]}', r"expectations\[0\] has no type"),
        (
            '{"expectations": [{"type": "expect_x", "meta": {"kind": "rwo"}}]}',
            r"expectations\[0\].meta.kind is 'rwo'.*did you mean row",
        ),
        (
            '{"expectations": [{"type": "expect_column_values_to_be_betwen", "kwargs": {}}]}',
            "no expectation expect_column_values_to_be_betwen.*such as expect_column_values_to_be",
        ),
        (
            '{"expectations": [{"type": "expect_column_values_to_be_between",'
            ' "kwargs": {"column": "stops", "max": 3}}]}',
            "max extra fields not permitted",
        ),
        (
            '{"expectations": [{"type": "expect_column_values_to_not_be_null",'
            ' "kwargs": {"column": "stop"}}]}',
            "no column stop.*Did you mean stops",
        ),
        (
            '{"expectations": [{"type": "expect_column_values_to_be_between",'
            ' "kwargs": {"column": "carrier", "max_value": 3}}]}',
            "cannot be judged",
        ),
        (
            '{"expectations": [{"type": "expect_column_most_common_value_to_be_in_set",'
            ' "kwargs": {"column": "carrier", "value_set": ["AA"]}, "meta": {"kind": "row"}}]}',
            "says nothing about single rows.*Set its meta.kind to table",
        ),
    ],
)
def test_a_suite_that_cannot_be_used_is_refused_naming_file_and_place(
    text: str, found: str
) -> None:
    location("toy").parent.mkdir(parents=True)
    location("toy").write_text(text)
    with pytest.raises(Refusal, match=found) as refusal:
        validate(charter(), land(columns()))
    assert str(location("toy")) in refusal.value.where
    assert re.search("^(Correct|Set|Did)", refusal.value.remedy)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"column": "distnce", "not_null": True}, r"rules\[0\].*distnce.*Did you mean distance"),
        ({"column": "carrier", "between": [1, 2]}, "carrier holds string.*one_of or matches"),
        ({"column": "stops", "matches": r"\d"}, "stops holds int64.*between or one_of"),
        ({"column": "carrier", "one_of": [1]}, "carrier holds string.*quotes make a text"),
        ({"column": "stops", "one_of": ["1"]}, "stops holds int64.*wanted numbers"),
    ],
)
def test_a_rule_that_does_not_fit_its_column_is_refused(rule: dict[str, Any], found: str) -> None:
    with pytest.raises(Refusal, match=found):
        validate(charter(rules=[rule]), land(columns()))


def test_the_page_shows_the_findings_and_asks_nobody_else_for_anything() -> None:
    bad = columns()
    bad["carrier"][9] = "<script>alert(1)</script>"
    rules = [{"column": "carrier", "one_of": ["AA", "DL", "UA"]}]
    validated = validate(charter(rules=rules), land(bad))
    page = place(validated.docs).read_text(encoding="utf-8")
    assert not re.search(r"https?://|//cdn|<script|<link|<img|@import|url\(", page)
    assert "values must belong to this set" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert re.search(r"In quarantine</dt><dd class=\"value\">1<", page)


def wide_rows() -> pa.RecordBatch:
    """Columns that keep their bounds, and some that break them in every way."""
    rng = np.random.default_rng(1)
    held = {f"n{at}": pa.array(rng.normal(size=60)) for at in range(6)}
    gaps = {"gaps": pa.array(rng.normal(size=60), mask=rng.random(60) < 0.2)}
    odd = {
        "nan": pa.array([math.nan, *[0.5] * 59], from_pandas=False),
        "far": pa.array([99.0, *[0.5] * 59]),
        "low": pa.array([-99, *[0] * 59]),
        "none": pa.nulls(60, pa.float64()),
        "word": pa.array(["a"] * 60),
    }
    return pa.RecordBatch.from_pydict(held | gaps | odd)


def test_what_plainly_holds_is_found_as_great_expectations_finds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = wide_rows()
    asked = [
        Expectation(type=type, kwargs={"column": name, **more}, kind="row", where="here")
        for name in rows.schema.names
        for type, more in ((FILLED, {}), (BETWEEN, {"min_value": -8, "max_value": 8}))
        if name != "word" or type == FILLED
    ]
    asked.append(Expectation(type=BETWEEN, kwargs={"column": "n0", "min_value": -8,
                             "strict_min": True}, kind="row", where="here"))  # fmt: skip
    judge = Judge(asked)
    wanted = judge.judge(rows)
    assert not dict(sieve.plain(asked, rows))
    monkeypatch.setattr(sieve, "MANY", 0)
    plain = dict(sieve.plain(asked, rows))
    assert {asked[at].columns[0] for at in plain} == {*rows.schema.names[:7], "far", "low", "nan"}
    assert len(plain) == 16
    for ours, theirs in zip(judge.judge(rows), wanted, strict=True):
        assert ours.positions is not None
        assert theirs.positions is not None
        assert ours.positions.tolist() == theirs.positions.tolist()
        told = (ours.success, ours.elements, ours.missing, ours.values, ours.observed)
        assert told == (
            theirs.success, theirs.elements, theirs.missing, theirs.values, theirs.observed,
        )  # fmt: skip


def test_a_wide_table_gets_the_same_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    ingested = land(columns())
    rules = charter_expectations(charter(), SCHEMA)
    whole = infer(charter(), ingested, rules)
    monkeypatch.setattr(inference, "WIDE", 3)
    monkeypatch.setattr(inference, "PART", 2)
    assert infer(charter(), ingested, rules) == whole
    assert len(whole.expectations) > 5


def test_the_page_of_many_expectations_says_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(docs, "MOST", 2)
    values = columns()
    values["distance"][3] = 7e6
    page = place(validate(charter(quarantine_share=1.0), land(values)).docs).read_text()
    assert "expectations are left out here" in page
    assert 'id="distance-heading"' in page
    assert 'id="stops-heading"' not in page
