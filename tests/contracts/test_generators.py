"""What every generator of rows keeps, run for each member of the catalogue."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from charter.goal import Task
from charter.tuning import GeneratorName
from tasks.generators import CATALOGUE, generator
from tasks.generators.base import Generator, Sample, lacking
from tasks.recipe.inputs import frame
from tasks.splitting.labels import positions
from tests.tasks import material

CASES = [
    (one, task)
    for one in CATALOGUE
    for task in get_args(Task)
    if task != "regression" or one.name == "copula"
]


def real(task: Task, rows: int = 900, rare: float = 0.1) -> Sample:
    """Rows with gaps, flags, times and texts; few of the last class."""
    table, recipe = material.table(task, rows), material.recipe(task)
    inputs = frame(recipe.signature, table)
    if task == "regression":
        return Sample(inputs, table["answer"].to_numpy(), recipe.signature.inputs, task)
    truth = positions(table["answer"], material.CLASSES[task])
    last = np.flatnonzero(truth == truth.max())
    kept = np.setdiff1d(np.arange(rows), last[int(rare * rows) :])
    return Sample(
        inputs.iloc[kept].reset_index(drop=True), truth[kept], recipe.signature.inputs, task
    )


@pytest.mark.parametrize(("one", "task"), CASES, ids=lambda at: getattr(at, "name", at))
def test_generated_rows_are_of_the_same_kind(one: Generator, task: Task) -> None:
    known = real(task)
    before, truth = known.frame.copy(), known.truth.copy()
    assert one.hindrance(task, known.truth) == ""
    made = one.generate(known, seed=3)
    pd.testing.assert_frame_equal(known.frame, before)  # what it was given stays as it was
    assert (known.truth == truth).all()
    assert 0 < len(made.truth) <= len(known.truth)
    assert len(made.frame) == len(made.truth)
    assert list(made.frame.columns) == list(known.frame.columns)
    assert (made.frame.dtypes == known.frame.dtypes).all()
    assert made.truth.dtype == known.truth.dtype
    assert made.truth.min() >= known.truth.min()
    assert made.truth.max() <= known.truth.max()
    for name in ("colour", "place"):
        assert set(made.frame[name]) <= set(known.frame[name])
    assert set(made.frame["flag"].dropna()) <= {0.0, 1.0}
    for name in ("a", "b", "at"):
        assert made.frame[name].min() >= known.frame[name].min()
        assert made.frame[name].max() <= known.frame[name].max()
    assert set(made.frame["at"]) <= set(known.frame["at"])


@pytest.mark.parametrize(("one", "task"), CASES, ids=lambda at: getattr(at, "name", at))
def test_the_seed_decides(one: Generator, task: Task) -> None:
    known = real(task, 300)
    first, again, other = (one.generate(known, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert (first.truth == again.truth).all()
    assert not first.frame.equals(other.frame)


@pytest.mark.parametrize("name", ["oversample", "interpolate"])
def test_rare_classes_are_filled_up(name: GeneratorName) -> None:
    known = real("multiclass")
    made = generator(name).generate(known, seed=0)
    counts = np.bincount(np.concatenate([known.truth, made.truth]))
    assert (counts == counts[0]).all()


@pytest.mark.parametrize("name", ["oversample", "interpolate"])
def test_what_needs_no_balance_is_not_balanced(name: GeneratorName) -> None:
    one = generator(name)
    assert one.hindrance("regression", np.zeros(9)) == "made for classes"
    assert "about as many" in one.hindrance("binary", np.repeat([0, 1], 50))
    assert "are needed" in one.hindrance("binary", np.repeat([0, 1], [90, 1]))


def test_never_more_rows_than_there_are_real_ones() -> None:
    truth = np.repeat(np.arange(5), [500, 10, 10, 10, 10])
    wanted = lacking(truth)
    assert sum(wanted.values()) <= len(truth)
    assert set(wanted) == {1, 2, 3, 4}
    assert len(set(wanted.values())) == 1


def test_interpolated_rows_lie_between_two_of_their_class() -> None:
    known = real("binary")
    made = generator("interpolate").generate(known, seed=0)
    rare = known.frame[known.truth == 1]
    assert (made.truth == 1).all()
    assert made.frame["b"].between(rare["b"].min(), rare["b"].max()).all()
    assert not set(made.frame["b"]) <= set(rare["b"])
    assert made.frame["a"].isna().any()  # where the first of the two has none
    assert made.frame["a"].isna().mean() < 0.25


def test_a_copula_keeps_what_columns_have_in_common() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=2_000)
    columns = {"a": np.exp(x), "b": x + 0.3 * random.normal(size=2_000)}
    known = real("regression", 2_000)
    known = Sample(known.frame.assign(**columns), 10 * x, known.inputs, "regression")
    made = generator("copula").generate(known, seed=0)
    wanted = known.frame[["a", "b"]].assign(answer=known.truth).corr("spearman").to_numpy()
    found = made.frame[["a", "b"]].assign(answer=made.truth).corr("spearman").to_numpy()
    np.testing.assert_allclose(found, wanted, atol=0.06)
    for name in ("a", "b"):
        quantiles = [0.1, 0.5, 0.9]
        np.testing.assert_allclose(
            made.frame[name].quantile(quantiles),
            known.frame[name].quantile(quantiles),
            rtol=0.1,
            atol=0.1,
        )
    shares = [part["colour"].value_counts(normalize=True) for part in (made.frame, known.frame)]
    assert (shares[0] - shares[1]).abs().max() < 0.05
    assert made.frame["a"].isna().mean() == pytest.approx(0, abs=0)
    assert generator("copula").hindrance("binary", np.repeat([0, 1], 20))


def test_every_name_of_the_charter_has_a_member() -> None:
    assert [one.name for one in CATALOGUE] == list(get_args(GeneratorName))
    assert len({one.about for one in CATALOGUE}) == len(CATALOGUE)
