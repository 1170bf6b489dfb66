"""A model's printed logic, followed by hand, gives the model's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models import LADDER, family
from tasks.printing import Printed, logic
from tasks.recipe.inputs import frame
from tasks.recipe.pipeline import pipeline
from tests.tasks import packaged

ROWS = 800


def fitted(name: FamilyName, task: Task, **params: Any) -> tuple[Any, pd.DataFrame, Printed]:
    table = packaged.rows(task, ROWS)
    recipe = packaged.recipe(task, table)
    answer, classes = table["answer"].to_pylist(), packaged.CLASSES[task]
    truth = answer if task == "regression" else [classes.index(one) for one in answer]
    inputs = frame(recipe.signature, table)
    member = family(name)
    made = pipeline(recipe, member, task, {**member.start, **params}).fit(inputs, np.array(truth))
    printed = logic(made, classes, "answer")
    assert printed is not None
    return made, inputs, printed


def by_hand(printed: Printed, row: pd.Series, times: dict[str, float]) -> np.ndarray:
    """What the printed table comes to for one row of raw columns."""
    counts = dict(
        said.rsplit(" as ", 1)
        for line in printed.lines
        if line.startswith("Where it is missing, count ")
        for said in line.removeprefix("Where it is missing, count ").rstrip(".").split(", ")
    )
    total = np.array(printed.rows[0][1:], dtype=float)
    for name, *weights in printed.rows[1:]:
        total = total + np.array(weights, dtype=float) * quantity(name, row, counts, times)
    return total


def quantity(name: str, row: pd.Series, counts: dict[str, str], times: dict[str, float]) -> float:
    if name in times:
        return times[name]
    if name in row.index:
        return float(counts[name]) if pd.isna(row[name]) else float(row[name])
    column, _, said = name.partition(" is ")
    if said == "missing":
        return float(row[column] == "" or pd.isna(row[column]))
    return float(row[column] == said)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_weighted_sum_can_be_done_by_hand(task: Task) -> None:
    made, inputs, printed = fitted("linear", task)
    assert printed.rows[0][0] == "start"
    prepared = made.named_steps["prepare"].named_steps["columns"]
    calendar = dict(prepared.named_transformers_)["calendar at"].transform(inputs[["at"]])
    parts = [name for name, *_ in printed.rows if name.endswith(" of at")]
    assert len(parts) == calendar.shape[1] == 10
    for at in range(0, ROWS, 40):
        row = inputs.iloc[at]
        if row["code"] not in {name.removeprefix("code is ") for name, *_ in printed.rows}:
            continue  # a rare value, told in its own row
        found = by_hand(printed, row, dict(zip(parts, calendar[at], strict=True)))
        one = inputs.iloc[[at]]
        if task == "regression":
            assert found[0] == pytest.approx(made.predict(one)[0], rel=2e-3)
        elif task == "binary":
            chance = 1.0 / (1.0 + np.exp(-found[0]))
            assert chance == pytest.approx(made.predict_proba(one)[0, 1], abs=2e-3)
        else:
            shares = np.exp(found) / np.exp(found).sum()
            np.testing.assert_allclose(shares, made.predict_proba(one)[0], atol=2e-3)


def test_a_tree_is_printed_as_rules_of_which_one_holds() -> None:
    made, inputs, printed = fitted("tree", "binary", depth=3)
    assert sum(int(rows.replace(",", "")) for _, _, rows in printed.rows) == ROWS
    assert len(printed.rows) == made.named_steps["model"].get_n_leaves()
    assert printed.heads == ("if", "then answer is", "training rows")
    answers = {f"{p:.3g}" for p in made.predict_proba(inputs)[:, 1]}
    assert {said.removeprefix("yes with ") for _, said, _ in printed.rows} == answers
    for rule, said, count in printed.rows:
        held = np.logical_and.reduce([holds(test, inputs) for test in rule.split(" and ")])
        assert int(held.sum()) == int(count.replace(",", ""))
        shares = made.predict_proba(inputs[held])[:, 1]
        assert {f"yes with {share:.3g}" for share in shares} == {said}


def holds(test: str, inputs: pd.DataFrame) -> np.ndarray:
    """A printed condition, over the columns that this tree asks about."""
    filled = inputs.fillna(inputs.median(numeric_only=True))
    if " is " in test:
        column, said = test.split(" is ")
        wanted = said.removeprefix("not ").split(" or ")
        found = filled[column].isin(wanted).to_numpy()
        return ~found if said.startswith("not ") else found
    parts = test.split(" ")
    if len(parts) == 5:
        low, _, column, _, high = parts
        return ((filled[column] > float(low)) & (filled[column] <= float(high))).to_numpy()
    column, sign, bound = parts
    values = filled[column].to_numpy()
    return values > float(bound) if sign == ">" else values <= float(bound)


def test_the_rules_of_the_charter_are_printed_with_what_their_rows_came_to() -> None:
    made, inputs, printed = fitted("heuristic", "binary")
    assert printed.rows[0][0] == "level > 0.5 and kind is north or é"
    assert printed.rows[-1][:2] == ("otherwise", "no")
    assert sum(int(row[-1]) for row in printed.rows) == ROWS
    unmatched = next(row for row in printed.rows if row[0] == "level >= 99")
    assert unmatched[1:] == ("yes", "yes with 1", "0")  # its word is all there is
    answers = {f"yes with {p:.3g}" for p in made.predict_proba(inputs)[:, 1]}
    assert answers == {row[2] for row in printed.rows if row[3] != "0"}


def test_what_can_be_printed_is_what_counts_as_interpretable() -> None:
    for member in LADDER:
        table = packaged.rows("binary", 200)
        recipe = packaged.recipe("binary", table)
        params = {k: 3 if k == "trees" else v for k, v in member.start.items()}
        made = pipeline(recipe, member, "binary", params)
        made.fit(frame(recipe.signature, table), np.arange(200) % 2)
        assert (logic(made, ("no", "yes"), "answer") is not None) == member.interpretable
