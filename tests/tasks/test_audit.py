"""Groups, their rates and limits, and what gives them away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter, Refusal, Verdict
from charter.goal import Task
from serving.home import place
from serving.signature import Decision
from tasks.audit import Audit, audit
from tasks.auditing.groups import axes, groups
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import Treatment, treatment, verdicts
from tasks.engineering.choice import choose
from tasks.evaluate import evaluate
from tests.tasks import people

CLASSES = ("no", "yes")


def judged(
    words: Charter, table: pa.Table, chances: np.ndarray, task: Task = "binary"
) -> Treatment:
    every = groups(words, axes(words, table), table)
    truth = np.asarray(table["answer"].to_pylist())
    if task == "binary":
        truth = (truth == "yes").astype(np.int64)
    case = Judged(truth, chances, Decision(threshold=0.5 if task == "binary" else None))
    names = tuple(map(str, range(chances.shape[1]))) if task == "multiclass" else CLASSES
    return treatment(words, task, names, case, every, resamples=100)


def guesses(count: int, seed: int = 1) -> np.ndarray:
    chance = np.random.default_rng(seed).random(count)
    return np.column_stack([1 - chance, chance])


def of(found: Treatment, name: str) -> float:
    return next(one.figure.value for one in found.disparities if one.of == name)


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [
        ("demographic_parity", "demographic_parity_difference"),
        ("equalised_odds", "equalized_odds_difference"),
        ("equal_opportunity", "equal_opportunity_difference"),
    ],
)
def test_the_measures_are_those_of_fairlearn(metric: str, theirs: str) -> None:
    import fairlearn.metrics as fairlearn

    table = people.rows(2000)
    fair = {"sensitive": ["sex", "race"], "metric": metric, "support": 10}
    chances = guesses(2000)
    found = judged(people.charter(fairness=fair), table, chances)
    truth = np.asarray(table["answer"].to_pylist()) == "yes"
    for name in ("sex", "race"):
        wanted = getattr(fairlearn, theirs)(
            truth, chances[:, 1] >= 0.5, sensitive_features=table[name].to_pylist()
        )
        assert of(found, name) == pytest.approx(wanted, abs=1e-12)
    both = [
        f"{a}{b}" for a, b in zip(table["sex"].to_pylist(), table["race"].to_pylist(), strict=True)
    ]
    wanted = getattr(fairlearn, theirs)(truth, chances[:, 1] >= 0.5, sensitive_features=both)
    assert of(found, "sex & race") == pytest.approx(wanted, abs=1e-12)
    assert all(one.figure.low <= one.figure.value for one in found.disparities)


def test_the_error_of_numbers_is_compared_as_a_share() -> None:
    table = pa.table({"sex": ["f", "m"] * 500, "answer": np.zeros(1000)})
    words = people.charter(fairness={"sensitive": ["sex"]})
    found = judged(words, table, np.tile([3.0, -2.0], 500), "regression")
    assert found.metric == "error_ratio"
    assert of(found, "sex") == pytest.approx(0.5)
    assert {g.value: g.figures["bias"].value for g in found.groups} == {"f": 3.0, "m": -2.0}


def test_of_more_classes_the_worst_counts() -> None:
    sex = ["f"] * 300 + ["m"] * 300
    truth = np.tile([0, 1, 2], 200)
    said = truth.copy()
    said[:300][(truth[:300] == 2)] = 0  # of f, the last class is never found
    table = pa.table({"sex": sex, "answer": truth})
    found = judged(
        people.charter(fairness={"sensitive": ["sex"]}), table, np.eye(3)[said], "multiclass"
    )
    assert of(found, "sex") == 1.0
    assert found.collapsed == ""


def test_groups_with_few_rows_are_named_and_not_compared() -> None:
    table = people.rows(2000)
    words = people.charter(fairness={"sensitive": ["race"], "support": 100})
    chances = guesses(2000)
    chances[np.asarray(table["race"].to_pylist()) == "z"] = [0.0, 1.0]  # about 60 rows
    found = judged(words, table, chances)
    assert found.disparities[0].unjudged == ("z",)
    assert of(found, "race") < 0.2
    few = people.charter(fairness={"sensitive": ["race"], "support": 10})
    assert of(judged(few, table, chances), "race") > 0.4
    said = {one.gate: one for one in verdicts(words, found, "the rows")}
    assert not said["fairness.support"].passed
    assert "race = z" in said["fairness.support"].message


def test_one_answer_for_all_is_fair_and_refused() -> None:
    table = people.rows(1000)
    found = judged(people.charter(), table, np.tile([0.9, 0.1], (1000, 1)))
    assert of(found, "sex") == 0.0
    assert "yes is answered for 0.00%" in found.collapsed
    assert [one.gate for one in verdicts(people.charter(), found, "x") if one.stops] == [
        "fairness.answers"
    ]
    assert found.quality["balanced_accuracy"].value == found.constant["balanced_accuracy"] == 0.5


def test_numbers_of_many_values_make_quarters_that_stay() -> None:
    table = people.rows(1000)
    words = people.charter(fairness={"sensitive": ["age"]})
    made = axes(words, table)
    later = pa.table({"age": [0, 100, None, 45]})
    (ages,) = groups(words, made, later)
    named = [ages.values[code] for code in ages.codes]
    assert len(made[0].edges) == 5
    assert named[2] == "missing"
    assert named[0].startswith("18 to")
    assert named[1].endswith("to 79")


def test_a_number_that_most_rows_share_is_a_group_of_its_own() -> None:
    words = people.charter(fairness={"sensitive": ["gain"]})
    gain = [0] * 900 + list(range(1, 101)) + [None] * 10
    table = pa.table({"gain": gain})
    (found,) = groups(words, axes(words, table), table)
    counts = dict(zip(found.values, np.bincount(found.codes).tolist(), strict=True))
    assert counts == {"0 to 1": 900, "1 to 34": 33, "34 to 67": 33, "67 to 100": 34, "missing": 10}
    last = pa.table({"gain": list(range(100)) + [100] * 900})
    (found,) = groups(words, axes(words, last), last)
    counts = dict(zip(found.values, np.bincount(found.codes).tolist(), strict=True))
    assert counts == {"0 to 100": 100, "100": 900}


def test_groups_are_called_what_a_request_calls_them() -> None:
    words = people.charter(fairness={"sensitive": ["veteran", "children"]})
    table = pa.table({"veteran": [True, False, None], "children": [0.0, 2.0, None]})
    veteran, children, _ = groups(words, axes(words, table), table)
    assert veteran.values == ("false", "missing", "true")
    assert children.values == ("0", "2", "missing")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[people.People]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("people")))
        words = people.charter(evaluation={"folds": 2}, fairness={"sensitive": ["sex", "race"]})
        yield people.made(words, people.rows(3000))


def test_a_planted_proxy_is_named_and_the_rest_is_not(project: people.People) -> None:
    found = audit(project.charter, project.split.training, project.recipe)
    sex = next(one for one in found.told if one.of == "sex")
    assert [carrier.column for carrier in sex.carriers] == ["hobby", "merit"]
    assert sex.carriers[0].area == pytest.approx(0.92, abs=0.02)
    assert sex.carriers[1].area < 0.6
    proxy = next(one for one in found.verdicts if one.gate == "fairness.proxy")
    assert not proxy.passed
    assert "hobby tells sex" in proxy.message
    page = place(found.page).read_text()
    assert "hobby" in page
    assert audit(project.charter, project.split.training, project.recipe) == found


def test_base_rates_of_every_group(project: people.People) -> None:
    found = audit(project.charter, project.split.training, project.recipe)
    rates = {(base.of, base.value): base.rates["yes"] for base in found.bases}
    assert rates["sex", "f"].high < rates["sex", "m"].low
    assert {of for of, _ in rates} == {"sex", "race", "sex & race"}
    assert sum(base.share for base in found.bases if base.of == "sex & race") == pytest.approx(1.0)


def test_nothing_is_asked_without_sensitive_columns(project: people.People) -> None:
    words = people.charter(fairness={})
    assert audit(words, project.split.training, project.recipe) == Audit(
        project="people",
        fingerprint=audit(words, project.split.training, project.recipe).fingerprint,
    )


def test_a_metric_of_another_kind_of_answer_is_refused(project: people.People) -> None:
    words = people.charter(fairness={"sensitive": ["sex"], "metric": "error_ratio"})
    with pytest.raises(Refusal, match="wanted one of demographic_parity"):
        audit(words, project.split.training, project.recipe)


def gates(project: people.People, **fairness: Any) -> dict[str, Verdict]:
    fairness = fairness and {"metric": "demographic_parity", **fairness}
    words = people.charter(evaluation={"folds": 2}, fairness=fairness)
    found = audit(words, project.split.training, project.recipe)
    card = evaluate(words, project.split, project.recipe, project.study, found)
    assert (card.fairness is None) == (not fairness)
    if card.fairness:
        assert "Groups of sex" in place(card.page).read_text()
    return {one.gate: one for one in card.verdicts}


def test_the_holdout_decides_about_the_limits(project: people.People) -> None:
    few = gates(project, sensitive=["sex"], support=400)["fairness.limit"]
    assert few.stops
    assert "cannot be judged" in few.message
    unfair = gates(project, sensitive=["sex"], limit=0.1)["fairness.limit"]
    assert unfair.stops
    assert "groups of sex are" in unfair.message
    assert "balanced accuracy" in unfair.message
    assert "constant model" in unfair.message
    assert gates(project, sensitive=["sex"], limit=0.9)["fairness.limit"].passed
    assert gates(project, sensitive=["sex"], limits={"sex": 0.9})["fairness.limits.sex"].passed
    assert gates(project, sensitive=["sex"], limits={"sex": 0.1})["fairness.limits.sex"].stops
    assert not any(gate.startswith("fairness") for gate in gates(project))


def test_sensitive_columns_are_inputs_only_where_the_charter_says_so(
    project: people.People,
) -> None:
    names = project.profile.columns
    training, columns = project.split.training, [one.name for one in names if one.name != "answer"]
    barred = choose(project.charter, training, project.profile, columns)
    assert {"sex", "race"} <= set(barred.dropped)
    assert "fairness.sensitive" in barred.dropped["sex"]
    fair = {"sensitive": ["sex", "race"], "at_prediction": True}
    allowed = choose(people.charter(fairness=fair), training, project.profile, columns)
    assert {"sex", "race"} <= {one.name for one in allowed.candidates}
