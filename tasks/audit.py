"""What the training rows say of the groups before anything learns from them.

How often each group has the answer, and how well the inputs give the group away. How a model treats
the groups is judged by `tasks.mitigate` on training rows and by `tasks.evaluate` on the holdout,
both with the parts in `tasks/auditing/`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from charter import Charter, Frozen, Refusal, Verdict
from charter.fairness import means, wanted
from serving.home import place
from tasks import metrics
from tasks.auditing.groups import Axis, Groups, axes, groups
from tasks.auditing.proxies import Told, told
from tasks.auditing.rates import ratio, sums
from tasks.auditing.treatment import Figure
from tasks.engineer import Recipe
from tasks.progress import report
from tasks.split import Rows, Training, load_training
from tasks.splitting import spans

if TYPE_CHECKING:
    import pandas as pd

WAY = 1
"""Counts up when the same rows would be audited in another way."""
RESAMPLES = 200


class Base(Frozen):
    """One group among the training rows."""

    of: str
    value: str
    rows: int
    share: float
    rates: dict[str, Figure]
    """The share of each class in the group (two classes: of the positive one), or the `mean`."""


class Audit(Frozen):
    """The groups, and what was found in the training rows."""

    project: str
    fingerprint: str
    axes: tuple[Axis, ...] = ()
    """How the sensitive columns make groups, here, on the holdout and at run time."""
    bases: tuple[Base, ...] = ()
    told: tuple[Told, ...] = ()
    """For each sensitive column, how well the inputs tell its groups."""
    verdicts: tuple[Verdict, ...] = ()
    page: str = ""
    """The HTML page, relative to the root; empty without sensitive columns."""


def audit(charter: Charter, training: Training, recipe: Recipe) -> Audit:
    """Base rates and proxies of every sensitive column and intersection, on training rows only.

    Without sensitive columns there is nothing to do. A metric that has no meaning for the target is
    refused. The same rows and clauses give the same record, without looking again.
    """
    from tasks.auditing.page import write

    fingerprint = _fingerprint(charter, training, recipe)
    if not charter.fairness.sensitive:
        return Audit(project=charter.name, fingerprint=fingerprint)
    if not means(charter.fairness, training.task):
        raise Refusal(
            "charter.fairness.metric",
            f"found {charter.fairness.metric}, but the target is of the kind {training.task}",
            f"wanted {wanted(training.task)}",
            "Take one of these, or leave the key out.",
        )
    note = place(f"audits/{charter.name}/{fingerprint[:16]}.json")
    found = Audit.model_validate_json(note.read_bytes()) if note.exists() else None
    if found is None:
        found = _made(charter, training, recipe, fingerprint)
        note.parent.mkdir(parents=True, exist_ok=True)
        draft = note.with_suffix(".draft")
        draft.write_text(found.model_dump_json())
        draft.replace(note)
    write(charter, training, found)
    return found


def _made(charter: Charter, training: Training, recipe: Recipe, fingerprint: str) -> Audit:
    report("audit", 0, 2, "base rates")
    rows = load_training(training)
    made = axes(charter, rows.table)
    every = groups(charter, made, rows.table)
    bases = [base for one in every for base in _bases(charter, training, rows, one)]
    report("audit", 1, 2, "what gives the groups away")
    recipe = _innocent(charter, recipe)
    X = _inputs(recipe, rows)
    single = every[: len(made)]
    found = [told(charter, recipe, X, one) for one in single] if len(X.columns) else []
    known = tuple(one for one in found if one is not None)
    return Audit(
        project=charter.name, fingerprint=fingerprint, axes=made, bases=tuple(bases), told=known,
        verdicts=(_proxies(charter, known), _support(charter, bases)),
        page=f"pages/{charter.name}/audit.html",
    )  # fmt: skip


def _innocent(charter: Charter, recipe: Recipe) -> Recipe:
    """The recipe without the sensitive columns, which tell themselves."""
    names = charter.fairness.sensitive
    kept = tuple(one for one in recipe.signature.inputs if one.name not in names)
    signature = recipe.signature.model_copy(update={"inputs": kept})
    parts = {name: part for name, part in recipe.parts.items() if name not in names}
    return recipe.model_copy(update={"signature": signature, "parts": parts, "pca": None})


def _inputs(recipe: Recipe, rows: Rows) -> pd.DataFrame:
    from tasks.recipe.inputs import frame

    return frame(recipe.signature, rows.table)


def _bases(charter: Charter, training: Training, rows: Rows, of: Groups) -> list[Base]:
    """Each group's share of the rows and of the answers."""
    seconds = spans.seconds(charter, rows.table)
    blocks = None if seconds is None else spans.spans(seconds)
    tallies = {name: sums(values, of) for name, values in _answers(training, rows).items()}

    def shares(weights: np.ndarray) -> np.ndarray:
        counted = [tally(weights) for tally in tallies.values()]
        return np.concatenate([ratio(one[..., 0], one[..., 1]) for one in counted], axis=1)

    found = metrics.spreads(
        shares, len(rows.truth), blocks, seed=charter.evaluation.seed, resamples=RESAMPLES
    )
    width = len(of.values)
    counts = np.bincount(of.codes, minlength=width)
    return [
        Base(
            of=of.name, value=value, rows=int(counts[at]), share=counts[at] / len(rows.truth),
            rates={name: Figure.of(found[k * width + at]) for k, name in enumerate(tallies)},
        )
        for at, value in enumerate(of.values)
    ]  # fmt: skip


def _answers(training: Training, rows: Rows) -> dict[str, np.ndarray]:
    """What is averaged in each group: membership of each class that is reported, or the value."""
    if training.task == "regression":
        return {"mean": rows.truth}
    classes = training.classes[1:] if training.task == "binary" else training.classes
    first = len(training.classes) - len(classes)
    return {label: (rows.truth == at + first) * 1.0 for at, label in enumerate(classes)}


def _proxies(charter: Charter, every: tuple[Told, ...]) -> Verdict:
    limit = charter.fairness.proxy
    caught = [
        f"{carrier.column} tells {one.of} = {carrier.value} ({carrier.area:.2f})"
        for one in every
        for carrier in one.carriers
        if carrier.area >= limit
    ]
    together = "; ".join(
        f"all inputs together tell {one.of} = {one.value} with {one.area.value:.2f}"
        for one in every
    )
    return Verdict(
        gate="fairness.proxy",
        passed=not caught,
        level="warn",
        message=f"{'; '.join(caught)}: area under the ROC curve {limit:g} or more; {together}"
        if caught
        else f"no input alone tells a group with an area under the ROC curve of {limit:g}; {together}",
        numbers={f"{one.of}": one.area.value for one in every},
    )


def _support(charter: Charter, bases: list[Base]) -> Verdict:
    few = [
        f"{base.of} = {base.value} ({base.rows})"
        for base in bases
        if base.rows < charter.fairness.support and charter.fairness.limit_of(base.of) is not None
    ]
    return Verdict(
        gate="fairness.support",
        passed=not few,
        level="warn",
        message=f"fewer than {charter.fairness.support} training rows, so not judged: {'; '.join(few)}"
        if few
        else f"every group has at least {charter.fairness.support} training rows",
    )


def _fingerprint(charter: Charter, training: Training, recipe: Recipe) -> str:
    """Of the rows, the inputs and every clause that is read here."""
    said = [
        WAY, training.fingerprint, recipe.fingerprint, charter.evaluation.seed, charter.data.time,
        charter.fairness.model_dump(mode="json"),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
