"""The parts of the judgement: each gate passes, and each is seen to fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter, Refusal, Verdict
from serving.signature import Decision
from tasks import metrics
from tasks.evaluate import Measure, Slice
from tasks.judgement import calibration, gates
from tasks.judgement.case import Case
from tasks.judgement.decision import decide
from tasks.judgement.slices import slices
from tasks.split import Look


def charter(**sections: Any) -> Charter:
    base: dict[str, Any] = {
        "name": "plums",
        "goal": {"target": {"column": "ripe"}},
        "data": {"source": {"kind": "csv", "path": "plums.csv"}},
    }
    return Charter.model_validate({**base, **sections})


def case(rows: int = 4000, strength: float = 2.0, seed: int = 3, **costs: float) -> Case:
    rng = np.random.default_rng(seed)
    push = rng.normal(size=rows) * strength
    chance = 1 / (1 + np.exp(-push))
    truth = (rng.random(rows) < chance).astype(np.int64)
    prices = np.array([[0.0, costs.get("false_alarm", 1.0)], [costs.get("miss", 1.0), 0.0]])
    return Case("roc_auc", truth, np.column_stack([1 - chance, chance]), Decision(), prices, 0)


def priced(false_alarm: float, miss: float) -> dict[str, Any]:
    return {"target": {"column": "ripe"}, "cost": {"false_alarm": false_alarm, "miss": miss}}


def only(found: list[Verdict], gate: str) -> Verdict:
    return next(verdict for verdict in found if verdict.gate == gate)


def test_calibrated_probabilities_get_the_threshold_of_the_costs() -> None:
    given = case()
    words = charter(goal=priced(1, 4))
    found = decide(words, "binary", ("false", "true"), given.truth, given.ours)
    assert found.threshold == pytest.approx(0.2)


def test_a_threshold_that_saves_beyond_noise_is_taken() -> None:
    given = case()
    shy = np.column_stack([1 - given.ours[:, 1] / 4, given.ours[:, 1] / 4])
    found = decide(charter(goal=priced(1, 1)), "binary", ("no", "yes"), given.truth, shy)
    assert found.threshold is not None
    assert 0.05 < found.threshold < 0.2  # 0.125 undoes the shyness; 0.5 would miss everything
    blind = metrics.measure("cost", given.truth, shy, Decision(threshold=0.5), given.prices)
    seeing = metrics.measure("cost", given.truth, shy, found, given.prices)
    assert seeing < 0.8 * blind


def test_more_classes_are_weighted_by_the_cost_of_missing_them() -> None:
    goal = {"target": {"column": "ripe"}, "cost": {"missed": {"rotten": 5}}}
    truth, chances = np.array([0, 1, 2]), np.full((3, 3), 1 / 3)
    found = decide(charter(goal=goal), "multiclass", ("green", "ripe", "rotten"), truth, chances)
    assert found.weights == (1.0, 1.0, 5.0)
    assert metrics.answers(np.array([[0.5, 0.3, 0.2]]), found).tolist() == [2]


def test_calibration_error_is_small_for_honest_probabilities_and_large_for_shy_ones() -> None:
    given = case()
    honest = calibration.error(calibration.reliability(given.truth, given.ours))
    shy = np.column_stack([1 - given.ours[:, 1] / 2, given.ours[:, 1] / 2])
    wrong = calibration.error(calibration.reliability(given.truth, shy))
    assert honest < 0.03
    assert wrong > 0.2
    assert gates.calibrated(honest).passed
    assert not gates.calibrated(wrong).passed
    assert not gates.calibrated(wrong).stops


@pytest.mark.parametrize(("bound", "passes"), [(0.6, True), (0.99, False)])
def test_minimum_is_a_gate(bound: float, passes: bool) -> None:
    words = charter(evaluation={"minimum": {"roc_auc": bound}, "beat": {}})
    measures = [Measure(name="roc_auc", value=0.8, low=0.78, high=0.82)]
    verdict = only(list(gates.verdicts(words, case(), measures, {}, [])),
                   "evaluation.minimum.roc_auc")  # fmt: skip
    assert verdict.passed is passes
    assert verdict.stops is not passes
    assert f"wanted at least {bound:g}" in verdict.message


@pytest.mark.parametrize(
    ("baseline", "gain", "margin", "passes", "stops"),
    [("dummy", (0.02, 0.01, 0.03), 0.005, True, False),
     ("dummy", (0.02, 0.01, 0.03), 0.05, False, True),
     ("dummy", (0.02, -0.01, 0.05), 0.0, False, True),
     ("dummy", (-0.01, -0.03, 0.01), -0.02, True, False),
     ("linear", (0.02, -0.01, 0.05), 0.0, False, False),
     ("linear", (0.02, 0.01, 0.05), 0.03, False, True)],
)  # fmt: skip
def test_a_baseline_is_beaten_by_the_margin_and_the_dummy_beyond_noise(
    baseline: str, gain: tuple[float, float, float], margin: float, passes: bool, stops: bool
) -> None:
    words = charter(evaluation={"beat": {baseline: margin}})
    value, low, high = gain
    gains = {baseline: Measure(name=baseline, value=value, low=low, high=high)}
    found = only(list(gates.verdicts(words, case(), [], gains, [])), f"evaluation.beat.{baseline}")
    assert (found.passed, found.stops) == (passes, stops)


def test_errors_that_the_rows_of_a_day_share_widen_the_interval() -> None:
    given = case()
    days = np.arange(len(given.truth)) // 400
    chances = given.ours.copy()
    chances[days % 2 == 0] = 0.5  # nothing is known on every other day
    table = pa.table({"tree": ["old"] * len(days)})
    widths = []
    for spans in (None, days):
        judged = replace(given, ours=chances, spans=spans)
        (found,) = (of for _, _, _, of in slices(judged, table, ("tree",)))
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]
    assert replace(given, spans=days).only(days >= 8).drawn == 2


@pytest.mark.parametrize(("gap", "passes"), [(0.5, True), (0.01, False)])
def test_the_worst_slice_may_not_be_much_worse_than_the_whole(gap: float, passes: bool) -> None:
    given = case()
    hurt = np.arange(len(given.truth)) % 10 == 0
    chances = given.ours.copy()
    chances[hurt] = 0.5
    broken = Case("roc_auc", given.truth, chances, given.decision, given.prices, 0)
    table = pa.table({"tree": np.where(hurt, "old", "young").tolist()})
    parts = [
        Slice(column=column, value=value, rows=rows, measure=Measure(
            name="roc_auc", value=found.value, low=found.low, high=found.high))
        for column, value, rows, found in slices(broken, table, ("tree",))
    ]  # fmt: skip
    parts.sort(key=lambda part: part.measure.value)
    assert parts[0].value == "old"
    words = charter(evaluation={"beat": {}, "slices": ["tree"], "slice_gap": gap})
    found = only(list(gates.verdicts(words, broken, [], {}, parts)), "evaluation.slice_gap")
    assert found.passed is passes
    assert "tree = old is the worst slice" in found.message


def test_slices_of_numbers_are_quarters_and_small_ones_are_left_out() -> None:
    given = case(rows=1000)
    table = pa.table({"size": np.linspace(0, 1, 1000), "kind": ["a"] * 950 + ["b"] * 50})
    found = [(column, rows) for column, _, rows, _ in slices(given, table, ("size", "kind"))]
    assert [rows for column, rows in found if column == "size"] == [250] * 4
    assert ("kind", 950) in found
    assert len(found) == 5


def test_a_slice_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refusal, match="Name a column of the table"):
        list(slices(case(100), pa.table({"size": [1.0]}), ("weight",)))


@pytest.mark.parametrize(("strength", "passes"), [(2.0, True), (0.0, False)])
def test_answers_must_cost_less_than_a_constant_one(strength: float, passes: bool) -> None:
    given = case(strength=strength, miss=1.0, false_alarm=1.0)
    judged = Case("roc_auc", given.truth, given.ours, Decision(threshold=0.5), given.prices, 0)
    words = charter(goal=priced(1, 1), evaluation={"beat": {}})
    found = only(list(gates.verdicts(words, judged, [], {}, [])), "goal.cost")
    assert found.passed is passes


def test_a_holdout_that_judged_many_studies_is_named() -> None:
    def look(why: str) -> Look:
        return Look(at="2026-01-01T00:00:00Z", by="evaluate", why=why)

    assert gates.custody([look("study a")], "study a").passed
    seen = [look("study a"), look("study b"), look("study c")]
    verdict = gates.custody(seen, "study c")
    assert not verdict.passed
    assert "judged 2 other studies" in verdict.message
