"""One sentence for each record: what the terminal and the titles of artifacts say."""

from __future__ import annotations

from functools import singledispatch

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
from tasks.replay import Replayed, Stretch
from tasks.rollback import RolledBack
from tasks.score import Scored
from tasks.split import Split
from tasks.tidy import Tidied
from tasks.tune import Study
from tasks.validate import Validated


@singledispatch
def headline(record: object) -> str:
    """What the stage brought, in one line."""
    raise TypeError(f"no headline for {type(record).__name__}: add one in flows/headlines.py")


@headline.register
def _(record: Ingested) -> str:
    brought = "" if record.new_rows is None else f", which brought {record.new_rows:,}"
    parts = [f"{record.table.rows:,} rows landed (version {record.table.version}{brought})"]
    parts += [f"all of them anew: {record.anew}"] if record.anew else []
    parts += [f"{record.waiting:,} bytes wait for the end of their row"] if record.waiting else []
    parts += [f"{record.later_rows:,} left for run time"] if record.later_rows else []
    parts += [f"{record.quarantine.rows:,} in quarantine"] if record.quarantine.rows else []
    parts += [
        f"{', '.join(join.on)} joined, {join.unmatched_share:.1%} unmatched"
        for join in record.joins
    ]
    return "; ".join(parts)


@headline.register
def _(record: Validated) -> str:
    drafted = "drafted" if record.drafted else "as frozen"
    return (
        f"{record.table.rows:,} rows fit, {record.quarantine.rows:,} in quarantine; "
        f"{record.expectations} expectations ({drafted})"
    )


@headline.register
def _(record: Protected) -> str:
    parts = [f"{record.table.rows:,} rows may be used"]
    out = sum(record.barred.values())
    parts += [f"{out:,} kept out"] if out else []
    parts += [f"hashed: {', '.join(record.identifiers)}"] if record.identifiers else []
    acted = [one.column for one in record.found if one.sure and record.action != "refuse"]
    parts += [f"{record.action}: {', '.join(acted)}"] if acted else []
    best = record.after or record.before
    parts += [f"k = {best.k}"] if best else []
    return "; ".join(parts)


@headline.register
def _(record: Clustered) -> str:
    best = record.taken
    return (
        f"{best.groups} groups by {best.family}: silhouette {best.silhouette:.2f}, stability "
        f"{best.stability:.2f}; "
        + ", ".join(f"{group.name}: {group.words[0]}" for group in record.groups)
    )


@headline.register
def _(record: Detected) -> str:
    best = record.taken
    far = "" if best.far is None else f"rows with a far value with {best.far:.3f}, "
    return (
        f"{record.odd:,} of {record.table.rows:,} rows are odd by {best.detector}, {record.why}; "
        f"stability {best.stability:.2f}, finds {far}shuffled ones with {best.shuffled:.3f}"
    )


@headline.register
def _(record: Profile) -> str:
    suspects = ", ".join(suspect.column for suspect in record.suspects) or "none"
    rows = f"{record.rows:,} rows looked at, {record.held:,} in custody"
    return f"{rows}; {len(record.columns)} columns, {record.task}; suspected leaks: {suspects}"


@headline.register
def _(record: Split) -> str:
    rows = f"{record.training.rows:,} to train, {record.holdout.rows:,} in custody"
    twins = f"; {record.shared:,} of these have a twin to train on" if record.shared else ""
    return f"{rows} ({record.rule}){twins}"


@headline.register
def _(record: Recipe) -> str:
    first = ", ".join(impact.column for impact in record.impact[:3])
    inputs = f"{len(record.signature.inputs)} inputs, {len(record.dropped)} columns left out"
    return f"{inputs}; most impact: {first}" if first else inputs


@headline.register
def _(record: Audit) -> str:
    if not record.axes:
        return "no sensitive columns, so no groups to compare"
    told = [f"inputs tell {one.of} with {one.area.value:.2f}" for one in record.told]
    names = ", ".join(axis.column for axis in record.axes)
    return "; ".join([f"{len(record.bases)} groups of {names}", *told])


@headline.register
def _(record: Study) -> str:
    rung = next(rung for rung in record.ladder if rung.taken)
    trials = sum(rung.trials for rung in record.ladder)
    score = "no score" if rung.score is None else f"{record.metric} {rung.score:.4g}"
    return f"{record.family} taken, {score} across folds; {trials} trials in {record.seconds:.0f} s"


@headline.register
def _(record: Appraisal) -> str:
    said = record.curve.words.removesuffix(".")
    return (
        f"{said}; generated rows kept: {record.generation.kept}" if record.generation.kept else said
    )


@headline.register
def _(record: Mitigated) -> str:
    return record.reason


@headline.register
def _(record: Scorecard) -> str:
    measure = next(m for m in record.measures if m.name == record.metric)
    passed = sum(verdict.passed for verdict in record.verdicts)
    return (
        f"{measure.name} {measure.value:.4g} ({measure.low:.4g} to {measure.high:.4g}) on the "
        f"holdout; {passed} of {len(record.verdicts)} gates passed"
    )


@headline.register
def _(record: Bundle) -> str:
    return (
        f"{record.model_mb:.2g} MB of ONNX; differs by at most {record.parity:.1g} "
        f"on {record.parity_rows:,} rows"
    )


@headline.register
def _(record: Refitted) -> str:
    return record.reason


@headline.register
def _(record: Blessing) -> str:
    return f"p50 {record.p50_ms:.1f} ms, p99 {record.p99_ms:.1f} ms over {record.requests} requests"


@headline.register
def _(record: Release) -> str:
    if record.share is not None:
        return f"release {record.number} is tried on {record.share:.0%} of the traffic beside {record.previous}"
    before = "the first" if record.previous is None else f"after {record.previous}"
    return f"release {record.number} is live ({before})"


@headline.register
def _(record: Scored) -> str:
    return f"{record.rows:,} rows scored by release {record.release} into {record.output}"


@headline.register
def _(record: Fed) -> str:
    told = {
        "accepted": record.accepted,
        "known already": record.duplicates + record.known,
        "replacing another": record.contradictions,
        "for an unknown id": record.orphans,
        "arrived whole": record.arrived,
        "without a truth, left out": record.untold,
    }
    parts = [f"{count:,} {words}" for words, count in told.items() if count]
    return f"{record.rows:,} outcomes: {', '.join(parts) or 'nothing new'}"


@headline.register
def _(record: Stretch) -> str:
    releases = ", ".join(map(str, record.releases)) or "none"
    return (
        f"{record.since:%Y-%m-%d} to {record.until:%Y-%m-%d}: {record.rows:,} rows asked about, "
        f"{record.outcomes:,} outcomes told; answered by release {releases}"
    )


@headline.register
def _(record: Replayed) -> str:
    return (
        f"{record.metric} {record.gain:+.3f} on average over {len(record.months)} months: the loop "
        f"against the model of {record.since:%Y-%m-%d}"
    )


@headline.register
def _(record: Collected) -> str:
    parts = [f"{record.folded:,} rows folded in" if record.folded else "no row folded in"]
    counts = {
        "without truth": record.unlabelled, "corrected": record.corrected,
        "in quarantine": record.quarantine.rows, "not mature yet": record.waiting,
        "truths without a prediction": record.orphans,
    }  # fmt: skip
    parts += [f"{count:,} {what}" for what, count in counts.items() if count]
    return "; ".join([*parts, f"{record.fresh:,} that the live model has not seen"])


@headline.register
def _(record: Table) -> str:
    return f"{record.rows:,} rows to learn from (version {record.version})"


@headline.register
def _(record: Promotion) -> str:
    champion = "" if record.champion is None else f" against release {record.champion}"
    return f"{record.outcome}{champion}: {record.reason}"


@headline.register
def _(record: Entry) -> str:
    live = "nothing is live" if record.release is None else f"release {record.release} stays live"
    return f"{record.event}, {live}: {record.why}"


@headline.register
def _(record: Watched) -> str:
    rows = f"{record.window.rows:,} rows since {record.window.since:%Y-%m-%d}"
    if record.alarms:
        return f"{rows}; {'; '.join(alarm.reason for alarm in record.alarms)}"
    unsure = [verdict for verdict in record.verdicts if not verdict.passed]
    return "; ".join([rows, *(one.message for one in unsure), "no limit crossed"])


@headline.register
def _(record: Decided) -> str:
    about = "" if record.canary is None else f"canary {record.canary} {record.outcome}: "
    return about + record.reason


@headline.register
def _(record: RolledBack) -> str:
    return f"release {record.release} is live instead of {record.previous}, in {record.seconds:g} s"


@headline.register
def _(record: Recalled) -> str:
    table = record.table
    return f"{table.rows:,} rows, as version {table.version} of {table.where} has them"


@headline.register
def _(record: Forgotten) -> str:
    files = sum(record.tables.values())
    parts = [f"{files:,} files of tables and {record.predictions:,} answers erased"]
    parts += [f"{record.removed:,} other files and folders removed"] if record.removed else []
    proof = f"traces left in {len(record.left)}" if record.left else "nothing is left"
    parts += [f"{proof} in {record.searched_mb:,.0f} MB"]
    marked = ", ".join(map(str, record.releases))
    return "; ".join([*parts, *([f"to be replaced: release {marked}"] if marked else [])])


@headline.register
def _(record: Tidied) -> str:
    removed = sum(store.removed for store in record.stores)
    parts = [f"{removed:,} files and folders removed, {record.freed_mb:.1f} MB"]
    parts += [f"{record.fewer_files:,} files fewer in tables"] if record.fewer_files else []
    return "; ".join([*parts, f"the project takes {record.used_mb:.1f} MB"])
