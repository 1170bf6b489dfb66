"""How the answer hangs on each input, for models whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from charter.goal import Task
from tasks.engineer import Impact
from tasks.judgement.dependence import Dependence, dependences
from tasks.split import Rows
from tests.tasks import material


class Known:
    """Twice a; b counts only where the flag is set; red adds five."""

    def predict(self, inputs: pd.DataFrame) -> np.ndarray:
        a, b = (inputs[name].fillna(0.0).to_numpy() for name in ("a", "b"))
        red = (inputs["colour"] == "red").to_numpy()
        return np.asarray(2 * a + b * (inputs["flag"] > 0).to_numpy() + 5 * red)

    def predict_proba(self, inputs: pd.DataFrame) -> np.ndarray:
        chance = 1 / (1 + np.exp(-self.predict(inputs)))
        return np.column_stack([1 - chance, chance])


def _found(task: Task) -> dict[str, Dependence]:
    worth = [
        Impact(column=name, mean=1.0, low=0.5, high=1.5) for name in ("a", "b", "colour", "flag")
    ]
    recipe = material.recipe(task).model_copy(update={"impact": tuple(worth)})
    table = material.table(task, 500)
    truth: Any = np.zeros(500, dtype=int) if task != "regression" else np.zeros(500)
    rows = Rows(table.drop_columns(["answer"]), truth)
    return {one.column: one for one in dependences(Known(), recipe, rows, task)}


def test_a_number_makes_a_line_with_the_slope_of_the_model() -> None:
    found = _found("regression")["a"]
    assert found.ordered
    assert found.of == ""
    values = np.array([float(one.replace("−", "-")) for one in found.values])
    slope = np.polyfit(values, found.mean, 1)[0]
    assert slope == pytest.approx(2.0, abs=0.02)
    assert np.allclose(found.low, found.mean, atol=1e-9)  # every row moves alike
    assert np.allclose(found.high, found.mean, atol=1e-9)


def test_the_band_fans_out_where_another_input_has_a_say() -> None:
    found = _found("regression")["b"]
    wide = np.array(found.high) - np.array(found.low)
    assert wide[0] > 1
    assert wide[-1] > 1
    assert wide.min() < 0.2


def test_categories_and_flags_are_named() -> None:
    found = _found("regression")
    means = dict(zip(found["colour"].values, found["colour"].mean, strict=True))
    assert set(means) == {"red", "green", "blue"}
    assert means["red"] - means["blue"] == pytest.approx(5.0)
    assert found["flag"].values == ("no", "yes")
    assert not found["flag"].ordered
    assert "at" not in found  # no line for moments


def test_of_two_classes_the_chance_of_the_positive_one_is_told() -> None:
    found = _found("binary")["a"]
    assert found.of == "yes"
    assert 0 < found.mean[0] < found.mean[-1] < 1
