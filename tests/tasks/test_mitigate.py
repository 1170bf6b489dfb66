"""Mitigations are tried where a limit is broken, one is taken, and the holdout has the last word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter, Refusal
from serving.home import place
from serving.packing import pack_rows
from serving.predictor import Predictor
from tasks.audit import audit
from tasks.auditing.groups import axes, groups
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import worst
from tasks.evaluate import Scorecard, evaluate
from tasks.mitigate import Mitigated, mitigate
from tasks.mitigation.trial import Trial
from tasks.package import package
from tasks.refit import refit
from tasks.split import open_holdout
from tests.tasks import people

LIMIT = 0.1
FAIR: dict[str, Any] = {
    "sensitive": ["sex"], "metric": "demographic_parity", "limit": LIMIT, "support": 50,
    "mitigations": ["reweighing", "thresholds"],
}  # fmt: skip


def words(**fairness: Any) -> Charter:
    return people.charter(evaluation={"folds": 2}, fairness={**FAIR, **fairness})


def mitigated(project: people.People, charter: Charter) -> Mitigated:
    found = audit(charter, project.split.training, project.recipe)
    return mitigate(charter, project.split.training, project.recipe, project.study, found)


def judged(project: people.People, charter: Charter, made: Mitigated) -> Scorecard:
    found = audit(charter, project.split.training, project.recipe)
    return evaluate(charter, project.split, project.recipe, made.study, found)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[people.People]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("mitigate")))
        yield people.made(words(), people.rows(3000))


@pytest.fixture(scope="module")
def taken(project: people.People) -> Mitigated:
    return mitigated(project, words())


def test_the_best_mitigation_within_the_limit_is_taken(
    project: people.People, taken: Mitigated
) -> None:
    first, *arms = taken.arms
    assert first.treatment is not None
    assert not first.treatment.within
    assert [arm.name for arm in arms] == ["reweighing", "thresholds"]
    within = [arm for arm in arms if not arm.why]
    assert taken.chosen in {arm.name for arm in within}
    best = min(within, key=lambda arm: arm.quality.value if arm.quality else 9.0)
    assert taken.chosen == best.name
    assert taken.study.mitigation is not None
    assert taken.study.model != project.study.model
    assert all(len(arm.folds) == 2 for arm in taken.arms)
    page = place(taken.page).read_text()
    assert "Fairness against quality" in page
    assert "constant model" in page
    assert mitigated(project, words()) == taken  # known, not tried again


def test_it_is_proven_on_the_holdout_and_delivered(
    project: people.People, taken: Mitigated
) -> None:
    card = judged(project, words(), taken)
    assert card.fairness is not None
    assert not [one.message for one in card.verdicts if one.stops]
    assert card.decision == taken.study.mitigation.decision if taken.study.mitigation else False
    given = (words(), project.table, project.profile, project.split, project.recipe)
    bundle = package(*given, taken.study, card)
    assert not [one.message for one in bundle.verdicts if one.stops]
    predictor = Predictor(place(bundle.where))
    row = {"merit": 0.3, "hobby": "chess"}
    once, again = (predictor.predict(pack_rows(predictor.signature, [row])) for _ in range(2))
    assert once.probabilities is not None
    assert again.probabilities is not None
    assert once.probabilities.tolist() == again.probabilities.tolist()
    assert "sex" not in {one.name for one in predictor.signature.inputs}


@pytest.mark.slow
def test_a_refit_keeps_the_mitigation(project: people.People, taken: Mitigated) -> None:
    card = judged(project, words(), taken)
    given = (words(), project.table, project.profile, project.split, project.recipe)
    bundle = package(*given, taken.study, card)
    final = refit(*given, taken.study, card, bundle)
    assert final.rows == 3000, final.reason
    held = open_holdout(project.split.holdout, "test", "what the refit does to the groups")
    assert _apart(final.bundle.where, held) < 1.5 * LIMIT < _unmitigated(project, held)


def _apart(where: str, held: Any) -> float:
    predictor = Predictor(place(where))
    rows = held.table.select(["merit", "hobby"]).to_pylist()
    found = predictor.predict(pack_rows(predictor.signature, rows)).probabilities
    assert found is not None
    return _difference(held, np.asarray(found), predictor.decision)


def _unmitigated(project: people.People, held: Any) -> float:
    from serving.signature import Decision
    from tasks.models.shelf import take
    from tasks.recipe.inputs import frame

    pipeline = take(place(project.study.model))
    chances = pipeline.predict_proba(frame(project.recipe.signature, held.table))
    return _difference(held, chances, Decision(threshold=0.5))


def _difference(held: Any, chances: np.ndarray, decision: Any) -> float:
    every = groups(words(), axes(words(), held.table), held.table)
    return worst("demographic_parity", Judged(held.truth, chances, decision), every, 50)


def test_nothing_is_tried_where_the_limit_is_kept_or_nothing_is_allowed(
    project: people.People,
) -> None:
    kept = mitigated(project, words(limit=0.9))
    assert kept.study == project.study
    assert "every limit is kept" in kept.reason
    none = mitigated(project, words(mitigations=[]))
    assert none.study == project.study
    assert "no mitigation is allowed" in none.reason
    fair = words(mitigations=[])
    assert [one.gate for one in judged(project, fair, none).verdicts if one.stops] == [
        "fairness.limit"
    ]


@pytest.mark.slow
def test_none_within_the_limit_is_refused_in_words(project: people.People) -> None:
    with pytest.raises(Refusal) as caught:
        mitigated(project, words(limit=0.02, mitigations=["reweighing"]))
    said = str(caught.value)
    assert "charter.fairness.limit" in said
    assert "reweighing: groups of sex are" in said
    assert "at_prediction" in said
    page = place("pages/people/mitigation.html").read_text()
    assert page.count("not taken: groups of sex are") == 2, "as it was, and reweighed"


def test_minutes_that_are_over_leave_no_arm(project: people.People) -> None:
    with pytest.raises(Refusal, match="thresholds: no answer"):
        mitigated(project, words(minutes=0.0001))


def test_a_mitigation_that_gives_the_answers_up_is_not_taken(project: people.People) -> None:
    charter = words()
    found = audit(charter, project.split.training, project.recipe)
    trial = Trial(charter, project.split.training, project.recipe, project.study, found.axes)
    first = trial.unmitigated()
    never = np.tile([0.97, 0.03], (len(trial.truth), 1))
    never[:20] = [0.1, 0.9]
    arm = trial._judged(first, never, first.decision)
    assert arm.treatment is not None
    assert arm.treatment.within
    assert "by (almost) one answer" in trial._objection(arm, first)
    rng = np.random.default_rng(0).random(len(trial.truth))
    guessing = trial._judged(first, np.column_stack([1 - rng, rng]), first.decision)
    assert "more than half of what the model knows" in trial._objection(guessing, first)


def test_fair_on_training_rows_and_not_on_the_holdout_is_refused(root: Any) -> None:
    early, late = people.rows(2000, unfair=0.0), people.rows(500, seed=1, unfair=0.0)
    merit = late["merit"].to_numpy() - 1.5 * (late["sex"].to_numpy(zero_copy_only=False) == "f")
    late = late.set_column(0, "merit", pa.array(merit))
    start = datetime(2024, 1, 1)
    times = [start + timedelta(minutes=at) for at in range(2000)]
    times += [start + timedelta(days=10, minutes=at) for at in range(500)]
    table = pa.concat_tables([early, late]).append_column("at", pa.array(times, pa.timestamp("us")))
    charter = people.charter(
        evaluation={"folds": 2, "split": {"by": "time", "holdout": "2d"}}, fairness=FAIR,
        data={"source": {"kind": "csv", "path": "x.csv"}, "time": "at"},
    )  # fmt: skip
    project = people.made(charter, table)
    made = mitigated(project, charter)
    assert made.arms[0].treatment is not None
    assert made.arms[0].treatment.within
    stopped = {
        one.gate: one.message for one in judged(project, charter, made).verdicts if one.stops
    }
    assert list(stopped) == ["fairness.limit"]
    assert "on the holdout, wanted at most 0.1" in stopped["fairness.limit"]
