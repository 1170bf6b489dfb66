"""What the Prefect UI shows for each stage: tables, links and pictures made from its record."""

from __future__ import annotations

from functools import singledispatch
from typing import TypeVar

from flows.pictures import convergence
from flows.published import Line, picture, table, words
from serving.home import place
from tasks.appraise import Appraisal
from tasks.audit import Audit
from tasks.cluster import Clustered
from tasks.collect import Collected
from tasks.compare import Promotion
from tasks.decide import Decided
from tasks.deploy import Release
from tasks.detect import Detected
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.feedback import Fed
from tasks.forget import Forgotten
from tasks.history import Entry
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.mitigate import Mitigated
from tasks.monitor import Watched
from tasks.package import Bundle
from tasks.protect import Protected
from tasks.recall import Recalled
from tasks.refit import Refitted
from tasks.rehearse import Blessing
from tasks.replay import Replayed
from tasks.rollback import RolledBack
from tasks.score import Scored
from tasks.split import Split
from tasks.tidy import Tidied
from tasks.tune import Study
from tasks.validate import Validated

R = TypeVar("R")


def show(record: R) -> R:
    """Put the record into the Prefect UI and hand it on."""
    _show(record)
    return record


@singledispatch
def _show(record: object) -> None:
    raise TypeError(f"nothing shows {type(record).__name__}: add it to flows/artifacts.py")


@_show.register
def _(record: Ingested) -> None:
    name = record.table.project
    words(name, "ingest", record, verdicts=record.verdicts)
    if record.joins:
        lines: list[Line] = [
            {"on": ", ".join(join.on), "added": len(join.added), "unmatched": join.unmatched,
             "unmatched share": join.unmatched_share}
            for join in record.joins
        ]  # fmt: skip
        table(name, "ingest-joins", lines, "Joins of the charter")


@_show.register
def _(record: Validated) -> None:
    name = record.table.project
    words(name, "validate", record, verdicts=record.verdicts, page=record.docs)
    reasons: list[Line] = [
        {"reason": reason, "rows": rows} for reason, rows in record.quarantine.reasons.items()
    ]
    table(name, "validate-quarantine", reasons, "Rows in quarantine, by reason")


@_show.register
def _(record: Protected) -> None:
    name = record.table.project
    words(name, "protect", record, record.purpose, verdicts=record.verdicts, page=record.page)
    barred: list[Line] = [{"reason": why, "rows": rows} for why, rows in record.barred.items()]
    table(name, "protect-barred", barred, "Rows that may not be used, by reason")


@_show.register
def _(record: Clustered) -> None:
    words(record.project, "cluster", record, verdicts=record.verdicts, page=record.page)
    groups: list[Line] = [
        {"group": one.name, "rows": one.rows, "typical": "; ".join(one.words)}
        for one in record.groups
    ]
    table(record.project, "cluster-groups", groups, "What each group is like")
    attempts: list[Line] = [one.model_dump() for one in record.attempts]
    table(record.project, "cluster-attempts", attempts, "Ways of finding groups")


@_show.register
def _(record: Detected) -> None:
    words(record.project, "detect", record, verdicts=record.verdicts, page=record.page)
    beyond: list[Line] = [one.model_dump() for one in record.beyond]
    table(record.project, "detect-columns", beyond, "What makes rows odd")
    attempts: list[Line] = [one.model_dump() for one in record.attempts]
    table(record.project, "detect-attempts", attempts, "Ways of finding odd rows")


@_show.register
def _(record: Recalled) -> None:
    words(record.table.project, "recall", record)


@_show.register
def _(record: Profile) -> None:
    columns: list[Line] = [
        {"column": column.name, "role": column.role, "missing": round(column.missing_share, 4),
         "distinct": column.distinct, "mean": column.mean, "target": column.target_strength}
        for column in record.columns
    ]  # fmt: skip
    words(record.project, "explore", record, page=record.page)
    table(record.project, "explore-columns", columns, "Every column")


@_show.register
def _(record: Split) -> None:
    words(record.training.project, "split", record)


@_show.register
def _(record: Recipe) -> None:
    impact: list[Line] = [
        {"input": item.column, "impact": item.mean, "low": item.low, "high": item.high}
        for item in record.impact
    ]
    dropped: list[Line] = [{"column": item.column, "why": item.why} for item in record.dropped]
    why = record.pca.explanation if record.pca else ""
    words(record.project, "engineer", record, why, verdicts=record.verdicts, page=record.page)
    table(record.project, "engineer-impact", impact, "What the metric loses without each input")
    table(record.project, "engineer-dropped", dropped, "Columns left out, and why")


@_show.register
def _(record: Audit) -> None:
    groups: list[Line] = [
        {"of": base.of, "group": base.value, "rows": base.rows,
         **{name: figure.value for name, figure in base.rates.items()}}
        for base in record.bases
    ]  # fmt: skip
    words(record.project, "audit", record, verdicts=record.verdicts, page=record.page)
    table(record.project, "audit-groups", groups, "Base rates of each group")


@_show.register
def _(record: Study) -> None:
    import pyarrow.parquet as pq

    trials: list[Line] = pq.read_table(place(record.trials)).to_pylist()
    words(record.project, "tune", record, page=f"pages/{record.project}/study.html")
    table(record.project, "tune-ladder", _ladder(record), "The ladder, simplest first")
    table(record.project, "tune-trials", trials, "Every trial")
    picture(
        record.project,
        "tune-convergence",
        convergence(record.metric, trials),
        "How the search converged",
    )


@_show.register
def _(record: Appraisal) -> None:
    points: list[Line] = [point.model_dump() for point in record.curve.points]
    page = f"pages/{record.project}/study.html#is-there-enough-data"
    words(record.project, "appraise", record, page=page)
    table(record.project, "appraise-curve", points, f"{record.metric} by number of rows")


@_show.register
def _(record: Mitigated) -> None:
    arms: list[Line] = [
        {"arm": arm.name or "unmitigated", record.measure: arm.quality.value if arm.quality else None,
         **{f"apart by {one.of}": one.figure.value
            for one in (arm.treatment.disparities if arm.treatment else ())},
         "taken": "→" if arm.name and arm.name == record.chosen else "", "why not": arm.why}
        for arm in record.arms
    ]  # fmt: skip
    words(record.project, "mitigate", record, page=record.page)
    table(record.project, "mitigate-arms", arms, "What was tried, out of fold")


@_show.register
def _(record: Scorecard) -> None:
    measures: list[Line] = [measure.model_dump() for measure in record.measures]
    slices: list[Line] = [
        {"column": part.column, "value": part.value, "rows": part.rows,
         record.metric: part.measure.value, "low": part.measure.low, "high": part.measure.high}
        for part in record.slices
    ]  # fmt: skip
    words(record.project, "evaluate", record, verdicts=record.verdicts, page=record.page)
    table(record.project, "evaluate-metrics", measures, "The holdout, with 95 % intervals")
    table(record.project, "evaluate-slices", slices, "Slices, worst first")


@_show.register
def _(record: Bundle) -> None:
    words(record.project, "package", record, verdicts=record.verdicts)


@_show.register
def _(record: Refitted) -> None:
    words(record.project, "refit", record, verdicts=record.bundle.verdicts)


@_show.register
def _(record: Blessing) -> None:
    words(record.project, "rehearse", record, verdicts=record.verdicts)


@_show.register
def _(record: Release) -> None:
    history = f"pages/{record.project}/history.html"
    words(record.project, "deploy", record, f"Folder: `{record.where}`", page=history)


@_show.register
def _(record: Collected) -> None:
    words(record.project, "collect", record)
    reasons: list[Line] = [
        {"reason": reason, "rows": rows} for reason, rows in record.quarantine.reasons.items()
    ]
    table(record.project, "collect-quarantine", reasons, "Run-time rows in quarantine, by reason")


@_show.register
def _(record: Table) -> None:
    words(record.project, "renew", record)


@_show.register
def _(record: Promotion) -> None:
    words(record.project, "compare", record, verdicts=record.verdicts, page=record.page)


@_show.register
def _(record: Entry) -> None:
    history = f"pages/{record.project}/history.html"
    words(record.project, "outcome", record, f"Asked by: {record.asked}", page=history)


@_show.register
def _(record: Forgotten) -> None:
    words(record.project, "forget", record, verdicts=record.verdicts)


@_show.register
def _(record: Tidied) -> None:
    words(record.project, "tidy", record, verdicts=record.verdicts)
    stores: list[Line] = [
        {"store": f"{store.name} (shared)" if store.shared else store.name, "MB": store.mb,
         "freed MB": store.freed_mb, "removed": store.removed}
        for store in record.stores
    ]  # fmt: skip
    table(record.project, "tidy-stores", stores, f"Room; {record.free_gb:.1f} GB are free")


@_show.register
def _(record: Watched) -> None:
    columns: list[Line] = [
        {"": "▲" if one.shifted else "", "column": one.name, "effect": one.effect,
         "chance": one.adjusted, "missing": one.missing, "before": one.missing_before,
         "unseen": one.unseen, "expected": one.unseen_before}
        for one in record.findings
    ]  # fmt: skip
    words(record.project, "monitor", record, verdicts=record.verdicts, page=record.page)
    table(record.project, "monitor-drift", columns, "Columns against those before the release")


@_show.register
def _(record: Decided) -> None:
    words(record.project, "canary", record, page=record.page)
    arms: list[Line] = [
        {"release": arm.release, "asked": arm.answered, "truth known": arm.labelled,
         record.metric: arm.value, "failed": arm.failed, "p99 ms": arm.p99_ms}
        for arm in record.arms
    ]  # fmt: skip
    table(record.project, "canary-arms", arms, "Each release on the requests that it answered")


@_show.register
def _(record: RolledBack) -> None:
    words(record.project, "rollback", record, f"Asked by: {record.asked}", page=record.page)


@_show.register
def _(record: Scored) -> None:
    words(record.project, "score", record)


@_show.register
def _(record: Fed) -> None:
    words(record.project, "feedback", record)


@_show.register
def _(record: Replayed) -> None:
    months: list[Line] = [
        {"month": month.month, "rows": month.rows, "frozen": month.frozen.value,
         "loop": month.loop.value, "gain": month.gain.value, "low": month.gain.low,
         "high": month.gain.high, "releases": ", ".join(map(str, month.releases))}
        for month in record.months
    ]  # fmt: skip
    turns: list[Line] = [
        {"tick": f"{turn.at:%Y-%m-%d %H:%M}", "outcome": turn.outcome, "release": turn.release,
         "why": turn.reason}
        for turn in record.turns
    ]  # fmt: skip
    words(record.project, "replay", record, page=record.page)
    table(record.project, "replay-months", months, "Frozen against the loop")
    table(record.project, "replay-turns", turns, "What each tick of the schedule did")
    drawn = place(record.picture).read_text("utf-8")
    picture(record.project, "replay-picture", drawn, "Frozen against the loop")


def _ladder(study: Study) -> list[Line]:
    return [
        {"rung": f"→ {rung.family}" if rung.taken else rung.family, study.metric: rung.score,
         "low": rung.low, "high": rung.high, "ms": rung.row_ms, "MB": rung.model_mb,
         "trials": rung.trials, "seconds": round(rung.seconds, 1), "why": rung.why}
        for rung in study.ladder
    ]  # fmt: skip
