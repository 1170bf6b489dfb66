"""What train and retrain have in common: from the source to fit rows, from rows to a judged model."""

from __future__ import annotations

from collections.abc import Iterable

from charter import Charter, Frozen, Verdict, gate
from flows import steps
from flows.artifacts import show
from tasks.audit import Audit
from tasks.cluster import Clustered
from tasks.detect import Detected
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.finding.record import Finding
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.package import Bundle
from tasks.protect import Protected
from tasks.protection.door import total
from tasks.protection.scan import Find
from tasks.split import Split
from tasks.tune import Start, Study
from tasks.validate import Validated


class Modelled(Frozen):
    """What led to a model, and what the holdout says of it."""

    table: Table
    """What was learned from: the rows that came in, with the truth where that is found."""
    profile: Profile
    split: Split
    recipe: Recipe
    audit: Audit
    study: Study
    scorecard: Scorecard


def source(words: Charter) -> tuple[Ingested, Validated]:
    """The rows of the source that are fit; cheap when it has not changed."""
    ingested = show(steps.ingest(words))
    gate("ingest", ingested.verdicts, "Look at the source, or at data.joins in the charter.")
    validated = show(steps.validate(words, ingested))
    gate("validate", validated.verdicts, "Open the Data Docs and the quarantine.")
    return ingested, validated


def protected(
    words: Charter,
    table: Table,
    *barred: dict[str, int],
    finds: tuple[Find, ...] = (),
    look: bool = True,
) -> Protected:
    """The rows that may be used; `barred` counts those that earlier doors kept out, `finds` is what
    ingestion found, `look` whether there are rows that it did not see."""
    found = show(steps.protect(words, table, total(*barred), finds, look))
    gate("protect", found.verdicts, "Open the privacy page.")
    return found


def found(words: Charter, table: Table) -> Clustered | Detected | None:
    """The truth of the rows, where the charter has it looked for; its gates are for the caller."""
    if words.goal.target.clusters is not None:
        return show(steps.cluster(words, table))
    return show(steps.detect(words, table)) if words.goal.target.anomalies is not None else None


def model(
    words: Charter, table: Table, start: Start | None = None, truth: Finding | None = None
) -> Modelled:
    """The best model that the rows and the charter allow, judged on the holdout.

    `start` is what the search begins with, `truth` what `found` brought.
    """
    if truth is not None:
        words, table = truth.told(words), truth.table
    profile = show(steps.explore(words, table))
    split = show(steps.split(words, table, profile))
    recipe = show(steps.engineer(words, split.training, profile))
    gate("engineer", recipe.verdicts, "Open the recipe page.")
    audit = show(steps.audit(words, split.training, recipe))
    study = show(steps.tune(words, split.training, recipe, start))
    study = show(steps.appraise(words, split.training, recipe, study, start)).study
    study = show(steps.mitigate(words, split.training, recipe, study, audit)).study
    scorecard = show(steps.evaluate(words, split, recipe, study, audit))
    return Modelled(
        table=table, profile=profile, split=split, recipe=recipe, audit=audit, study=study,
        scorecard=scorecard,
    )  # fmt: skip


def bundle(words: Charter, made: Modelled, sources: tuple[Table, ...]) -> Bundle:
    """The model as it is delivered; `sources` are all tables that led to its rows."""
    return show(
        steps.package(
            words, made.table, made.profile, made.split, made.recipe, made.study, made.scorecard,
            _before(made, sources),
        )
    )  # fmt: skip


def refit(words: Charter, made: Modelled, judged: Bundle, sources: tuple[Table, ...]) -> Bundle:
    """What goes live of a challenger that won: it knows every row, unless the charter says no."""
    if not words.runtime.refit:
        return judged
    return show(
        steps.refit(
            words, made.table, made.profile, made.split, made.recipe, made.study, made.scorecard,
            judged, _before(made, sources),
        )
    ).bundle  # fmt: skip


def _before(made: Modelled, sources: Iterable[Table]) -> tuple[Table, ...]:
    return tuple(one for one in dict.fromkeys(sources) if one.where != made.table.where)


def stopping(verdicts: Iterable[Verdict]) -> str:
    """What `gate` would refuse, in words; empty where it would let pass."""
    return "; ".join(f"{one.gate}: {one.message}" for one in verdicts if one.stops)
