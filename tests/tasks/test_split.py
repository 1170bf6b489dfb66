"""The holdout in custody, and folds by the same rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charter import Charter, Refusal
from serving.home import place
from tasks import lake
from tasks.explore import ColumnProfile, Profile
from tasks.lake import Table
from tasks.quarantine import refused_rows
from tasks.split import folds, load_training, looks, open_holdout, split
from tasks.splitting.assignment import _texts
from tasks.splitting.folding import forward, grouped, stratified
from tasks.splitting.labels import positions

START = datetime(2013, 1, 1)
N = 600


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))


def trips(rows: int = N) -> pa.Table:
    """One row every two hours, in no order, four at the same moment; every fifth is late."""
    mixed = np.random.default_rng(1).permutation(rows)
    return pa.table(
        {
            "id": pa.array(mixed),
            "at": pa.array([START + timedelta(hours=int(i) // 4 * 8) for i in mixed]),
            "plane": pa.array([f"N{i % 37}" for i in mixed]),
            "late": pa.array([bool(i % 5 == 0) for i in mixed]),
        }
    )


def landed(table: pa.Table, name: str = "trips") -> Table:
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=97))
    return lake.write(f"tables/{name}/table", name, reader, f"{name}-{table.num_rows}")


def charter(rule: dict[str, Any] | None, **data: Any) -> Charter:
    source = {"kind": "csv", "path": "trips.csv"}
    evaluation = {"split": rule} if rule else {}
    return Charter.model_validate(
        {
            "name": "trips",
            "goal": {"target": {"column": "late"}},
            "data": {"source": source, "time": "at", "key": ["id"], **data},
            "evaluation": evaluation,
        }
    )


def profile(task: str = "binary", classes: tuple[str, ...] = ("false", "true")) -> Profile:
    return Profile.model_validate(
        {
            "project": "trips", "fingerprint": "p", "rows": N, "task": task, "classes": classes,
            "columns": (ColumnProfile(name="late", kind="flag", role="flag", missing_share=0, distinct=2),),
            "page": "p.html", "numbers": "p.json",
        }
    )  # fmt: skip


RULES: list[dict[str, Any]] = [
    {"by": "time", "holdout": "14d"},
    {"by": "random", "holdout": 0.2},
    {"by": "group", "column": "plane", "holdout": 0.2},
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["by"]))
def test_every_row_stands_on_one_side(rule: dict[str, Any]) -> None:
    made = split(charter(rule), landed(trips()), profile())
    training = load_training(made.training)
    holdout = open_holdout(made.holdout, "test", "counting")
    ids = set(training.table["id"].to_pylist()), set(holdout.table["id"].to_pylist())
    assert not ids[0] & ids[1]
    assert ids[0] | ids[1] == set(range(N))
    assert (made.training.rows, made.holdout.rows) == (len(ids[0]), len(ids[1]))
    assert 0.1 < made.holdout.rows / N < 0.35
    for rows in (training, holdout):
        assert "late" not in rows.table.column_names
        assert rows.truth.tolist() == [int(i % 5 == 0) for i in rows.table["id"].to_pylist()]
    assert made.holdout.where not in made.training.model_dump_json()
    assert made.holdout.seal not in made.training.model_dump_json()


def test_by_time_holds_out_whole_last_days() -> None:
    made = split(charter(RULES[0]), landed(trips()), profile())
    training = load_training(made.training).table["at"].to_pylist()
    holdout = open_holdout(made.holdout, "test", "looking").table["at"].to_pylist()
    assert training == sorted(training)
    assert max(training) < min(holdout) == datetime(2013, 2, 6)
    assert made.rule == "by time: the last 14 days, from 2013-02-06"
    assert (made.training.time, made.training.group) == ("at", None)


def test_by_time_waits_for_labels_and_quarantines_what_has_no_time() -> None:
    table = trips()
    late = [
        None if at > START + timedelta(days=40) else value
        for at, value in zip(table["at"].to_pylist(), table["late"].to_pylist(), strict=True)
    ]
    at = [
        None if i == 8 else at
        for i, at in zip(*table.select(["id", "at"]).to_pydict().values(), strict=True)
    ]
    table = table.set_column(1, "at", pa.array(at)).set_column(3, "late", pa.array(late))
    made = split(charter(RULES[0]), landed(table), profile())
    assert made.rule.endswith("from 2013-01-28")  # 14 days before the last label, not the last row
    no_time = "at: no time, neither earlier nor later"
    unlabelled = sum(value is None for value in late)
    assert made.unlabelled.reasons == {"late: no label": unlabelled, no_time: 1}
    assert made.unlabelled.rows + made.training.rows + made.holdout.rows == N
    refused = pa.Table.from_batches(refused_rows(made.unlabelled)).to_pylist()
    row = next(row for row in refused if no_time in row["reasons"])
    assert table["id"][row["row"]].as_py() == 8
    assert '"id": 8' in row["record"]


def test_a_group_never_straddles() -> None:
    made = split(charter(RULES[2]), landed(trips()), profile())
    training = load_training(made.training)
    holdout = open_holdout(made.holdout, "test", "groups").table["plane"].to_pylist()
    assert not set(training.table["plane"].to_pylist()) & set(holdout)
    for fit, test in folds(charter(RULES[2]), made.training, training):
        planes = np.array(training.table["plane"].to_pylist())
        assert not set(planes[fit]) & set(planes[test])


def test_a_column_says_who_is_held_out_and_a_gap_is_trained_on() -> None:
    rule = {"by": "value", "column": "part", "holdout": "test"}
    parts = [("test", "train", None)[i % 3] for i in range(N)]
    table = trips().append_column("part", pa.array(parts))
    made = split(charter(rule), landed(table), profile())
    assert made.rule == "by value: the rows with part = test"
    held = open_holdout(made.holdout, "test", "parts").table["part"].to_pylist()
    assert held == ["test"] * (N // 3 + bool(N % 3))
    assert set(load_training(made.training).table["part"].to_pylist()) == {"train", None}
    nobody = {**rule, "holdout": "nobody"}
    with pytest.raises(Refusal, match="Name a value of part"):
        split(charter(nobody), landed(table, "others"), profile())


@pytest.mark.parametrize("said", [True, "true", 1, "1", 1.0])
def test_the_value_that_is_held_out_may_be_a_flag_or_a_number(said: bool | float | str) -> None:
    flag = str(said).lower() == "true"
    parts = pa.array([bool(i % 3 == 0) if flag else (1.0, 0.0, None)[i % 3] for i in range(N)])
    rule = {"by": "value", "column": "part", "holdout": said}
    made = split(charter(rule), landed(trips().append_column("part", parts)), profile())
    assert made.rule == f"by value: the rows with part = {'true' if flag else 1}"
    assert made.holdout.rows == N // 3


def test_at_random_hangs_on_the_key_and_not_on_the_place() -> None:
    table = trips()
    first = split(charter(RULES[1]), landed(table), profile())
    moved = table.take(pa.array(np.random.default_rng(2).permutation(N)))
    other = split(charter(RULES[1]), landed(moved, "moved"), profile())
    chosen = [
        set(open_holdout(made.holdout, "test", "ids").table["id"].to_pylist())
        for made in (first, other)
    ]
    assert chosen[0] == chosen[1]
    assert sum(i % 5 == 0 for i in chosen[0]) == 24  # a fifth of each class
    assert first.rule == "at random: 0.2 of the rows, stratified by class, seed 0"


def test_equal_rows_stay_together_at_random() -> None:
    table = pa.concat_tables([trips(), trips()])
    made = split(charter(RULES[1], key=()), landed(table), profile())
    training = set(load_training(made.training).table["id"].to_pylist())
    holdout = set(open_holdout(made.holdout, "test", "ids").table["id"].to_pylist())
    assert not training & holdout


def test_the_holdout_is_issued_once() -> None:
    table = landed(trips())
    first = split(charter(RULES[0]), table, profile())
    open_holdout(first.holdout, "evaluate", "study 1")
    before = place(first.holdout.where).stat().st_mtime_ns
    again = split(charter(RULES[0]), table, profile())
    assert again == first
    assert place(first.holdout.where).stat().st_mtime_ns == before
    turned = split(charter(RULES[0]), table, profile(classes=("true", "false")))
    assert turned.holdout.where == first.holdout.where, "another encoding is no new holdout"
    assert [look.why for look in looks(turned.holdout)] == ["study 1"]
    truth = load_training(first.training).truth + load_training(turned.training).truth
    assert set(truth) == {1}


def test_a_lost_file_is_issued_again_with_the_same_seal() -> None:
    table = landed(trips())
    first = split(charter(RULES[1]), table, profile())
    place(first.holdout.where).unlink()
    with pytest.raises(Refusal, match="same table gives the same rows"):
        open_holdout(first.holdout, "test", "gone")
    assert split(charter(RULES[1]), table, profile()) == first


def test_looks_are_written_down() -> None:
    made = split(charter(RULES[0]), landed(trips()), profile())
    assert looks(made.holdout) == ()
    open_holdout(made.holdout, "evaluate", "study 1")
    open_holdout(made.holdout, "package", "parity")
    assert [(look.by, look.why) for look in looks(made.holdout)] == [
        ("evaluate", "study 1"), ("package", "parity"),
    ]  # fmt: skip
    log = place(made.holdout.where).with_name("looks.jsonl")
    log.write_bytes(log.read_bytes() + b'{"at": "cut')  # killed while writing
    assert len(looks(made.holdout)) == 2


@pytest.mark.parametrize("side", ["training", "holdout"])
def test_a_changed_file_is_refused(side: str) -> None:
    table = landed(trips())
    made = split(charter(RULES[0]), table, profile())
    path = place(made.holdout.where).with_name(f"{side}.parquet")
    rows = pq.read_table(path)
    pq.write_table(rows.slice(1), path)
    with pytest.raises(Refusal, match=r"changed after it was sealed.*Put the file back"):
        split(charter(RULES[0]), table, profile())
    if side == "holdout":
        with pytest.raises(Refusal, match="Put the file back"):
            open_holdout(made.holdout, "test", "tampered")
        assert looks(made.holdout) == ()


def without(table: pa.Table, keep: Any) -> pa.Table:
    return table.filter(pa.array([bool(keep(i)) for i in table["id"].to_pylist()]))


def test_what_cannot_be_split_is_refused() -> None:
    table = trips()
    few = landed(table.slice(0, 40), "few")
    with pytest.raises(Refusal, match=r"found 40|found \d+ labelled rows.*or bring more rows"):
        split(charter(RULES[1]), few, profile())
    with pytest.raises(Refusal, match=r"0 labelled rows for the training.*Set a smaller"):
        split(charter({"by": "time", "holdout": "52w"}), landed(table), profile())
    late_class = landed(without(table, lambda i: i % 5 or i > 450), "late_class")
    with pytest.raises(Refusal, match=r"True in the holdout and in no training row.*by: random"):
        split(charter(RULES[0]), late_class, profile())
    early_class = landed(without(table, lambda i: i % 5 or i < 300), "early_class")
    with pytest.raises(Refusal, match=r"one class only among the holdout.*goal.target"):
        split(charter(RULES[0]), early_class, profile())
    with pytest.raises(Refusal, match=r"wanted dates or times.*role: time"):
        split(charter(RULES[0], time="plane"), landed(table), profile())
    with pytest.raises(Refusal, match=r"no column airline.*evaluation.split.column"):
        split(charter({"by": "group", "column": "airline"}), landed(table), profile())


def test_regression_keeps_numbers_and_drops_nan() -> None:
    values = [float("nan") if i == 3 else i / 2 for i in trips()["id"].to_pylist()]
    table = trips().set_column(3, "late", pa.array(values))
    made = split(charter(RULES[1]), landed(table), profile("regression", ()))
    rows = load_training(made.training)
    assert rows.truth.dtype == np.float64
    np.testing.assert_array_equal(rows.truth, np.asarray(rows.table["id"]) / 2)
    assert made.unlabelled.reasons == {"late: no label": 1}
    assert made.training.metric == "rmse"
    assert len(folds(charter(RULES[1]), made.training, rows)) == 4


def test_folds_follow_the_rule_of_the_holdout() -> None:
    made = split(charter(RULES[0]), landed(trips()), profile())
    rows = load_training(made.training)
    times = np.asarray(rows.table["at"])
    found = folds(charter(RULES[0]), made.training, rows)
    assert len(found) == 4
    for fit, test in found:
        assert times[fit].max() < times[test].min()
    assert sum(len(test) for _, test in found) + len(found[0][0]) == len(times)
    made = split(charter(RULES[1]), landed(trips()), profile())
    rows = load_training(made.training)
    tested = np.concatenate([test for _, test in folds(charter(RULES[1]), made.training, rows)])
    assert sorted(tested) == list(range(len(rows.truth)))


def test_no_possible_fold_is_refused() -> None:
    table = trips().set_column(1, "at", pa.array([START] * (N - 20) + [START + timedelta(20)] * 20))
    made = split(charter(RULES[0]), landed(table), profile())
    with pytest.raises(Refusal, match=r"no way to make 4 folds.*another evaluation.split"):
        folds(charter(RULES[0]), made.training, load_training(made.training))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=200), st.integers(2, 8))
@settings(deadline=None, max_examples=150)
def test_forward_folds_never_look_ahead(times: list[int], count: int) -> None:
    at = np.array(times, dtype=float)
    for fit, test in forward(at, count):
        assert at[fit].max() < at[test].min()
        later = np.setdiff1d(np.arange(len(at)), np.concatenate([fit, test]))
        assert not len(later) or at[test].max() < at[later].min()


@given(st.lists(st.integers(0, 5), min_size=4, max_size=200), st.integers(2, 8))
@settings(deadline=None, max_examples=100)
def test_other_folds_are_apart(values: list[int], count: int) -> None:
    codes = np.array(values)
    for fit, test in grouped(codes, count, 0):
        assert not set(codes[fit]) & set(codes[test])
    for fit, test in stratified(codes, len(codes), count, 0):
        assert not set(fit) & set(test)
        assert len(fit) + len(test) == len(codes)
        assert set(codes[test]) <= set(codes[fit])


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([True, False], ("false", "true")),
        ([1, 0], ("0", "1")),
        ([1.0, 0.0], ("0.0", "1.0")),
        ([1.0, 0.0], ("0", "1")),
        (["yes", "no"], ("no", "yes")),
    ],
)
def test_labels_are_found_as_they_are_written(values: list[Any], classes: tuple[str, str]) -> None:
    assert positions(pa.chunked_array([values]), classes).tolist() == [1, 0]
    with pytest.raises(ValueError, match="none of the classes"):
        positions(pa.chunked_array([values]), ("a", "b"))


def test_identities_are_the_texts_of_the_values() -> None:
    times = [START, None, START + timedelta(microseconds=1), START]
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.date32(), pa.float64()):
        values = [1.5, None, -0.0, 0.0] if kind == pa.float64() else times
        column = pa.array(values).cast(kind, safe=False)
        assert _texts(column).equals(column.cast(pa.string()))
