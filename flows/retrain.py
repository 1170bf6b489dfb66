"""What happened at run time comes into the next model, if that is better."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from prefect import flow

from charter import Charter, Frozen
from charter.load import load
from flows import course, steps
from flows.artifacts import show
from flows.parameters import CharterFile, Now, Overrides, Reason
from flows.unlock import unlocked
from serving import releases
from serving.home import home
from tasks.collect import Collected
from tasks.compare import Promotion
from tasks.deploy import Release, settle
from tasks.due import enough
from tasks.evaluate import Scorecard
from tasks.finding.record import Finding
from tasks.history import Entry
from tasks.package import Bundle
from tasks.protection.suppressed import marked
from tasks.tune import champion
from tasks.tuning.reach import reach
from tasks.turn import turn

Outcome = Literal["promoted", "canary", "kept", "skipped"]


class Retrained(Frozen):
    """What became of a retrain, and why."""

    project: str
    outcome: Outcome
    """`canary`: the better model is tried on a share of the traffic first (`deployment.canary`)."""
    reason: str
    """Why it ended so, in words."""
    asked: str
    """Why it was started."""
    live: int | None
    """The release that is live after it."""
    collected: Collected
    scorecard: Scorecard | None = None
    promotion: Promotion | None = None
    release: Release | None = None
    page: str
    """The project's history."""


@flow(name="retrain", persist_result=True, result_serializer="json")
def retrain(
    charter: CharterFile, reason: Reason = "asked", overrides: Overrides = (), now: Now = None
) -> Retrained:
    """Collect what came since, train a challenger, and promote it only if it is better.

    The champion serves throughout. A canary is decided first; while it goes on, or where too little
    is new, it ends `skipped`, `kept` where the
    challenger fails a gate or is not better. What won learns the rows of its holdout too before it
    goes live (`runtime.refit`). Run again after a kill, it ends in the same state; a second one of
    the same project waits.
    """
    words = unlocked(_words(charter, overrides))
    reach(words)
    with turn(words.name, "retrain"):
        unfinished = settle(words.name)  # of a run that was killed
        tried = _tried(words, now)
        ingested, validated = course.source(words)
        collected = show(steps.collect(words, now))
        end = _End(words, reason, now, collected)
        if tried:
            return end.skipped(tried, unfinished)
        if few := enough(words, validated.table, collected):
            return end.skipped(few, unfinished)
        renewed = show(steps.renew(words, validated.table, collected))
        table = course.protected(
            words, renewed, ingested.barred, collected.barred, finds=ingested.found
        ).table
        found = course.found(words, table)
        if found and (failed := course.stopping(found.verdicts)):
            return end.failed(failed, found)
        made = course.model(words, table, champion(words), found)
        if failed := course.stopping(made.scorecard.verdicts):
            return end.failed(failed, made.scorecard)
        sources = (validated.table, *([collected.table] if collected.table else []), renewed, table)
        bundle = course.bundle(words, made, sources)
        if failed := course.stopping(bundle.verdicts):
            return end.failed(failed, made.scorecard, bundle)
        promotion = show(steps.compare(words, made.split, bundle))
        if promotion.outcome == "kept":
            return end.kept(promotion, made.scorecard, bundle)
        final = course.refit(words, made, bundle, sources)
        blessing = show(steps.rehearse(words, final))
        if failed := course.stopping(blessing.verdicts):
            return end.failed(failed, made.scorecard, bundle)
        entry = promotion.entry(reason, now)
        release = show(steps.deploy(words, final, blessing, made.scorecard, entry))
        return end.promoted(promotion, made.scorecard, release)


def _tried(words: Charter, now: datetime | None) -> str:
    """Why the canary has to end first; empty where there is none, or where what is live learned from
    a person who was erased since."""
    live = releases.live(home() / "releases" / words.name)
    if live is None or live.canary is None:
        return ""
    decided = show(steps.decide(words, now))
    if decided.outcome != "waiting" or live.release in marked(words.name):
        return ""
    return f"release {decided.canary} is still tried beside it: {decided.reason}"


def _words(charter: CharterFile, overrides: Overrides) -> Charter:
    """The charter; tuning has the minutes of a retrain, unless this run has its own."""
    words = load(charter, overrides)
    minutes = words.runtime.retrain_minutes
    if minutes is None:
        return words
    return load(charter, (f"constraints.train_minutes={minutes}", *overrides))


@dataclass(frozen=True)
class _End:
    """The ways in which a retrain ends; all but the deploy are told to the history here."""

    words: Charter
    asked: str
    now: datetime | None
    collected: Collected

    def skipped(self, why: str, unfinished: Entry | None) -> Retrained:
        """Nothing to do; where a killed run had done it all but for the last words, promoted."""
        if unfinished and unfinished.event in ("promoted", "canary"):
            made: Outcome = "canary" if unfinished.event == "canary" else "promoted"
            return self._record(made, unfinished.why)
        log = self.collected.table
        key = f"skipped {log.version if log else None} {self._live}"
        return self._told(self._entry("skipped", why, key))

    def failed(
        self, gates: str, judged: Scorecard | Finding, bundle: Bundle | None = None
    ) -> Retrained:
        why = f"the challenger did not pass {gates}"
        entry = self._entry("kept", why, f"failed {judged.fingerprint} {self._live}")
        return self._told(entry, bundle, judged if isinstance(judged, Scorecard) else None)

    def kept(self, promotion: Promotion, scorecard: Scorecard, bundle: Bundle) -> Retrained:
        entry = promotion.entry(self.asked, self.now)
        return self._told(entry, bundle, scorecard, promotion)

    def promoted(self, promotion: Promotion, scorecard: Scorecard, release: Release) -> Retrained:
        given = {"scorecard": scorecard, "promotion": promotion, "release": release}
        outcome: Outcome = "promoted" if release.share is None else "canary"
        return self._record(outcome, promotion.reason).model_copy(update=given)

    def _told(
        self,
        entry: Entry,
        bundle: Bundle | None = None,
        scorecard: Scorecard | None = None,
        promotion: Promotion | None = None,
    ) -> Retrained:
        show(steps.keep(self.words, entry, bundle, scorecard))
        outcome: Outcome = "skipped" if entry.event == "skipped" else "kept"
        given = {"scorecard": scorecard, "promotion": promotion}
        return self._record(outcome, entry.why).model_copy(update=given)

    def _entry(self, event: Literal["kept", "skipped"], why: str, key: str) -> Entry:
        return Entry(
            project=self.words.name, event=event, why=why, asked=self.asked, key=key,
            now=self.now.isoformat() if self.now else None, release=self._live,
            previous=self._live,
        )  # fmt: skip

    def _record(self, outcome: Outcome, why: str) -> Retrained:
        return Retrained(
            project=self.words.name, outcome=outcome, reason=why, asked=self.asked,
            live=self._live, collected=self.collected,
            page=f"pages/{self.words.name}/history.html",
        )  # fmt: skip

    @property
    def _live(self) -> int | None:
        live = releases.live(home() / "releases" / self.words.name)
        return live.release if live else None
