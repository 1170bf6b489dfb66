"""Raw columns to the estimator's matrix: the calendar, the roundings, both styles."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.signature import Input, Signature
from tasks.engineer import PcaTrial, Recipe
from tasks.models import family
from tasks.models.base import Style
from tasks.models.shelf import keep, take
from tasks.recipe.calendar import Calendar
from tasks.recipe.clock import parts
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tasks.recipe.preparation import preparation
from tasks.recipe.single import Single

STYLES: tuple[Style, ...] = ("tree", "scaled")


def recipe(pca: bool = False) -> Recipe:
    kinds: dict[str, Any] = {
        "weight": "number", "at": "time", "carrier": "text", "empty": "number", "fixed": "number",
        "urgent": "flag", "plane": "text", "lone": "text", "length": "number", "span": "number",
    }  # fmt: skip
    levels = {
        "carrier": ("AA", "B6", "UA"),
        "plane": tuple(f"N{i}" for i in range(90)),
        "lone": ("x",),
    }
    inputs = tuple(
        Input(name=name, kind=kind, levels=levels.get(name, ())) for name, kind in kinds.items()
    )
    trial = PcaTrial(columns=("weight", "length", "span"), components=2, kept=pca, explanation="")
    return Recipe(
        project="trips", fingerprint="f", page="p.html", categories=20, pca=trial,
        calendar=("at",), parts={"at": ("hour", "weekday")},
        signature=Signature(project="trips", target="late", task="binary", classes=("false", "true"), inputs=inputs),
    )  # fmt: skip


def table(rows: int = 300, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    some = random.random(rows) < 0.1
    moments = [datetime(2024, 2, 28, tzinfo=UTC).timestamp() + 3600 * i for i in range(rows)]
    return pa.table(
        {
            "late": pa.array(random.random(rows) < 0.3),
            "weight": pa.array(random.normal(50, 9, rows), mask=some),
            "at": pa.array([datetime.fromtimestamp(at, UTC) for at in moments]),
            "carrier": pa.array(random.choice(["AA", "B6", "UA"], rows), mask=some),
            "empty": pa.nulls(rows, pa.float64()),
            "fixed": pa.array([4] * rows),
            "urgent": pa.array(random.random(rows) < 0.5, mask=some),
            "plane": pa.array([f"N{i}" for i in random.integers(0, 90, rows)]),
            "lone": pa.array(["x"] * rows),
            "length": pa.array(random.normal(1, 1, rows)),
            "span": pa.array(random.integers(0, 99, rows)),
        }
    )


def hostile(X: pd.DataFrame) -> pd.DataFrame:
    """Rows of absurd numbers, of nothing at all, and of words that nobody saw."""
    rows = [
        {name: fill if X[name].dtype == float else word for name in X.columns}
        for fill, word in [
            (3.4e38, "AA "),
            (-3.4e38, "aa"),
            (np.nan, ""),
            (0.0, "ÅA\n"),
            (1e-300, "N1"),
        ]
    ]
    return pd.DataFrame(rows).astype(X.dtypes.to_dict())


def seconds(moments: pd.DatetimeIndex) -> np.ndarray:
    return moments.as_unit("s").astype("int64").to_numpy().astype(np.float64)


def test_the_calendar_is_that_of_pandas() -> None:
    moments = pd.date_range("1900-01-01", "2100-12-31 23:00", freq="5h", unit="s")
    found = Calendar().fit_transform(seconds(moments)[:, None])
    wanted: list[Any] = [
        moments.hour, moments.day_of_week, moments.day, moments.month,
        moments.day_of_year + moments.hour / 24,
    ]  # fmt: skip
    np.testing.assert_array_equal(found, np.column_stack(wanted))
    assert {(2000, 366), (1900, 365), (2100, 365), (2024, 366)} <= set(
        zip(moments.year, moments.day_of_year, strict=True)
    )


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
@settings(deadline=None)
def test_the_formulas_run_on_anything_that_adds_and_floors(moment: datetime) -> None:
    # Plain Python floats here, double nodes in the graph: the same lines.
    found = parts((moment - datetime(1970, 1, 1)).total_seconds(), lambda at: float(math.floor(at)))
    day = moment.timetuple()
    assert (found["month"], found["day"], found["weekday"]) == (
        day.tm_mon,
        day.tm_mday,
        day.tm_wday,
    )
    assert math.floor(found["yearday"]) == day.tm_yday
    assert 0 <= found["hour"] < 24
    assert math.isclose(
        found["hour"], day.tm_hour + day.tm_min / 60 + day.tm_sec / 3600, abs_tol=3e-4
    )


def test_a_missing_time_stays_missing() -> None:
    for cyclic in (False, True):
        found = Calendar(cyclic=cyclic).fit_transform(np.array([[np.nan], [0.0]]))
        assert np.isnan(found[0]).all()
        assert np.isfinite(found[1]).all()


def test_on_the_circle_midnight_is_close_to_both_sides() -> None:
    made = Calendar(parts=("hour",), cyclic=True).fit(pd.DataFrame({"at": [0.0]}))
    assert list(made.get_feature_names_out()) == ["at hour sine", "at hour cosine"]
    late, early, noon = made.transform(np.array([[86_399.0], [86_401.0], [43_200.0]]))
    assert np.linalg.norm(late - early) < 1e-3
    assert np.linalg.norm(noon - early) > 1.9


@given(hnp.arrays(np.float64, (4, 2), elements=st.floats(allow_nan=False, allow_infinity=False)))
@settings(deadline=None)
def test_single_gives_what_float32_holds(X: np.ndarray) -> None:
    found = Single().fit_transform(X)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, found.astype(np.float32))
    np.testing.assert_array_equal(found, Single().fit_transform(found))


def test_a_frame_has_the_signatures_columns_in_its_order() -> None:
    signature = recipe().signature
    chunked = pa.concat_tables([table(7), table(5, seed=1)])
    X = frame(signature, chunked.select(chunked.column_names[::-1]))
    assert list(X.columns) == [*signature.numbers, *signature.texts]
    assert X.shape == (12, 10)
    assert set(map(str, X.dtypes)) == {"float64", "str"}
    assert X["at"][0] == datetime(2024, 2, 28, tzinfo=UTC).timestamp()
    assert X["empty"].isna().all()
    assert X["carrier"].eq("").sum() == chunked["carrier"].null_count
    assert frame(signature, table(0)).shape == (0, 10)


@pytest.mark.parametrize("style", STYLES)
def test_whatever_comes_gives_finite_numbers_and_no_warning(style: Style) -> None:
    X = frame(recipe().signature, table())
    made = preparation(recipe(), style)
    fitted = made.fit_transform(X)
    strange = made.transform(hostile(X))
    assert np.isfinite(fitted).all()
    assert np.isfinite(strange).all()
    assert strange.shape[1] == fitted.shape[1] == len(made.get_feature_names_out())
    np.testing.assert_array_equal(fitted, fitted.astype(np.float32))
    np.testing.assert_array_equal(made.transform(X), fitted)


@pytest.mark.parametrize("style", STYLES)
def test_one_row_alone_is_prepared_as_among_others(style: Style) -> None:
    X = frame(recipe().signature, table())
    made = preparation(recipe(), style).fit(X)
    together = made.transform(X)
    for row in (0, 7, 299):
        np.testing.assert_array_equal(made.transform(X.iloc[[row]])[0], together[row])


@pytest.mark.parametrize("style", STYLES)
def test_nothing_but_the_fitted_rows_is_learnt(style: Style) -> None:
    X = frame(recipe().signature, table())
    made = preparation(recipe(), style).fit(X.iloc[:200])
    before = made.transform(X.iloc[:50])
    made.transform(hostile(X))
    np.testing.assert_array_equal(made.transform(X.iloc[:50]), before)
    later = X.copy()
    later.loc[200:, "weight"] = 1e6
    other = preparation(recipe(), style).fit(later.iloc[:200])
    np.testing.assert_array_equal(other.transform(X.iloc[:50]), before)


@pytest.mark.parametrize("style", STYLES)
def test_missing_numbers_are_filled_and_told(style: Style) -> None:
    X = frame(recipe().signature, table())
    made = preparation(recipe(), style).fit(X)
    names = list(made.get_feature_names_out())
    told = [name for name in names if "indicator" in name]
    assert [name.rsplit("_", 1)[1] for name in told] == ["weight", "empty", "urgent"]
    found = made.transform(X)[:, names.index(told[0])]
    np.testing.assert_array_equal(found, X["weight"].isna())
    gap = X.iloc[[0]].assign(weight=np.nan)
    filled = X.iloc[[0]].assign(weight=X["weight"].median())
    same = [i for i, name in enumerate(names) if "indicator" not in name]
    np.testing.assert_array_equal(made.transform(gap)[:, same], made.transform(filled)[:, same])


def test_few_levels_get_columns_and_many_are_numbered_for_trees() -> None:
    X = frame(recipe().signature, table())
    names = [str(name) for name in preparation(recipe(), "tree").fit(X).get_feature_names_out()]
    assert [name for name in names if "carrier" in name] == [
        "few__carrier_", "few__carrier_AA", "few__carrier_B6", "few__carrier_UA",
    ]  # fmt: skip
    assert sum("plane" in name for name in names) == 1
    made = preparation(recipe(), "scaled").fit(X)
    scaled = [str(name) for name in made.get_feature_names_out()]
    planes = [name for name in scaled if "plane" in name]
    assert 0 < len(planes) <= recipe().categories
    assert planes[-1].endswith("infrequent_sklearn")
    unseen = made.transform(X.iloc[[0]].assign(plane="never seen"))[0]
    assert unseen[scaled.index(planes[-1])] == 1


def test_components_stand_in_for_redundant_numbers_where_scaled() -> None:
    X = frame(recipe().signature, table())
    scaled = list(preparation(recipe(pca=True), "scaled").fit(X).get_feature_names_out())
    assert [name for name in scaled if "redundant" in name] == [
        "redundant__pca0",
        "redundant__pca1",
    ]
    assert not [name for name in scaled if name.startswith("numbers") and "weight" in name]
    tree = list(preparation(recipe(pca=True), "tree").fit(X).get_feature_names_out())
    assert "numbers__weight" in tree


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pca", [False, True])
def test_it_survives_the_shelf_bit_by_bit(style: Style, pca: bool, tmp_path: Path) -> None:
    X = frame(recipe().signature, table())
    made = preparation(recipe(pca), style).fit(X)
    keep(made, tmp_path / "preparation.skops")
    taken = take(tmp_path / "preparation.skops")
    np.testing.assert_array_equal(taken.transform(hostile(X)), made.transform(hostile(X)))
    again = preparation(recipe(pca), style).fit(X)
    np.testing.assert_array_equal(again.transform(X), made.transform(X))


def test_a_pipeline_prepares_in_its_familys_style() -> None:
    rows = table()
    X, late = frame(recipe().signature, rows), np.asarray(rows["late"]).astype(int)
    for name, shown in (("linear", "levels"), ("tree", "few")):
        made = pipeline(recipe(), family(name), "binary", family(name).start, seed=3)
        assert [step for step, _ in made.steps] == ["prepare", "model"]
        assert made.fit(X, late).predict_proba(X).shape == (300, 2)
        assert any(str(n).startswith(shown) for n in made[0].get_feature_names_out())
