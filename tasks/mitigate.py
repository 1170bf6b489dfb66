"""Groups that the winner of the search does not treat alike: every mitigation is tried, one is taken.

All stand on the same rows, folds, parameters and threshold rule as the winner, and are judged on
rows that they were not fitted on. The holdout is not looked at: `tasks.evaluate` proves the chosen
one there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from charter import Charter, Frozen, Refusal
from charter.fairness import MitigationName
from serving.home import place
from serving.signature import Decision
from tasks.audit import Audit
from tasks.auditing.treatment import Figure, Treatment
from tasks.engineer import Recipe
from tasks.split import Training
from tasks.splitting.searched import searched
from tasks.tune import Study

if TYPE_CHECKING:
    from tasks.mitigation.trial import Trial

log = logging.getLogger(__name__)

WAY = 3
"""Counts up when the same study would be mitigated in another way."""


class Arm(Frozen):
    """One way that was tried, judged out of fold; the first one is the winner of the search itself."""

    name: MitigationName | None = None
    about: str
    treatment: Treatment | None = None
    """None where it brought no answers."""
    quality: Figure | None = None
    folds: tuple[tuple[float, float], ...] = ()
    """For each fold, which has a seed of its own: the largest difference as a share of its limit,
    and the quality."""
    decision: Decision | None = None
    settings: tuple[float, ...] = ()
    seconds: float = 0.0
    why: str = ""
    """Why it is not taken, in words; empty where it could be."""


class Mitigated(Frozen):
    """The study to go on with, and what was tried."""

    project: str
    fingerprint: str
    study: Study
    """As it was, or with the mitigated model in place of its own."""
    measure: str = ""
    """What `quality` is: the charter's metric, or what the answers cost."""
    arms: tuple[Arm, ...] = ()
    chosen: MitigationName | None = None
    reason: str
    page: str = ""
    """The HTML page, relative to the root; empty without sensitive columns."""


def mitigate(
    charter: Charter, training: Training, recipe: Recipe, study: Study, audit: Audit
) -> Mitigated:
    """Leave a study that keeps the limits as it is; else take the best mitigation that does.

    The arms have `fairness.minutes` together. Raises a Refusal where none keeps every limit without
    giving the answers up.
    """
    from tasks.mitigation.page import write

    fingerprint = _fingerprint(charter, study, audit)
    if not audit.axes:
        reason = "no sensitive columns, so nothing to mitigate"
        return Mitigated(project=charter.name, fingerprint=fingerprint, study=study, reason=reason)
    where = f"studies/{charter.name}/{fingerprint[:16]}"
    note = place(f"{where}/mitigated.json")
    found = Mitigated.model_validate_json(note.read_bytes()) if note.exists() else None
    if found is None or not place(found.study.model).exists():
        found = _made(charter, training, recipe, study, audit, fingerprint)
        note.parent.mkdir(parents=True, exist_ok=True)
        draft = note.with_name(".mitigated.json")
        draft.write_text(found.model_dump_json())
        draft.replace(note)
    write(charter, found)
    return found


def _made(
    charter: Charter, training: Training, recipe: Recipe, study: Study, audit: Audit, name: str
) -> Mitigated:
    from tasks.mitigation.page import write
    from tasks.mitigation.trial import Trial, measure

    training = searched(charter, training)
    trial = Trial(charter, training, recipe, study, audit.axes)
    first = trial.unmitigated()
    assert first.treatment is not None
    found = Mitigated(
        project=charter.name, fingerprint=name, study=study, measure=measure(study.metric),
        arms=(first,), reason="every limit is kept without a mitigation",
        page=f"pages/{charter.name}/mitigation.html",
    )  # fmt: skip
    asked = [member for member in trial.members if charter.fairness.mitigations != ()]
    if first.treatment.within or not asked:
        why = found.reason if first.treatment.within else "no mitigation is allowed; only judged"
        return found.model_copy(update={"reason": why})
    with trial:
        found = found.model_copy(update={"arms": (first, *trial.tried(first))})
        write(charter, found.model_copy(update={"reason": "none was taken"}))
        for arm in _best(found):
            if (
                final := _final(trial, arm, found, f"studies/{charter.name}/{name[:16]}")
            ) is not None:
                log.info("%s: %s", charter.name, final.reason)
                return final
            found = found.model_copy(update={"arms": trial.broken(found.arms, arm)})
    write(charter, found.model_copy(update={"reason": "none was taken"}))
    raise _nothing(found)


def _best(found: Mitigated) -> Iterator[Arm]:
    """Those that keep the limits, best quality first; of the same quality, the simpler one."""
    from tasks.metrics import greater_is_better

    sign = -1.0 if greater_is_better(found.measure) else 1.0
    able = [arm for arm in found.arms if arm.name and not arm.why and arm.quality]
    yield from sorted(able, key=lambda arm: sign * arm.quality.value if arm.quality else 0.0)


def _final(trial: Trial, arm: Arm, found: Mitigated, where: str) -> Mitigated | None:
    """The arm fitted on all training rows, in the place of the study's model."""
    assert arm.name is not None
    assert arm.decision is not None
    applied = trial.applied(arm, found.arms[0])
    model = f"{where}/model.skops"
    place(model).parent.mkdir(parents=True, exist_ok=True)
    if trial.broke(applied, model):
        return None
    pq.write_table(_out_of_fold(trial, arm), place(f"{where}/out_of_fold.parquet"))
    study = found.study.model_copy(
        update={
            "fingerprint": found.fingerprint, "model": model, "mitigation": applied,
            "out_of_fold": f"{where}/out_of_fold.parquet",
            "model_rows": trial.fitted,
        }
    )  # fmt: skip
    return found.model_copy(update={"study": study, "chosen": arm.name, "reason": applied.price})


def _out_of_fold(trial: Trial, arm: Arm) -> pa.Table:
    assert arm.name is not None
    answers = trial.answers[arm.name]
    columns = {"row": trial.rows, "truth": trial.truth}
    if answers.ndim == 1:
        return pa.table({**columns, "value": answers})
    return pa.table({**columns, **{f"p_{at}": part for at, part in enumerate(answers.T)}})


def _nothing(found: Mitigated) -> Refusal:
    """What each arm came to, in words."""
    told = [f"{arm.name or 'unmitigated'}: {arm.why}" for arm in found.arms]
    return Refusal(
        "charter.fairness.limit",
        f"found no way to keep it on training rows ({'; '.join(told)})",
        "wanted groups treated alike within the limits, by answers that are worth something",
        f"Open {found.page}. Set a larger limit, more fairness.minutes, other mitigations or inputs, "
        "or let at_prediction have the groups asked for.",
    )


def _fingerprint(charter: Charter, study: Study, audit: Audit) -> str:
    """Of the study, the groups, and every clause that is read here."""
    said = [
        WAY, study.model_dump_json(), charter.fairness.model_dump(mode="json"),
        [axis.model_dump(mode="json") for axis in audit.axes],
        charter.goal.cost.model_dump(mode="json"), charter.evaluation.seed,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
