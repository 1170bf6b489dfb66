"""Rows and values that stand out: far values, codes, pauses, repeats, twins, and telling gaps."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.exploration.custody import custody
from tasks.exploration.findings import findings
from tasks.exploration.relations import _area
from tasks.exploration.report import report
from tasks.exploration.store import opened
from tasks.explore import Profile, explore
from tasks.judgement import gates
from tasks.split import load_training, open_holdout, split
from tests.tasks.explored import charter, land, look

ROWS = 2_000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def text_of(root: Path, profile: Profile) -> str:
    return (root / profile.page).read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")


# --- far values


def test_far_values_are_counted_and_codes_are_suspected(root: Path, rng: Any) -> None:
    age = rng.normal(40, 10, ROWS)
    age[:30] = -999
    spiked = rng.normal(0, 1, ROWS)
    spiked[3] = 50.0
    columns = {
        "age": age,
        "spiked": spiked,
        "tail": rng.lognormal(0, 1.5, ROWS),
        "calm": rng.uniform(size=ROWS),
        "mostly_none": np.where(rng.random(ROWS) < 0.1, rng.normal(size=ROWS), 0.0),
        "y": rng.random(ROWS) < 0.5,
    }
    found = {far.column: far for far in look(charter(), columns).outliers}
    assert list(found) == ["age", "spiked", "tail"]
    first, third = np.quantile(age, [0.25, 0.75])
    assert found["age"].low_fence == pytest.approx(first - 3 * (third - first))
    assert (found["age"].below, found["age"].above) == (30, 0)
    assert (found["age"].code, found["age"].code_rows) == (-999, 30)
    assert (found["spiked"].above, found["spiked"].highest, found["spiked"].code) == (1, 50.0, None)
    assert found["tail"].tail
    assert not found["spiked"].tail


def test_a_far_value_near_others_is_no_code(root: Path, rng: Any) -> None:
    # Flights from New York to Honolulu: far, all alike, and true.
    distance = np.concatenate([rng.normal(1000, 400, ROWS), [4983.0] * 20, [4963.0] * 20])
    found = look(charter(), {"distance": distance, "y": rng.random(ROWS + 40) < 0.5}).outliers
    assert [(far.column, far.above, far.code) for far in found] == [("distance", 40, None)]


def test_a_code_is_told_first_and_with_its_remedy(root: Path, rng: Any) -> None:
    age = np.where(np.arange(ROWS) % 40 == 0, 999.0, rng.normal(40, 10, ROWS))
    page = text_of(root, explore(charter(), land({"age": age, "y": rng.random(ROWS) < 0.5})))
    assert re.search(r"<strong>age is 999 in \d\d rows</strong>", page)
    assert "is 999 a code for a missing value?" in page
    assert "data.source.missing" in page


def test_far_values_of_a_sample_are_counted_over_all_rows(root: Path, rng: Any) -> None:
    from tasks.exploration.columns import contents
    from tasks.exploration.outliers import outliers

    x = rng.normal(size=ROWS)
    x[::100] = 90.0
    said = charter()
    table = land({"x": x, "n": np.arange(ROWS), "y": rng.random(ROWS) < 0.5})
    _, held = custody(said, table)
    with opened(table, 1, held, most=300) as store:
        (far,) = outliers(store, list(contents(said, store)))
        assert store.rows == 300
    assert far.above == (x[~held] > 50).sum()
    assert far.filled == (~held).sum()


# --- time


def test_nights_are_usual_and_a_lost_day_is_a_pause(root: Path) -> None:
    start = datetime(2024, 3, 1, 6)
    days = [day for day in range(60) if day != 41]
    at = [start + timedelta(days=day, hours=hour) for day in days for hour in range(17)]
    columns = {"at": at, "y": [step % 2 == 0 for step in range(len(at))]}
    found = look(charter(data={"time": "at"}), columns).pauses
    assert found is not None
    assert found.usual == 8 * 3600
    (pause,) = found.longest
    assert pause.seconds == 32 * 3600
    assert datetime.fromtimestamp(pause.start).date() == datetime(2024, 4, 10).date()


@pytest.mark.parametrize("rows", [200, 5_000])
def test_chance_makes_no_pause(root: Path, rng: Any, rows: int) -> None:
    waits = rng.exponential(3600, rows)
    at = [datetime(2024, 1, 1) + timedelta(seconds=float(s)) for s in np.cumsum(waits)]
    found = look(charter(data={"time": "at"}), {"at": at, "y": rng.random(rows) < 0.5}).pauses
    assert found is not None
    assert found.longest == ()


# --- repeats and twins


def copied(rng: Any, copies: int) -> dict[str, Any]:
    """Rows of which the last ones are copies of the first: in other letters, a hair off, later."""
    size = np.round(rng.normal(100, 20, ROWS), 4)
    town = np.array([f"Town {at % 50}" for at in range(ROWS)])
    size[-copies:] = size[:copies] + 1e-4
    town[-copies:] = [name.upper() + " " for name in town[:copies]]
    return {
        "code": [f"r{at:06d}" for at in range(ROWS)],
        "at": [datetime(2024, 1, 1) + timedelta(minutes=at) for at in range(ROWS)],
        "size": size,
        "town": town,
        "y": rng.random(ROWS) < 0.4,
    }


def test_twins_differ_in_nothing_that_a_model_sees(root: Path, rng: Any) -> None:
    columns = copied(rng, 200)
    # The last 200 minutes are held out: 3 hours and 20 minutes, and 3 hours in whole ones.
    said = charter(data={"time": "at"}, evaluation={"split": {"by": "time", "holdout": "3h"}})
    profile = explore(said, land(columns))
    assert profile.held == (ROWS - 1) % 60 + 1 + 120
    assert profile.shared == pytest.approx(profile.held, abs=6)  # a copy may cross the grid
    assert profile.shared > 0
    twins = explore_numbers(root, profile)["twins"]
    assert twins["inputs"] == ["size", "town"]
    assert twins["repeats"] == 0
    page = text_of(root, profile)
    assert "have a twin among the training rows" in page
    assert "by: group" in page


def explore_numbers(root: Path, profile: Profile) -> Any:
    return json.loads((root / profile.numbers).read_text("utf-8"))


def test_rows_without_twins_are_not_called_twins(root: Path, rng: Any) -> None:
    columns = {**copied(rng, 1), "other": rng.normal(size=ROWS)}
    del columns["at"]
    profile = explore(charter(data={"key": ["code"]}), land(columns))
    assert profile.shared == 0
    assert "warn" not in text_of(root, profile).partition("<main")[2].partition("How columns")[0]


def test_repeats_are_counted_once_less_than_they_stand_there(root: Path) -> None:
    x = [*range(300), *range(100), *range(50)]
    found = look(charter(), {"x": x, "y": [value % 2 == 0 for value in x]}).twins
    assert (found.rows, found.repeats) == (450, 150)
    assert (found.kinds, found.alike, found.differing) == (300, 250, 0)


def test_twins_with_another_target_are_counted(root: Path) -> None:
    found = look(charter(), {"x": [1, 1, 2, 2, 3] * 40, "y": [0, 1, 1, 1, 0] * 40}).twins
    assert (found.alike, found.differing, found.kinds) == (200, 80, 3)


def test_the_count_of_shared_rows_is_that_of_both_sides(root: Path, rng: Any) -> None:
    columns = {
        "n": np.arange(ROWS),
        "a": rng.integers(0, 40, ROWS),
        "b": rng.integers(0, 40, ROWS),
        "y": pa.array(rng.random(ROWS) < 0.5, mask=rng.random(ROWS) < 0.1),
    }
    said = charter(data={"key": ["n"]})
    table = land(columns)
    profile = explore(said, table)
    made = split(said, table, profile)
    seen = {*zip(*inputs(load_training(made.training).table), strict=True)}
    judged = [*zip(*inputs(open_holdout(made.holdout, "test", "twins").table), strict=True)]
    assert made.shared == sum(pair in seen for pair in judged)
    assert 0 < made.shared < made.holdout.rows
    verdict = gates.apart(made.shared, made.holdout.rows)
    assert not verdict.passed
    assert not verdict.stops
    assert gates.apart(0, 100).passed


def inputs(table: pa.Table) -> tuple[list[int], list[int]]:
    return table["a"].to_pylist(), table["b"].to_pylist()


# --- gaps


def test_a_gap_that_tells_something_is_told_apart_from_chance(root: Path, rng: Any) -> None:
    y = rng.random(ROWS) < 0.3
    columns = {
        "tells": pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < np.where(y, 0.5, 0.2)),
        "silent": pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < 0.3),
        "y": y,
    }
    found = {told.column: told for told in look(charter(), columns).telling}
    gone = np.asarray(columns["tells"].is_null())
    assert found["tells"].clear
    assert found["tells"].missing == pytest.approx(y[gone].mean())
    assert found["tells"].present == pytest.approx(y[~gone].mean())
    assert found["tells"].low < found["tells"].difference < found["tells"].high
    assert not found["silent"].clear


def test_means_and_classes_are_compared_as_well(root: Path, rng: Any) -> None:
    mask = rng.random(ROWS) < 0.3
    number = 50 + 3 * mask + rng.normal(size=ROWS)
    x = pa.array(rng.normal(size=ROWS), mask=mask)
    (told,) = look(charter(), {"x": x, "y": number}).telling
    assert told.missing == pytest.approx(number[mask].mean())
    assert told.difference == pytest.approx(3, abs=0.2)
    assert told.clear
    named = np.where(mask & (rng.random(ROWS) < 0.6), "c", np.where(number > 50, "b", "a"))
    (told,) = look(charter(), {"x": x, "y": named}).telling
    assert (told.of, told.clear) == ("y = c", True)


def test_patterns_count_whole_rows(root: Path) -> None:
    columns = {
        "a": pa.array(range(100), mask=np.arange(100) < 30),
        "b": pa.array(range(100), mask=(np.arange(100) < 10) | (np.arange(100) >= 95)),
        "y": [at % 2 == 0 for at in range(100)],
    }
    found = [(pattern.columns, pattern.rows) for pattern in look(charter(), columns).patterns]
    assert found == [((), 65), (("a",), 20), (("a", "b"), 10), (("b",), 5)]


# --- rare classes and intervals


def test_a_rare_class_is_told_with_what_to_do(root: Path, rng: Any) -> None:
    columns = {"x": rng.normal(size=ROWS), "y": np.arange(ROWS) % 50 == 0}
    said = charter(evaluation={"metric": "accuracy"})
    page = text_of(root, explore(said, land(columns)))
    assert "true is rare: 32 rows, 2.0 %" in page
    assert "evaluation.metric to average_precision or balanced_accuracy" in page
    columns["y"] = np.arange(ROWS) % 3 == 0
    assert "is rare" not in text_of(root, explore(said, land(columns)))


def test_the_interval_of_an_area_is_delongs(rng: Any) -> None:
    score = rng.integers(0, 8, 300)
    up = rng.random(300) < 0.2 + 0.08 * score
    positives, negatives = np.bincount(score[up], minlength=8), np.bincount(score[~up], minlength=8)
    area, variance = _area(np.arange(8.0), positives.astype(float), negatives.astype(float))
    wins = (score[up][:, None] > score[~up]) + 0.5 * (score[up][:, None] == score[~up])
    assert area == pytest.approx(wins.mean())
    parts = [wins.mean(axis=axis) for axis in (1, 0)]
    assert variance == pytest.approx(sum(part.var(ddof=1) / len(part) for part in parts))


def test_strengths_have_intervals_that_hold_them(root: Path, rng: Any) -> None:
    y = rng.random(ROWS) < 0.3
    for target in (y, y + rng.normal(size=ROWS), np.where(y, "a", rng.choice(["b", "c"], ROWS))):
        columns = {"x": 2 * y + rng.normal(size=ROWS), "noise": rng.normal(size=ROWS), "y": target}
        found = {relation.column: relation for relation in look(charter(), columns).relations}
        assert 0 < found["x"].low < found["x"].strength < found["x"].high < 1
        assert found["noise"].low == 0.0


# --- samples


def test_a_sample_is_declared_on_the_page(root: Path, rng: Any) -> None:
    said = charter(data={"time": "at"}, evaluation={"split": {"by": "random"}})
    at = [datetime(2024, 1, 1) + timedelta(hours=step) for step in range(ROWS)]
    table = land({"at": at, "x": rng.normal(size=ROWS), "y": rng.random(ROWS) < 0.5})
    truth, held = custody(said, table)
    with opened(table, 1, held, most=400) as store:
        found = findings(said, store, truth)
    assert (found.rows, found.outside, found.twins.rows) == (400, ROWS - held.sum(), found.outside)
    page = report(said, table, found)
    assert f"drawn from {found.outside:,}" in page
    assert f"400 drawn with a fixed seed from the {found.outside:,} rows" in page
    assert "Rows of the sample per day" in page
    assert found.pauses is not None
    assert found.pauses.usual <= 4 * 3600  # of all rows; the sample would wait longer
