"""What won learns the rows too that it was judged on, before it goes live: they are the freshest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen, Verdict
from serving.bundle import load
from serving.home import place
from tasks import metrics
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.lake import Table
from tasks.package import Bundle, known, pack
from tasks.packaging import lineage
from tasks.packaging.papers import Papers
from tasks.packaging.parity import answers
from tasks.progress import report
from tasks.split import Rows, Split, load_training, open_holdout
from tasks.splitting.searched import searched
from tasks.tune import Study

if TYPE_CHECKING:
    from tasks.mitigation.bench import Ground
    from tasks.tuning.bench import Bench

WAY = 1
"""Counts up when refits are made in another way."""


class Refitted(Frozen):
    """The bundle that is to go live."""

    project: str
    bundle: Bundle
    """The refit, or what was judged where the refit did not come out right."""
    rows: int | None = None
    """Rows that the refit knows; None: the judged bundle stays as it is."""
    reason: str
    """What was found, in words."""


def refit(
    charter: Charter,
    table: Table,
    profile: Profile,
    split: Split,
    recipe: Recipe,
    study: Study,
    scorecard: Scorecard,
    judged: Bundle,
    sources: tuple[Table, ...] = (),
) -> Refitted:
    """Fit the winner of `study` once more, with the same parameters, on training rows and holdout.

    The scorecard, the decision and the monitor's reference stay those of the judged model: nothing
    can judge the refit but rows that are still to come, and the next comparison takes only those.
    It has `constraints.train_minutes` and the memory of a search. A fit that was stopped, answers
    that are worse than the judged ones, or a graph that is not equal or too large leave `judged`.
    """
    fingerprint = _fingerprint(judged)
    bundle = known(charter.name, fingerprint)
    if bundle is None:
        where = f"studies/{charter.name}/refits/{judged.fingerprint[:16]}.skops"
        stopped = _fit(charter, split, recipe, study, where)
        if stopped:
            return _as_judged(judged, f"the refit {stopped}")
        held = open_holdout(split.holdout, "refit", "until when its rows go; sanity of its answers")
        papers = Papers(
            charter, table, profile, split, recipe, study, scorecard, sources, model=where,
            until=_until(charter, judged, held), judged=judged,
        )  # fmt: skip
        bundle = pack(papers, fingerprint, (_sane(papers, held),))
        place(where).unlink(missing_ok=True)
    if failed := [verdict.message for verdict in bundle.verdicts if verdict.stops]:
        return _as_judged(judged, f"the refit is not delivered: {'; '.join(failed)}")
    rows = split.training.rows + split.holdout.rows
    said = f"fitted once more on all {rows:,} rows, {split.holdout.rows:,} held out ones among them"
    if study.model_rows is not None:
        rows, of = min(study.model_rows, rows), rows
        said = f"fitted once more on {rows:,} of all {of:,} rows, held out ones among them"
    return Refitted(project=charter.name, bundle=bundle, rows=rows, reason=said)


def _fit(charter: Charter, split: Split, recipe: Recipe, study: Study, where: str) -> str:
    """Leave the fitted pipeline at `where`; why there is none, or nothing."""
    from tasks.generators import generator
    from tasks.mitigation.bench import complete
    from tasks.models import family
    from tasks.tuning.sandbox import Sandbox, Stopped
    from tasks.tuning.scale import finish

    report("refit", 0, 2, f"{study.family} on all rows")
    place(where).parent.mkdir(parents=True, exist_ok=True)
    seconds = 60 * charter.constraints.train_minutes
    try:
        memory = charter.constraints.memory_gb
        if study.mitigation is not None:
            with Sandbox(everybody, (charter, split, recipe, study), memory_gb=memory) as ground:
                ground.call(complete, study.mitigation, where, seconds, seconds=seconds)
            return ""
        with Sandbox(everything, (charter, split, recipe), memory_gb=memory) as sandbox:
            member, rows = family(study.family), study.model_rows
            made_by = generator(study.generated) if study.generated else None
            sandbox.call(finish, member, study.params, rows, where, made_by, seconds=seconds)
    except Stopped as stopped:
        return str(stopped)
    report("refit", 1, 2, "the bundle")
    return ""


def everything(charter: Charter, split: Split, recipe: Recipe) -> Bench:
    """Training rows and holdout, ready for a fit; what the sandbox loads."""
    from tasks.tuning.bench import prepared
    from tasks.tuning.whole import Whole

    chosen, held = searched(charter, split.training), _held(split)
    rows = _every(load_training(chosen), held)
    whole = Whole(split.training, held) if chosen is not split.training else None
    return prepared(charter, split.training, recipe, rows, [], whole)


def everybody(charter: Charter, split: Split, recipe: Recipe, study: Study) -> Ground:
    """The same with the groups, for a study whose model was mitigated."""
    from tasks.mitigation.bench import aligned, grounded, judged
    from tasks.tuning.bench import prepared

    assert study.mitigation is not None
    rows = _every(load_training(searched(charter, split.training)), _held(split))
    bench = prepared(charter, split.training, recipe, rows, parts=[])
    every = judged(charter, study.mitigation.axes, rows.table)
    known = aligned(every, study.mitigation.groups)
    return grounded(charter, split.training, study, bench, known)


def _held(split: Split) -> Rows:
    return open_holdout(split.holdout, "refit", "the winner learns the rows that it was judged on")


def _every(training: Rows, held: Rows) -> Rows:
    table = pa.concat_tables([training.table, held.table], promote_options="permissive")
    return Rows(table, np.concatenate([training.truth, held.truth]))


def _until(charter: Charter, judged: Bundle, held: Rows) -> float | None:
    known = (load(place(judged.where)).manifest.until, lineage.until(charter, held.table))
    return max((seconds for seconds in known if seconds is not None), default=None)


def _sane(papers: Papers, held: Rows) -> Verdict:
    """On rows that it knows, the refit is at least as good as the judged model may have been."""
    from tasks.models.shelf import take

    task, scorecard = papers.split.holdout.task, papers.scorecard
    found = answers(take(place(papers.model)), papers.recipe.signature, held.table)
    found = found[:, 0] if task == "regression" else found
    prices = metrics.prices(papers.charter.goal.cost, task, papers.split.holdout.classes)
    name = scorecard.metric
    value = metrics.measure(name, held.truth, found, scorecard.decision, prices)
    judged = next(measure for measure in scorecard.measures if measure.name == name)
    worst = judged.low if metrics.greater_is_better(name) else judged.high
    return Verdict(
        gate="refit",
        passed=metrics.gain(name, value, worst) >= 0,
        message=f"{name} {value:.4g} on the {len(held.truth):,} rows of the holdout, which it now "
        f"knows; the judged model had {judged.value:.4g}, surely {worst:.4g}",
        numbers={"value": value, "worst": worst},
    )


def _as_judged(judged: Bundle, why: str) -> Refitted:
    return Refitted(project=judged.project, bundle=judged, reason=f"as it was judged: {why}")


def _fingerprint(judged: Bundle) -> str:
    return hashlib.sha256(f"refit {WAY} {judged.fingerprint}".encode()).hexdigest()
