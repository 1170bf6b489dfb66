"""Tables of many columns: looked at in parts, with the same findings, on pages that stay small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter
from serving.signature import Input, Signature
from tasks.engineering import probe
from tasks.engineering.places import places
from tasks.exploration import store
from tasks.exploration.numbers import everything
from tasks.exploration.sections import columns, outliers
from tasks.models import family
from tasks.packaging import hostile
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tasks.recipe.preparation import preparation
from tests.tasks import material
from tests.tasks.explored import charter, look

ROWS = 240


def mixed() -> dict[str, Any]:
    """Numbers with gaps, a code and a value that is none, times, texts and a flag."""
    rng = np.random.default_rng(3)
    made: dict[str, Any] = {f"n{at}": rng.normal(size=ROWS) for at in range(9)}
    made["n1"] = np.where(rng.random(ROWS) < 0.2, np.nan, made["n1"])
    made["n2"][::30] = 999.0
    made["n3"][5] = np.inf
    made["at"] = np.datetime64("2024-01-01", "us") + np.arange(ROWS) * np.timedelta64(9, "h")
    made["where"] = rng.choice(["north", "south"], ROWS)
    made["open"] = rng.random(ROWS) < 0.5
    made["y"] = made["n0"] + rng.normal(size=ROWS) > 0
    return made


def timed() -> Charter:
    return charter("y", data={"time": "at"}, evaluation={"split": {"by": "random"}})


def test_parts_find_what_the_whole_finds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del root
    whole = everything(look(timed(), mixed()))
    monkeypatch.setattr(store, "WIDE", 4)
    monkeypatch.setattr(store, "PART", 3)
    assert everything(look(timed(), mixed())) == whole
    assert whole["outliers"]
    assert whole["over_time"]


def test_the_page_shows_what_tells_most_and_says_what_is_left_out(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del root
    found = look(timed(), mixed())
    assert "left out" not in columns.section(timed(), found).body
    monkeypatch.setattr(columns, "MOST_LINES", 3)
    monkeypatch.setattr(outliers, "MOST_LINES", 0)
    page = columns.section(timed(), found).body
    assert "10 columns that tell least about the target are left out here" in page
    shown = [name for name in mixed() if f'<th scope="row">{name}</th>' in page]
    assert len(shown) == 3
    assert {"n0", "y"} < set(shown)
    assert "profile.json" in outliers.section(timed(), found).body


def test_every_prepared_column_belongs_to_the_input_that_moves_it() -> None:
    recipe = material.recipe("binary")
    X = frame(recipe.signature, material.table("binary", 400))
    steps = preparation(recipe, "tree").fit(X)
    plain, made = steps.transform(X), places(steps.named_steps["columns"])
    assert sorted(at for own in made.values() for at in own) == list(range(plain.shape[1]))
    order = np.random.default_rng(0).permutation(len(X))
    for name in X.columns:
        moved = steps.transform(X.assign(**{name: X[name].to_numpy()[order]}))
        wanted = plain.copy()
        wanted[:, made[name]] = plain[order][:, made[name]]
        np.testing.assert_array_equal(moved, wanted)


def test_the_worth_of_an_input_is_that_of_the_permuted_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, rows = material.recipe("binary"), material.table("binary", 400)
    X, truth = frame(recipe.signature, rows), (rows["answer"].to_numpy() == "yes").astype(int)
    fit, test = np.arange(300), np.arange(300, 400)
    sample = probe.Sample(X, truth, [(fit, test)], "roc_auc", np.ones((2, 2)), 0)
    found = {one.column: one for one in probe.impact(material.charter(), recipe, sample)}
    boosting = family("boosting")
    params = {**boosting.start, "trees": probe.TREES}
    model = pipeline(recipe, boosting, "binary", params, 0, "cpu").fit(X.iloc[fit], truth[fit])
    told = X.iloc[test].reset_index(drop=True)
    base = sample.predict(model, told)
    for name in ("a", "colour", "at"):
        losses = [
            sample.difference(truth[test], base, sample.predict(model, moved))
            for moved in permuted(told, name, material.charter().features.impact_repeats)
        ]
        one = found[name]
        assert (one.mean, one.low, one.high) == tuple(np.mean(losses, axis=0))
    monkeypatch.setattr(probe, "MEASURED", 2)
    few = probe.impact(material.charter(), recipe, sample)
    assert [one for one in found.values() if one in few] == list(few)
    assert "a" in {one.column for one in few}
    assert len(few) == 2


def permuted(X: Any, name: str, repeats: int) -> Iterator[Any]:
    random = np.random.default_rng(0)
    for _ in range(repeats):
        yield X.assign(**{name: X[name].to_numpy()[random.permutation(len(X))]})


def test_many_columns_are_made_hostile_together(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = tuple(
        Input(name=f"c{at}", kind="text" if at % 3 else "number", low=0.0, high=1.0)
        for at in range(30)
    )
    signature = Signature(
        project="w", target="y", task="binary", inputs=inputs, classes=("no", "yes")
    )
    base: dict[str, object] = {one.name: "b" if one.kind == "text" else 0.5 for one in inputs}
    alone = hostile.hostile(signature, [base])
    monkeypatch.setattr(hostile, "CELLS", 3_000)
    together = hostile.hostile(signature, [base])
    assert sum(len(row) for _, row in together) <= 5_000 < sum(len(row) for _, row in alone)

    def met(found: list[tuple[str, dict[str, object]]]) -> set[tuple[str, str]]:
        return {(name, repr(value)) for _, row in found for name, value in row.items()}

    assert met(together) == met(alone)
    assert any(what.startswith("c0 to c") and what.endswith(": missing") for what, _ in together)


def test_a_wide_table_is_packed_alike() -> None:
    rng = np.random.default_rng(0)
    rows = pa.table({f"c{at}": rng.normal(size=5) for at in range(300)})
    inputs = tuple(Input(name=name, kind="number") for name in reversed(rows.column_names))
    signature = Signature(project="w", target="y", task="regression", inputs=inputs)
    X = frame(signature, rows)
    assert list(X.columns) == rows.column_names[::-1]
    np.testing.assert_array_equal(X["c7"], rows["c7"])
