"""The judgement on the holdout: metrics with intervals, slices, costs and gates."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from charter import Charter, Frozen, Verdict
from charter.evaluation import METRICS
from serving.home import place
from serving.signature import Decision
from tasks import metrics
from tasks.audit import Audit
from tasks.auditing.groups import groups
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import Treatment, treatment
from tasks.auditing.treatment import verdicts as fair
from tasks.engineer import Recipe
from tasks.judgement import calibration, gates, membership
from tasks.judgement.case import Case
from tasks.judgement.decision import decide
from tasks.judgement.dependence import Dependence, dependences
from tasks.judgement.slices import slices
from tasks.split import Look, Rows, Split, load_training, looks, open_holdout
from tasks.splitting import spans
from tasks.splitting.searched import searched
from tasks.tune import Rung, Study

if TYPE_CHECKING:
    from charter.goal import Task

WAY = 3
"""Counts up when the same study would be judged in another way."""


class Measure(Frozen):
    """One metric with its 95 % bootstrap interval (Efron, 1979), of whole days where rows have a time."""

    name: str
    value: float
    low: float
    high: float


class Slice(Frozen):
    """The metric on the rows with one value of one column."""

    column: str
    value: str
    rows: int
    measure: Measure


class Scorecard(Frozen):
    """What the holdout said."""

    project: str
    fingerprint: str
    metric: str
    family: str
    measures: tuple[Measure, ...]
    gains: dict[str, Measure] = {}
    """Per baseline of `evaluation.beat`: by how much the model is better, paired bootstrap."""
    decision: Decision
    slices: tuple[Slice, ...] = ()
    """Worst first."""
    ladder: tuple[Rung, ...]
    fairness: Treatment | None = None
    """How the model treats the groups; None without sensitive columns."""
    calibration_error: float | None = None
    """Expected calibration error in 10 bins of equal size."""
    verdicts: tuple[Verdict, ...]
    looks: tuple[Look, ...]
    page: str
    """The HTML page, relative to the root."""
    numbers: str
    """Everything on the page as JSON, relative to the root."""


class Judgement(Frozen):
    """The scorecard with what only its page shows."""

    question: str
    rows: int
    drawn: int | None = None
    """Days or hours that the intervals draw; None: single rows."""
    classes: tuple[str, ...]
    scorecard: Scorecard
    reliability: tuple[calibration.Point, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows by true class (down) and answered class (across)."""
    cost: float
    constant_cost: float
    """What the best answer that is always the same would cost, per row."""
    dependences: tuple[Dependence, ...] = ()
    """How the answer hangs on the inputs, by training rows."""


def evaluate(
    charter: Charter, split: Split, recipe: Recipe, study: Study, audit: Audit | None = None
) -> Scorecard:
    """Open the holdout once for this study and judge the winner and the baselines.

    The rule that turns probabilities into answers is settled on out-of-fold rows before. The groups
    of `audit`, where there are any, are compared on the same rows. Asked
    again for the same study and clauses, the judgement that was written is given back.
    """
    from tasks.judgement.page import write

    fingerprint = _fingerprint(charter, split, study, audit)
    numbers = f"scorecards/{charter.name}/{fingerprint[:16]}/scorecard.json"
    if place(numbers).exists():
        judgement = Judgement.model_validate_json(place(numbers).read_bytes())
    else:
        judgement = _judge(charter, split, recipe, study, audit, fingerprint, numbers)
        _keep(numbers, judgement)
    write(judgement)
    return judgement.scorecard


def _judge(
    charter: Charter,
    split: Split,
    recipe: Recipe,
    study: Study,
    audit: Audit | None,
    fingerprint: str,
    numbers: str,
) -> Judgement:
    from tasks.models.shelf import take

    task, classes = split.training.task, split.training.classes
    for name in charter.evaluation.minimum:
        metrics.resolve(name, task)
    truth, chances = out_of_fold(study, task)
    own = study.mitigation.decision if study.mitigation else None
    decision = own or decide(charter, task, classes, truth, chances)
    why = f"study {study.fingerprint[:16]}"
    rows = open_holdout(split.holdout, by="evaluate", why=why)
    case = Case(
        study.metric, rows.truth, _predicted(study.model, recipe, rows, task), decision,
        metrics.prices(charter.goal.cost, task, classes), charter.evaluation.seed,
        _spans(charter, rows),
    )  # fmt: skip
    measures = [_measure(case, name) for name in METRICS[task]]
    gains = {
        baseline: _gain(case, _predicted(where, recipe, rows, task), baseline)
        for baseline, where in study.baselines.items()
    }
    parts = _slices(charter, case, rows)
    verdicts = list(gates.verdicts(charter, case, measures, gains, parts))
    points = () if task == "regression" else calibration.reliability(case.truth, case.ours)
    error = calibration.error(points) if points else None
    verdicts += [gates.calibrated(error)] if error is not None else []
    verdicts += _members(charter, split, recipe, study, case)
    treated = _treated(charter, split, audit, case, rows)
    verdicts += fair(charter, treated, "the holdout") if treated else []
    seen = looks(split.holdout)
    scorecard = Scorecard(
        project=charter.name, fingerprint=fingerprint, metric=study.metric, family=study.family,
        measures=tuple(measures), gains=gains, decision=decision, slices=tuple(parts),
        ladder=study.ladder, fairness=treated, calibration_error=error,
        verdicts=(*verdicts, gates.apart(split.shared, split.holdout.rows),
                  gates.custody(seen, why)),
        looks=seen,
        page=f"pages/{charter.name}/scorecard.html", numbers=numbers,
    )  # fmt: skip
    return Judgement(
        question=charter.goal.question, rows=len(case.truth), drawn=case.drawn, classes=classes,
        scorecard=scorecard, reliability=points, confusion=_confusion(case),
        cost=metrics.measure("cost", case.truth, case.ours, decision, case.prices),
        constant_cost=gates.cheapest_constant(case),
        dependences=dependences(
            take(place(study.model)), recipe, load_training(searched(charter, split.training)), task
        ),
    )  # fmt: skip


def out_of_fold(study: Study, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions of rows that the predicting model was not fitted on."""
    table = pq.read_table(place(study.out_of_fold))
    truth = table["truth"].to_numpy()
    if task == "regression":
        return truth, table["value"].to_numpy()
    names = sorted(
        (name for name in table.column_names if name.startswith("p_")), key=lambda n: int(n[2:])
    )
    chances = np.column_stack([table[name].to_numpy() for name in names])
    return truth.astype(np.int64), chances


def _predicted(where: str, recipe: Recipe, rows: Rows, task: Task) -> np.ndarray:
    from tasks.models.shelf import take
    from tasks.recipe.inputs import frames

    pipeline: Any = take(place(where))
    say = pipeline.predict if task == "regression" else pipeline.predict_proba
    given = [say(inputs) for inputs in frames(recipe.signature, rows.table)]
    return np.concatenate(given).astype(np.float64)


def _spans(charter: Charter, rows: Rows) -> np.ndarray | None:
    seconds = spans.seconds(charter, rows.table)
    return None if seconds is None else spans.spans(seconds)


def _measure(case: Case, name: str) -> Measure:
    found = metrics.interval(
        name, case.truth, case.ours, case.decision, case.prices, blocks=case.spans, seed=case.seed
    )
    return Measure(name=name, value=found.value, low=found.low, high=found.high)


def _gain(case: Case, theirs: np.ndarray, baseline: str) -> Measure:
    found = metrics.paired(
        case.metric, case.truth, case.ours, theirs, case.decision, case.prices,
        their_decision=case.decision, blocks=case.spans, seed=case.seed,
    )  # fmt: skip
    return Measure(name=baseline, value=found.value, low=found.low, high=found.high)


def _slices(charter: Charter, case: Case, rows: Rows) -> list[Slice]:
    found = [
        Slice(
            column=column,
            value=value,
            rows=count,
            measure=Measure(name=case.metric, value=of.value, low=of.low, high=of.high),
        )
        for column, value, count, of in slices(case, rows.table, charter.evaluation.slices)
    ]
    sign = 1 if metrics.greater_is_better(case.metric) else -1
    return sorted(found, key=lambda part: sign * part.measure.value)


def _treated(
    charter: Charter, split: Split, audit: Audit | None, case: Case, rows: Rows
) -> Treatment | None:
    if audit is None or not audit.axes:
        return None
    found = treatment(
        charter, split.holdout.task, split.holdout.classes,
        Judged(case.truth, case.ours, case.decision), groups(charter, audit.axes, rows.table),
        blocks=case.spans,
    )  # fmt: skip
    return found.model_copy(update={"axes": audit.axes})


def _members(
    charter: Charter, split: Split, recipe: Recipe, study: Study, case: Case
) -> list[Verdict]:
    """Whether the model betrays whom it learned from, where rows are of persons."""
    if not charter.privacy.about_people:
        return []
    rows = load_training(searched(charter, split.training))
    draw = np.random.default_rng(case.seed)
    chosen = np.sort(draw.permutation(len(rows.truth))[: membership.MOST])
    some = Rows(rows.table.take(chosen), rows.truth[chosen])
    said = _predicted(study.model, recipe, some, split.training.task)
    found = membership.membership((some.truth, said), (case.truth, case.ours), case.seed)
    return [membership.verdict(charter, found)]


def _confusion(case: Case) -> tuple[tuple[int, ...], ...]:
    if case.ours.ndim == 1:
        return ()
    count = case.ours.shape[1]
    cells = np.zeros((count, count), dtype=np.int64)
    np.add.at(cells, (case.truth, metrics.answers(case.ours, case.decision)), 1)
    return tuple(tuple(int(cell) for cell in row) for row in cells)


def _fingerprint(charter: Charter, split: Split, study: Study, audit: Audit | None) -> str:
    said = [str(WAY), study.model_dump_json(), split.holdout.seal, str(split.shared),
            charter.evaluation.model_dump_json(), charter.goal.model_dump_json()]  # fmt: skip
    if charter.privacy.about_people:
        said.append(f"membership {charter.privacy.membership}")
    if audit is not None and audit.axes:
        said += [charter.fairness.model_dump_json(), *(one.model_dump_json() for one in audit.axes)]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def _keep(where: str, judgement: Judgement) -> None:
    path = place(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(judgement.model_dump_json(indent=1))
    draft.replace(path)
