"""Exploration: its numbers against pandas and scipy, roles, the target, leaks and the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from charter import Charter, Refusal
from charter.load import load
from tasks import explore as stage
from tasks.exploration.associations import associations, correlation_ratio, cramers_v, ranks
from tasks.exploration.columns import contents
from tasks.exploration.custody import custody
from tasks.exploration.findings import Findings, findings
from tasks.exploration.relations import relations
from tasks.exploration.store import Store, opened
from tasks.exploration.suspects import mentioned, suspects
from tasks.exploration.target import read_target
from tasks.explore import Profile, explore
from tasks.lake import Table
from tasks.split import split
from tests.tasks.explored import charter, column, land, look

FLIGHTS = Path(__file__).parents[2] / "configs" / "flights.yaml"
LATER = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
ROWS = 600


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    group = rng.choice(["a", "b", "c"], ROWS, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "x": np.where(rng.random(ROWS) < 0.1, np.nan, x),
            "square": x**2 + 0.1 * rng.normal(size=ROWS),
            "count": rng.poisson(3, ROWS),
            "group": group,
            "other": np.where(rng.random(ROWS) < 0.7, group, "b"),
            "open": rng.random(ROWS) < 0.5,
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS), unit="h"),
            "code": [f"c{at:05d}" for at in range(ROWS)],
            "y": x + (group == "a") + rng.normal(size=ROWS) > 0.5,
        }
    )


@pytest.fixture
def table(root: Path, frame: pd.DataFrame) -> Table:
    del root
    return land(pa.Table.from_pandas(frame, preserve_index=False))


def test_numbers_are_those_of_pandas(table: Table, frame: pd.DataFrame) -> None:
    profile = explore(charter(), table)
    _, held = custody(charter(), table)
    frame = frame[~held]
    levels = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    for name in ("x", "square", "count"):
        column, known = profile.column(name), frame[name]
        expected = [known.min(), known.max(), known.mean(), known.std()]
        assert [column.low, column.high, column.mean, column.std] == pytest.approx(expected)
        assert column.quantiles == pytest.approx(known.quantile(levels).tolist())
        assert column.missing_share == pytest.approx(known.isna().mean())
        assert column.distinct == known.nunique()
    counts = frame["group"].value_counts()
    assert dict(profile.column("group").levels) == counts.to_dict()
    assert profile.column("at").low == frame["at"].min().timestamp()
    assert profile.column("open").mean == pytest.approx(frame["open"].mean())
    assert (profile.rows, profile.held) == (len(frame), held.sum())
    assert 0.15 * ROWS < profile.held < 0.25 * ROWS


def test_associations_are_those_of_scipy(table: Table, frame: pd.DataFrame) -> None:
    with opened(table, 1) as store:
        found = associations(store, list(contents(charter(), store)))
    pairs = {frozenset((pair.one, pair.other)): pair for pair in found.pairs}
    known = frame[["x", "square"]].dropna()
    pair = pairs[frozenset(("x", "square"))]
    assert pair.value == pytest.approx(stats.spearmanr(known["x"], known["square"]).statistic)
    assert pair.pearson == pytest.approx(stats.pearsonr(known["x"], known["square"]).statistic)
    cells = pd.crosstab(frame["group"], frame["other"]).to_numpy()
    assert pairs[frozenset(("group", "other"))].value == pytest.approx(bergsma(cells))
    groups = [part["square"].to_numpy() for _, part in frame.groupby("group")]
    assert pairs[frozenset(("group", "square"))].value == pytest.approx(epsilon(groups))
    assert not any("code" in pair for pair in pairs)


def bergsma(cells: np.ndarray) -> float:
    """Bias-corrected V by way of scipy's chi squared."""
    n, (r, k) = cells.sum(), cells.shape
    phi = stats.chi2_contingency(cells, correction=False).statistic / n
    phi = max(0.0, phi - (k - 1) * (r - 1) / (n - 1))
    return float(np.sqrt(phi / (min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1)))


def epsilon(groups: list[np.ndarray]) -> float:
    """The root of epsilon squared by way of the F statistic."""
    f = stats.f_oneway(*groups).statistic
    n, k = sum(map(len, groups)), len(groups)
    return float(np.sqrt(max(0.0, f - 1) * (k - 1) / (f * (k - 1) + n - k)))


def test_measures_of_nothing_are_none() -> None:
    one = np.array([0, 0])
    assert cramers_v(one, np.array([0, 1]), np.array([3, 4])) is None
    assert correlation_ratio(np.array([1.0]), np.array([2.0]), np.array([4.0])) is None
    assert ranks(np.array([5.0, 1.0, 5.0])).tolist() == [2.5, 1.0, 2.5]


def test_missing_rows_together_are_counted(root: Path) -> None:
    gap = [None if at < 30 else float(at) for at in range(100)]
    half = [None if at < 15 else float(at) for at in range(100)]
    found = look(charter(), {"a": gap, "b": gap, "c": half, "y": [at % 2 for at in range(100)]})
    overlap = {(o.one, o.other): (o.rows, o.jaccard) for o in found.overlaps}
    assert overlap[("a", "b")] == (30, 1.0)
    assert overlap[("a", "c")] == (15, 0.5)


# --- roles


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("size", [at % 7 for at in range(100)], "number"),
        ("price", [at * 1.5 for at in range(100)], "number"),
        ("row", list(range(100)), "identifier"),
        ("order_id", [at * 13 for at in range(100)], "identifier"),
        ("paid", [at * 13 for at in range(100)], "number"),
        ("town", ["north", "south"] * 50, "category"),
        ("plate", [f"AB {at}" for at in range(100)], "identifier"),
        ("remark", [f"the parcel came {at} days late again" for at in range(100)], "text"),
        ("sure", [True, False] * 50, "flag"),
        ("at", [datetime(2024, 1, 1) + timedelta(days=at) for at in range(100)], "time"),
        ("empty", pa.nulls(100, pa.string()), "category"),
    ],
)
def test_roles_are_read_off_the_values(root: Path, name: str, values: Any, role: str) -> None:
    assert column(look(charter(), {name: values, "y": [0, 1] * 50}), name).role == role


def test_a_declared_role_wins_and_gives_levels(root: Path) -> None:
    columns = {"flight": [at % 7 for at in range(100)], "y": [0, 1] * 50}
    said = charter(data={"columns": {"flight": {"role": "category"}}})
    flight = column(look(said, columns), "flight")
    assert (flight.field.kind, flight.role) == ("number", "category")
    assert flight.levels[0] == ("0", 15)


def test_a_role_that_the_values_cannot_have_is_refused(root: Path) -> None:
    said = charter(data={"columns": {"town": {"role": "number"}}})
    with pytest.raises(Refusal, match="Take the role out"):
        look(said, {"town": ["n", "s"] * 50, "y": [0, 1] * 50})


def test_names_may_be_anything(root: Path) -> None:
    names = ['a "b"', "truth", "fold", "rowid", "c0", "select"]
    found = look(charter(), {**{name: list(range(40)) for name in names}, "y": [0, 1] * 20})
    assert [column.name for column in found.columns] == [*names, "y"]


def test_nan_and_infinity_count_as_missing(root: Path) -> None:
    values = [float("nan"), float("inf"), *map(float, range(38))]
    x = column(look(charter(), {"x": values, "y": [0, 1] * 20}), "x")
    assert (x.missing, x.high) == (2, 37.0)


def test_numbers_too_large_for_a_deviation_have_none(root: Path) -> None:
    values = [1e200 * at for at in range(40)]
    x = column(look(charter(), {"x": values, "z": values, "y": [0, 1] * 20}), "x")
    assert x.std is None
    assert x.high == 39e200


# --- the target


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([True, False, False], "binary", ("false", "true")),
        (["yes", "no", "no"], "binary", ("no", "yes")),
        ([1, 0, 0], "binary", ("0", "1")),
        ([2.0, 1.0, 1.0], "binary", ("1", "2")),
        ([-1, 1, 1], "binary", ("-1", "1")),
        (["t", "f", "t"], "binary", ("f", "t")),
        (["red", "blue", "blue"], "binary", ("blue", "red")),
        (["c", "a", "b"], "multiclass", ("a", "b", "c")),
        ([2, 0, 1], "multiclass", ("0", "1", "2")),
        ([20, 10, 30], "regression", ()),
        ([0.5, 1.5, 2.5], "regression", ()),
        (list(range(12)), "regression", ()),
    ],
)
def test_the_task_is_read_off_the_target(
    root: Path, values: list[Any], task: str, classes: tuple[str, ...]
) -> None:
    profile = explore(charter(), land({"x": list(range(120)), "y": (values * 120)[:120]}))
    assert (profile.task, profile.classes) == (task, classes)


def test_the_charter_overrules_the_reading_of_the_target(root: Path) -> None:
    columns = {"x": list(range(120)), "y": [0, 1, 2] * 40}
    table = land(columns)
    assert explore(charter({"column": "y", "task": "regression"}), table).task == "regression"
    said = charter({"column": "y"}, data={"columns": {"y": {"role": "category"}}})
    assert explore(said, table).task == "multiclass"


@pytest.mark.parametrize(("said", "positive"), [("red", "red"), ("blue", "blue"), (None, "red")])
def test_the_positive_class_stands_second(root: Path, said: str | None, positive: str) -> None:
    table = land({"x": list(range(120)), "y": ["red", "blue", "blue"] * 40})
    assert explore(charter({"column": "y", "positive": said}), table).classes[1] == positive


def test_yes_of_yaml_finds_yes_of_the_data(root: Path) -> None:
    table = land({"x": list(range(120)), "y": ["Yes", "No", "Yes"] * 40})
    assert explore(charter({"column": "y", "positive": True}), table).classes == ("No", "Yes")


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"yy": [0, 1] * 20}, {}, "Did you mean yy"),
    ({"y": [1] * 40}, {}, "at least two different values"),
    ({"y": pa.nulls(40, pa.bool_())}, {}, "wanted rows with a known truth"),
    ({"y": ["a", "b"] * 20}, {"target": {"column": "y", "positive": "c"}}, "wanted one of a, b"),
    ({"y": ["a", "b"] * 20}, {"target": {"column": "y", "task": "regression"}}, "Set task to auto"),
    ({"y": [1, 2, 3, 4] * 10}, {"target": {"column": "y", "task": "binary"}}, "Set task to multi"),
    ({"y": [1, 2] * 20}, {"target": {"column": "y", "task": "multiclass"}}, "Set task to binary"),
    ({"y": [datetime(2024, 1, 1 + at % 9) for at in range(40)]}, {}, "Derive a number"),
    ({"y": [0.5 * at for at in range(40)]}, {"cost": {"miss": 4}}, "wanted over or under"),
    ({"y": ["a", "b"] * 20}, {"cost": {"over": 1}}, "wanted false_alarm or miss"),
    ({"y": ["up", "on", "by", "at"] * 10}, {"cost": {"missed": {"upp": 3}}}, "Did you mean up"),
]


@pytest.mark.parametrize(("columns", "goal", "remedy"), REFUSED)
def test_a_target_that_cannot_be_learnt_is_refused(
    root: Path, columns: dict[str, Any], goal: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(Refusal, match=remedy):
        explore(charter(goal=goal), land({"x": list(range(40)), **columns}))


def test_too_many_classes_are_refused(root: Path) -> None:
    with pytest.raises(Refusal, match="Derive coarser classes"):
        explore(charter(), land({"y": [f"t{at % 101}" for at in range(400)]}))


def test_words_for_a_class_that_is_not_there_are_refused(root: Path) -> None:
    said = charter(experience={"say": {"tru": "late"}})
    with pytest.raises(Refusal, match="Did you mean true"):
        explore(said, land({"x": list(range(40)), "y": [True, False] * 20}))


def test_a_clause_about_a_column_that_is_not_there_is_refused(root: Path) -> None:
    said = charter(data={"known_later": ["delai"]})
    with pytest.raises(Refusal, match="Did you mean delay"):
        explore(said, land({"delay": list(range(40)), "y": [True, False] * 20}))


# --- relations and leaks


def strengths(of: Charter, columns: dict[str, Any]) -> dict[str, float]:
    with opened(land(columns), 1) as store:
        seen = list(contents(of, store))
        found = relations(store, read_target(of, store), seen)
        return {c.name: relation.strength for c, relation in found if relation is not None}


def test_strength_is_twice_the_auc_less_one(root: Path) -> None:
    rng = np.random.default_rng(1)
    y = rng.random(4000) < 0.3
    x = rng.normal(size=4000) + y
    found = strengths(charter(), {"x": x, "noise": rng.normal(size=4000), "y": y})
    u = stats.mannwhitneyu(x[y], x[~y]).statistic / (y.sum() * (~y).sum())
    assert found["x"] == pytest.approx(2 * u - 1, abs=0.03)
    assert found["noise"] < 0.1


def test_strength_of_groups_on_a_number_is_r_squared(root: Path) -> None:
    rng = np.random.default_rng(2)
    group = rng.integers(0, 4, 4000)
    y = 1000 + 2.0 * group + rng.normal(size=4000)
    names = np.array(["a", "b", "c", "d"])[group]
    found = strengths(charter(), {"group": names, "flip": rng.random(4000) < 0.5, "y": y})
    between = sum((group == g).sum() * (y[group == g].mean() - y.mean()) ** 2 for g in range(4))
    assert found["group"] == pytest.approx(between / ((y - y.mean()) ** 2).sum(), abs=0.01)
    assert found["flip"] < 0.01


def test_many_levels_do_not_look_informative(root: Path) -> None:
    rng = np.random.default_rng(3)
    columns = {
        "unique": [f"id{at}" for at in range(3000)],
        "pairs": [f"p{at // 2}" for at in rng.permutation(3000)],
        "y": rng.random(3000) < 0.5,
        "constant": ["same"] * 3000,
    }
    found = strengths(charter(), columns)
    assert found["unique"] == 0.0
    assert found["pairs"] < 0.06
    assert "constant" not in found


def test_a_missing_value_tells_too(root: Path) -> None:
    y = [at % 2 == 0 for at in range(400)]
    x = [None if late else float(at % 9) for at, late in enumerate(y)]
    assert strengths(charter(), {"x": x, "y": y})["x"] == pytest.approx(1.0)


def leaky(rows: int = 1000) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    y = rng.random(rows) < 0.4
    honest = rng.normal(size=rows) + 0.5 * y
    return {"honest": honest, "copy": np.where(y, "paid", "open"), "y": y}


def suspected(of: Charter, columns: dict[str, Any]) -> dict[str, str]:
    return {s.column: s.evidence for s in explore(of, land(columns)).suspects}


def test_a_copy_of_the_target_is_suspected(root: Path) -> None:
    found = suspected(charter(), leaky())
    assert list(found) == ["copy"]
    assert "AUC of 1.000" in found["copy"]


@pytest.mark.parametrize("clause", ["known_later", "known_before"])
def test_a_declared_column_is_not_suspected(root: Path, clause: str) -> None:
    assert suspected(charter(data={clause: ["copy"]}), leaky()) == {}


def test_a_key_is_suspected_too(root: Path) -> None:
    y = [at >= 300 for at in range(600)]
    found = suspected(charter(data={"key": ["number"]}), {"number": list(range(600)), "y": y})
    assert "number" in found


def test_a_column_far_ahead_of_the_ordinary_ones_is_suspected(root: Path) -> None:
    rng = np.random.default_rng(5)
    y = rng.random(3000) < 0.5
    columns = {
        "ahead": 1.6 * y + rng.normal(size=3000),
        "plain": 0.1 * y + rng.normal(size=3000),
        "y": y,
    }
    assert list(suspected(charter(), columns)) == ["ahead"]
    columns["plain"] = 0.9 * y + rng.normal(size=3000)
    assert suspected(charter(), columns) == {}


def test_a_column_missing_with_the_target_is_suspected(root: Path) -> None:
    rng = np.random.default_rng(6)
    unknown = rng.random(1000) < 0.05
    columns = {
        "with_it": pa.array(rng.normal(size=1000), mask=unknown),
        "on_its_own": pa.array(rng.normal(size=1000), mask=rng.random(1000) < 0.05),
        "y": pa.array(rng.random(1000) < 0.5, mask=unknown),
    }
    assert list(suspected(charter(), columns)) == ["with_it"]


def test_columns_of_the_derivation_are_suspected(root: Path) -> None:
    target = {"column": "y", "derive": "\"The Delay\" > 15 AND kind <> 'honest'"}
    rng = np.random.default_rng(7)
    columns: dict[str, Any] = {
        name: rng.normal(size=200) for name in ("the delay", "kind", "honest")
    }
    columns["y"] = rng.random(200) < 0.5
    found = suspected(charter(target), columns)
    assert sorted(found) == ["kind", "the delay"]
    assert mentioned("a.b + \"C d\" - 'e'") == {"a", "b", "c d"}


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Charter, Findings]]:
    """Real flights of January with the weather, nothing declared as known later."""
    from tasks.ingest import ingest

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("flights")))
        said = load(FLIGHTS, ["data.until=2013-02-01"])
        table = ingest(said).table
        with opened(table, 2) as store:
            yield said, findings(without(said, LATER), store, read_target(said, store))


def without(of: Charter, forgotten: tuple[str, ...]) -> Charter:
    later = tuple(name for name in of.data.known_later if name not in forgotten)
    return of.model_copy(update={"data": of.data.model_copy(update={"known_later": later})})


@pytest.mark.parametrize("forgotten", [*((name,) for name in LATER), LATER, ()])
def test_each_forgotten_column_of_the_flights_is_caught(
    flights: tuple[Charter, Findings], forgotten: tuple[str, ...]
) -> None:
    said, found = flights
    evidence = suspects(without(said, forgotten), found.truth, found.relations, found.overlaps)
    assert {suspect.column for suspect in evidence} == set(forgotten)


# --- the holdout, and samples


def test_what_stands_in_the_holdout_changes_nothing_that_is_seen(
    root: Path, frame: pd.DataFrame
) -> None:
    said = charter(data={"time": "at"}, evaluation={"split": {"by": "time", "holdout": "5d"}})
    first = explore(said, land(pa.Table.from_pandas(frame, preserve_index=False)))
    before = seen(root, first)
    late = frame["at"] >= frame["at"].max().normalize() - pd.Timedelta(days=4)
    frame.loc[late, ["x", "square", "count"]] = [None, 1e6, -1]
    frame.loc[late, "group"] = "never seen"
    frame.loc[late, "y"] = ~frame.loc[late, "y"]
    other = explore(said, land(pa.Table.from_pandas(frame, preserve_index=False)))
    assert other.fingerprint != first.fingerprint
    assert other.held == late.sum()
    assert seen(root, other) == before
    assert not any("never seen" in text for text in seen(root, other))


def seen(root: Path, profile: Profile) -> tuple[str, str]:
    """The page without its footer, and the numbers without the fingerprint."""
    page = (root / profile.page).read_text().partition("<footer>")[0]
    numbers = json.loads((root / profile.numbers).read_text())
    del numbers["profile"]["fingerprint"]
    return page, json.dumps(numbers)


def test_unlabelled_rows_of_the_held_out_days_are_not_seen_either(root: Path) -> None:
    at = [datetime(2024, 1, 1) + timedelta(hours=3 * step) for step in range(300)]
    columns = {"at": at, "y": pa.array([step % 3 == 0 for step in range(300)]), "x": at}
    columns["y"] = pa.array([None if step > 290 else step % 3 == 0 for step in range(300)])
    said = charter(data={"time": "at"}, evaluation={"split": {"by": "time", "holdout": "5d"}})
    high = explore(said, land(columns)).column("x").high
    assert high is not None
    assert datetime.fromtimestamp(high, UTC).date().isoformat() == "2024-02-01"


def test_the_holdout_of_the_profile_is_that_of_the_split(table: Table) -> None:
    for rule in ({"by": "random"}, {"by": "group", "column": "group", "holdout": 0.3}):
        said = charter(evaluation={"split": rule})
        profile = explore(said, table)
        made = split(said, table, profile)
        assert (made.training.rows, made.holdout.rows) == (profile.rows, profile.held)


def test_a_split_that_cannot_be_made_is_refused_before_anything_is_looked_at(table: Table) -> None:
    said = charter(data={"time": "at"}, evaluation={"split": {"by": "time", "holdout": "52w"}})
    with pytest.raises(Refusal, match="0 labelled rows for the training"):
        explore(said, table)


def test_a_sample_is_drawn_once_outside_of_the_holdout(table: Table, frame: pd.DataFrame) -> None:
    _, held = custody(charter(), table)
    drawn = []
    for _ in range(2):
        with opened(table, 1, held, most=100) as store:
            assert (store.rows, store.outside, store.complete) == (100, ROWS - held.sum(), False)
            drawn.append({code for (code,) in store.rows_of(f"SELECT {at_of(store)} FROM data")})
    assert drawn[0] == drawn[1]
    assert drawn[0] < set(frame["code"][~held])
    with opened(table, 1, held, most=ROWS) as store:
        assert store.complete


def at_of(store: Store) -> str:
    return store.field("code").at


# --- over time, the page, and doing it twice


def test_the_largest_change_is_dated(root: Path) -> None:
    rng = np.random.default_rng(8)
    at = [datetime(2024, 1, 1) + timedelta(hours=6 * step) for step in range(400)]
    after = np.arange(400) >= 200
    columns = {
        "at": at,
        "moved": rng.normal(size=400) + 2 * after,
        "still": rng.normal(size=400),
        "shop": np.where(after, "new", "old"),
        "y": rng.random(400) < 0.5,
    }
    found = look(charter(data={"time": "at"}), columns)
    assert found.courses is not None
    first, second = found.courses.columns[:2]
    assert (first.column, first.when, first.change) == ("shop", "2024-02-20", 1.0)
    assert (second.column, second.when) == ("moved", "2024-02-20")
    assert found.courses.columns[-1].column == "still"
    name, shares, _ = found.courses.target[0]
    daily = pd.Series(columns["y"]).groupby(pd.Series(at).dt.date).mean()
    assert name == "y = true"
    assert shares == pytest.approx(daily.tolist())


@pytest.mark.parametrize("hours", [1, 24, 24 * 40, 24 * 400])
def test_any_span_is_cut_into_periods(root: Path, hours: int) -> None:
    at = [datetime(1990, 1, 1) + timedelta(hours=hours * step) for step in range(30)]
    found = look(charter(data={"time": "at"}), {"at": at, "y": [0, 1] * 15})
    assert found.courses is not None
    assert 2 <= len(found.courses.periods) <= 130
    assert sum(found.courses.rows) == 30


def test_what_stands_in_the_data_is_shown_and_never_run(root: Path) -> None:
    evil = "<script>alert('x')</script>"
    rng = np.random.default_rng(9)
    y = rng.random(300) < 0.5
    columns = {
        evil: np.where(y, evil, "o'neill\"&"),
        "gap": pa.array(np.arange(300.0), mask=rng.random(300) < 0.2),
        "at": [datetime(2024, 1, 1) + timedelta(days=step) for step in range(300)],
        "y": pa.array(y, mask=rng.random(300) < 0.1),
    }
    profile = explore(charter(data={"time": "at"}, name="small"), land(columns))
    page = (root / profile.page).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"https?://|src=|@import|url\(", page)
    assert profile.suspects[0].column == evil


@pytest.mark.parametrize(
    "target",
    [lambda x: x + 1, lambda x: np.where(x > 1, "a", np.where(x > 0, "b", "c"))],
    ids=["regression", "multiclass"],
)
def test_every_task_has_its_page(
    root: Path, frame: pd.DataFrame, target: Callable[[Any], Any]
) -> None:
    frame["y"] = target(frame["square"].to_numpy())
    profile = explore(
        charter(data={"time": "at"}), land(pa.Table.from_pandas(frame, preserve_index=False))
    )
    page = (root / profile.page).read_text()
    for heading in ("What to read first", "Suspected leaks", "Missing values", "Change over time"):
        assert f">{heading}</h2>" in page
    assert len(page) < 500_000
    assert "nan" not in page.lower().replace("nancy", "")


def test_the_file_holds_what_the_page_shows(table: Table, root: Path) -> None:
    profile = explore(charter(), table)
    held = json.loads((root / profile.numbers).read_text())
    assert Profile.model_validate(held["profile"]) == profile
    assert held["target"]["classes"].keys() == {"false", "true"}
    assert {"columns", "relations", "missing_together", "associations"} <= held.keys()


def test_twice_is_once(table: Table, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = explore(charter(), table)
    monkeypatch.setattr(stage, "_look", lambda *_: pytest.fail("looked again"))
    assert explore(charter(), table) == first
    (root / first.page).unlink()
    with pytest.raises(pytest.fail.Exception, match="looked again"):
        explore(charter(), table)


def test_other_clauses_make_another_profile(table: Table) -> None:
    first = explore(charter(), table)
    other = explore(charter(data={"known_later": ["x"]}), table)
    assert first.fingerprint != other.fingerprint


def test_the_same_rows_give_the_same_numbers(table: Table, root: Path) -> None:
    first = explore(charter(), table)
    page = (root / first.page).read_text()
    (root / first.page).unlink()
    assert explore(charter(), table) == first
    assert (root / first.page).read_text() == page
