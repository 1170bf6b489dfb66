"""Every clause of `fairness` changes something: flipped one at a time, its gate or action flips.

The test walks the schema, so that a clause without a case here, or one that nobody reads, fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from charter import Charter, Refusal
from charter.fairness import Fairness
from tasks.audit import audit
from tasks.auditing.groups import axes, groups
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import treatment, verdicts
from tasks.engineering.choice import choose
from tasks.evaluate import out_of_fold
from tasks.judgement.decision import decide
from tasks.mitigate import mitigate
from tasks.mitigation.trial import Trial
from tasks.split import folds, load_training
from tests.tasks import people
from tests.tasks.people import People

Seen = Callable[[Charter, People], object]
BASE: dict[str, Any] = {
    "sensitive": ["sex"], "metric": "demographic_parity", "limit": 0.1, "support": 50,
    "minutes": 0.0001,
}  # fmt: skip


def decided(words: Charter, made: People) -> object:
    """How the gates are decided about the model that the search chose."""
    training = made.split.training
    rows = load_training(training)
    truth, chances = out_of_fold(made.study, "binary")
    tested = np.concatenate([test for _, test in folds(words, training, rows)])
    every = groups(words, axes(words, rows.table), rows.table)
    rule = decide(words, "binary", training.classes, truth, chances)
    case = Judged(truth, chances, rule)
    parts = [one.only(tested) for one in every]
    found = treatment(words, "binary", training.classes, case, parts, resamples=20)
    gates = [(one.gate, one.passed) for one in verdicts(words, found, "the rows")]
    return found.metric, [one.of for one in found.disparities], gates


def audited(words: Charter, made: People) -> object:
    """How the gates are decided about the training rows."""
    found = audit(words, made.split.training, made.recipe)
    return [(one.gate, one.passed) for one in found.verdicts]


def inputs(words: Charter, made: People) -> object:
    """Which columns may be inputs."""
    columns = [one.name for one in made.profile.columns if one.name != "answer"]
    chosen = choose(words, made.split.training, made.profile, columns)
    return [one.name for one in chosen.candidates]


def tried(words: Charter, made: People) -> object:
    """What is tried, in no time at all."""
    found = audit(words, made.split.training, made.recipe)
    try:
        return mitigate(words, made.split.training, made.recipe, made.study, found).reason
    except Refusal as refused:
        return str(refused)


def allowed(words: Charter, made: People) -> object:
    """Until when mitigations may go on, in minutes from now."""
    known = axes(words, load_training(made.split.training).table)
    trial = Trial(words, made.split.training, made.recipe, made.study, known)
    with trial:
        return round((trial._until - time.monotonic()) / 60)


@dataclass(frozen=True)
class Flip:
    """What is changed, and where that shows."""

    to: Any
    seen: Seen


FLIPS: dict[str, Flip] = {
    "sensitive": Flip(["race"], decided),
    "metric": Flip("equal_opportunity", decided),
    "limit": Flip(0.9, decided),
    "limits": Flip({"sex": 0.9}, decided),
    "support": Flip(5000, decided),
    "proxy": Flip(0.99, audited),
    "at_prediction": Flip(True, inputs),
    "mitigations": Flip([], tried),
    "minutes": Flip(7, allowed),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("clauses")))
        yield people.made(_words({}), people.rows(1500))


def _words(clauses: dict[str, Any]) -> Charter:
    return people.charter(evaluation={"folds": 2}, fairness={**BASE, **clauses})


def test_every_clause_has_a_case() -> None:
    assert set(FLIPS) == set(Fairness.model_fields)


@pytest.mark.parametrize("clause", sorted(Fairness.model_fields))
def test_a_flipped_clause_changes_what_is_done(project: People, clause: str) -> None:
    flip = FLIPS[clause]
    assert flip.seen(_words({}), project) != flip.seen(_words({clause: flip.to}), project)
