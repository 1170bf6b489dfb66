"""A look at what happens at run time: drift, performance, age and the health of the service."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from charter import Charter, Frozen, Refusal, Verdict
from charter.runtime import seconds
from serving import releases
from serving.bundle import Artifact, load
from serving.home import home
from serving.journal import Journal
from serving.releases import Live
from tasks import metrics
from tasks.auditing.groups import Axis
from tasks.auditing.treatment import Treatment
from tasks.evaluate import Scorecard
from tasks.monitoring import judging
from tasks.monitoring.drift import LEAST, Finding, Pair, findings
from tasks.monitoring.groups import treated
from tasks.monitoring.health import Health, health
from tasks.monitoring.judging import Alarm
from tasks.monitoring.looks import Look, remember
from tasks.monitoring.performance import Performance, Ruler, expected, measured
from tasks.monitoring.reference import FILE, Reference
from tasks.monitoring.window import Gathered, Question, gather
from tasks.progress import report

_log = logging.getLogger(__name__)

SPANS = (timedelta(days=7), timedelta(days=28))
"""A window is a week, so that it has every hour and weekday; four weeks where that is too little."""


class Window(Frozen):
    """The rows that were looked at."""

    since: datetime
    until: datetime
    rows: int
    """All rows of the window."""
    answered: int
    """Those that the live release answered."""
    labelled: int
    """Answers of the live release whose truth is known, those before the window that waited
    for it included."""
    unreadable: int = 0
    """Rows that came without the service and do not fit the model."""


class Watched(Frozen):
    """What one look saw."""

    project: str
    release: int
    window: Window
    findings: tuple[Finding, ...]
    """Every compared column: what has shifted first, then by effect."""
    measured: Performance | None
    """None where too little truth is known."""
    expected: Performance | None
    """Estimated without the truth; None where that cannot be."""
    groups: Treatment | None = None
    """How the groups were treated; None where too few rows say who they are and what was true."""
    age_days: float
    health: Health
    alarms: tuple[Alarm, ...]
    verdicts: tuple[Verdict, ...]
    page: str
    """The HTML page, relative to the root."""

    @property
    def reason(self) -> str:
        """Why a new model is wanted; empty where none is."""
        return "; ".join(alarm.reason for alarm in self.alarms if alarm.curable)


@dataclass(frozen=True)
class Watch:
    """The live release and its papers."""

    charter: Charter
    live: Live
    artifact: Artifact
    reference: Reference | None
    scorecard: Scorecard

    @property
    def axes(self) -> tuple[Axis, ...]:
        """How the sensitive columns make groups, as the scorecard had them."""
        fair = self.scorecard.fairness
        return fair.axes if fair and self.charter.fairness.sensitive else ()

    @property
    def ruler(self) -> Ruler:
        signature, card = self.artifact.signature, self.scorecard
        promised = next(one.value for one in card.measures if one.name == card.metric)
        prices = metrics.prices(self.charter.goal.cost, signature.task, signature.classes)
        return Ruler(card.metric, promised, self.artifact.decision, prices)


def monitor(
    charter: Charter, now: datetime | None = None, since: datetime | None = None
) -> Watched:
    """Compare the rows from `since` until `now` with those that the live release was made with.

    Without `since` the window is the last week, or four where a week has too few rows. Verdicts
    that do not pass are alarms; nothing is changed by a look, and the same look says the same.
    """
    until = (now or datetime.now(UTC)).astimezone(UTC)
    watch = _watch(charter)
    journal = Journal(charter.name)
    try:
        report("monitor", 0, 3, "reading the journal")
        begins, found = _window(journal, watch, until, since)
        minutes = journal.minutes(begins.timestamp(), until.timestamp())
    finally:
        journal.close()
    report("monitor", 1, 3, f"{found.rows:,} rows")
    watched = _watched(
        watch, found, begins, until, health(minutes, begins.timestamp(), until.timestamp())
    )
    for alarm in watched.alarms:
        _log.warning("%s: %s", charter.name, alarm.reason)
    return watched


def _watched(
    watch: Watch, found: Gathered, since: datetime, until: datetime, service: Health
) -> Watched:
    from tasks.monitoring.page import write

    charter, ruler = watch.charter, watch.ruler
    seen = _findings(watch, found)
    report("monitor", 2, 3, "performance")
    known = measured(ruler, found.kept)
    guessed = expected(ruler, found.kept, watch.reference) if watch.reference else None
    people = treated(charter, watch.artifact, watch.axes, found.kept)
    age = max(timedelta(), until - datetime.fromisoformat(watch.live.at)) / timedelta(days=1)
    judged = [
        judging.drift(charter.runtime.drift, seen, found.rows, watch.reference is not None),
        judging.worse(charter.runtime.worse, known, guessed),
        *judging.fair(charter, people),
        judging.age(charter.runtime.max_age, age),
        *judging.service(charter, service),
    ]
    watched = Watched(
        project=charter.name, release=watch.live.release,
        window=Window(
            since=since, until=until, rows=found.rows, answered=found.answered,
            labelled=found.labelled, unreadable=found.unreadable,
        ),
        findings=seen, measured=known, expected=guessed, groups=people, age_days=age, health=service,
        alarms=tuple(one.alarm for one in judged if one.alarm),
        verdicts=tuple(one.verdict for one in judged),
        page=f"pages/{charter.name}/monitor.html",
    )  # fmt: skip
    write(charter, watched, remember(charter.name, _look(watched)))
    return watched


def _window(
    journal: Journal, watch: Watch, until: datetime, since: datetime | None
) -> tuple[datetime, Gathered]:
    """The rows of the window; the first span that has enough of them."""
    starts = [since.astimezone(UTC)] if since else [until - span for span in SPANS]
    for start in starts:
        asked = Question(
            artifact=watch.artifact, release=watch.live.release, time=watch.charter.data.time,
            since=start.timestamp(), until=until.timestamp(),
            wait=seconds(watch.charter.runtime.label_wait),
            sensitive=tuple(axis.column for axis in watch.axes),
        )  # fmt: skip
        found = gather(journal, asked, watch.reference)
        if found.rows >= LEAST:
            break
    return start, found


def _findings(watch: Watch, found: Gathered) -> tuple[Finding, ...]:
    if watch.reference is None or found.inputs is None or found.answers is None:
        return ()
    pairs: tuple[Pair, ...] = (
        (watch.reference.inputs, found.inputs, "input"),
        (watch.reference.answers, found.answers, "answer"),
    )
    return findings(pairs, watch.charter.runtime.drift)


def _watch(charter: Charter) -> Watch:
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    if live is None:
        raise Refusal(
            f"releases/{charter.name}", "found no live release", "wanted one to look after",
            f"Run `perennial train configs/{charter.name}.yaml` first.",
        )  # fmt: skip
    artifact = load(folder / str(live.release))
    return Watch(
        charter, live, artifact, _reference(artifact.folder),
        Scorecard.model_validate_json((artifact.folder / "scorecard.json").read_bytes()),
    )  # fmt: skip


def _reference(folder: Path) -> Reference | None:
    """What the release brings; one that was packaged before there were references has none."""
    path = folder / FILE
    return Reference.model_validate_json(path.read_bytes()) if path.exists() else None


def _look(watched: Watched) -> Look:
    largest = max(watched.findings, key=lambda one: one.effect, default=None)
    return Look(
        release=watched.release,
        since=watched.window.since.timestamp(),
        until=watched.window.until.timestamp(),
        rows=watched.window.rows,
        effect=largest.effect if largest else None,
        column=largest.name if largest else "",
        value=watched.measured.value if watched.measured else None,
        expected=watched.expected.value if watched.expected else None,
        alarms=tuple(alarm.reason for alarm in watched.alarms),
    )
