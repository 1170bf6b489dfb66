"""A canary is promoted, withdrawn, or goes on: what the traffic so far says."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Literal

from charter import Charter, Frozen, Refusal
from charter.deployment import Canary as Words
from charter.runtime import seconds
from serving import canary, releases, signing
from serving.arms import Fared, Limits, broken
from serving.golden import golden
from serving.home import home
from serving.journal import Journal, Minute
from serving.journaling.minutes import EDGES
from serving.predictor import Predictor
from serving.proof import prove
from serving.releases import Canary, Live
from tasks.deploy import settle
from tasks.history import Entry
from tasks.monitoring.health import health
from tasks.progress import report
from tasks.protection.suppressed import marked
from tasks.trying import looks
from tasks.trying.looks import Look, Looks
from tasks.trying.stream import Asked, Stream, gather

_log = logging.getLogger(__name__)

Outcome = Literal["none", "waiting", "promoted", "withdrawn"]


class Arm(Frozen):
    """One of the two releases, as it did on what it was asked."""

    release: int
    answered: int
    labelled: int
    value: float | None = None
    """The metric on the rows that it answered; None where that has no value."""
    failed: int = 0
    """Answers that another release had to give; of the live one faults."""
    p99_ms: float | None = None


class Decided(Frozen):
    """What became of the canary, and why."""

    project: str
    outcome: Outcome
    reason: str
    champion: int | None
    """What was live."""
    canary: int | None
    live: int | None
    """What is live now."""
    share: float = 0.0
    since: str = ""
    metric: str = ""
    labelled: int = 0
    """Rows with a truth that both answered."""
    arms: tuple[Arm, ...] = ()
    """The live release first."""
    looks: tuple[Look, ...] = ()
    page: str


@dataclass(frozen=True)
class Case:
    """The canary, and what it is held against."""

    charter: Charter
    words: Words
    live: Live
    tried: Canary
    now: datetime

    @property
    def folder(self) -> Path:
        return home() / "releases" / self.charter.name

    @property
    def metric(self) -> str:
        """What decides: what the charter names, else what the canary was judged by."""
        asked = self.charter.evaluation.metric
        if asked != "auto":
            return asked
        card = json.loads((self.folder / str(self.tried.release) / "scorecard.json").read_bytes())
        return str(card["metric"])

    @property
    def ends(self) -> datetime:
        return datetime.fromisoformat(self.tried.since) + timedelta(
            seconds=seconds(self.words.most)
        )

    def predictor(self, release: int) -> Predictor:
        return Predictor(self.folder / str(release))


def decide(charter: Charter, now: datetime | None = None) -> Decided:
    """Look at the canary that is tried, and promote or withdraw it where that is clear.

    Withdrawn at once: what is broken, fails or is slow, and what learned from a person who was erased.
    On the same stream, both answering every row whose truth is known (`deployment.canary.rows` of
    them or more), the canary is promoted when the whole interval of its gain lies above 0, and
    withdrawn when it lies below, or when `deployment.canary.most` is over: a tie keeps what is live.
    Each step is one write of `live.json`, so that a killed call is finished by the next one.
    """
    settle(charter.name)
    live = releases.live(home() / "releases" / charter.name)
    if live is None or live.canary is None:
        return _none(charter, live)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    words = charter.deployment.trial
    if words is None:
        case = Case(charter, Words(share=live.canary.share), live, live.canary, moment)
        return _withdraw(case, "deployment.canary is off now", None, Looks())
    tried = live.canary
    if words.share != tried.share:
        live = canary.resize(home() / "releases" / charter.name, tried.release, words.share)
        tried = live.canary or tried
    return _decide(Case(charter, words, live, tried, moment))


def _decide(case: Case) -> Decided:
    report("decide", 0, 2, f"release {case.tried.release} beside {case.live.release}")
    if why := _unfit(case):
        return _withdraw(case, why, None, Looks())
    ours, theirs = case.predictor(case.tried.release), case.predictor(case.live.release)
    since = datetime.fromisoformat(case.tried.since).timestamp()
    until = case.now.timestamp() + 1e-3
    with closing(Journal(case.charter.name)) as journal:
        fared = [journal.arm(number, since - 60, until) for number in (case.tried.release, case.live.release)]  # fmt: skip
        asked = gather(
            journal, (case.tried.release, ours), (case.live.release, theirs), since, until,
            case.charter.data.time,
        )  # fmt: skip
    report("decide", 1, 2, f"{len(asked.stream):,} rows with their truth")
    arms = _arms(case, asked, fared, ours, theirs)
    limits = Limits(case.charter.constraints.latency_p99_ms, case.charter.runtime.error_rate)
    ours_fared, theirs_fared = (_fared(minutes, limits) for minutes in fared)
    if why := broken(ours_fared, theirs_fared, limits):
        return _withdraw(case, why, arms, looks.known(case.charter.name, case.tried))
    return _compared(case, asked.stream, arms, ours, theirs)


def _unfit(case: Case) -> str:
    """Why the canary cannot stay, whatever it answers."""
    if case.tried.release in marked(case.charter.name):
        return "it learned from a person who was erased since"
    folder = case.folder / str(case.tried.release)
    try:
        if releases.digest(folder) != case.tried.manifest:
            return "its files are not those that it was started with"
        signing.verify(folder)
        prove(Predictor(folder), golden(folder), str(folder))
    except Refusal as refusal:
        return f"it is broken: {refusal}"
    return ""


def _compared(
    case: Case, stream: Stream, arms: tuple[Arm, ...], ours: Predictor, theirs: Predictor
) -> Decided:
    name, over = case.charter.name, case.now >= case.ends
    taken = looks.known(name, case.tried)
    if taken.due(len(stream), case.words.rows, over):
        one = looks.look(case.charter, case.metric, stream, ours, theirs, len(taken.looks))
        if one is not None:
            taken = Looks(looks=(*taken.looks, one))
            looks.keep(name, case.tried, taken)
    last = taken.looks[-1] if taken.looks else None
    if last and last.better:
        return _promote(case, last, arms, taken)
    if last and last.worse:
        return _withdraw(case, last.words, arms, taken)
    if over:
        return _withdraw(case, _tie(case, last, len(stream)), arms, taken)
    return _record(case, "waiting", _waits(case, taken, len(stream)), case.live, arms, taken)


def _tie(case: Case, last: Look | None, rows: int) -> str:
    said = (
        last.words if last else f"only {rows:,} rows have their truth, wanted {case.words.rows:,}"
    )
    return f"{said}; after {case.words.most} (deployment.canary.most) a tie keeps what is live"


def _waits(case: Case, taken: Looks, rows: int) -> str:
    wanted = taken.wanted(case.words.rows)
    said = f"{taken.looks[-1].words}; " if taken.looks else ""
    if rows >= wanted:
        return f"{said}{rows:,} rows with their truth are of too few days or hours to tell"
    return f"{said}{rows:,} of {wanted:,} rows with their truth until the next look"


def _promote(case: Case, last: Look, arms: tuple[Arm, ...], taken: Looks) -> Decided:
    entry = _entry(case, "promoted", last.words, last)
    live = canary.promote(case.folder, case.tried.release, case.live.release, entry.note)
    settle(case.charter.name)
    return _record(case, "promoted", last.words, live, arms, taken)


def _withdraw(case: Case, why: str, arms: tuple[Arm, ...] | None, taken: Looks) -> Decided:
    last = taken.looks[-1] if taken.looks else None
    entry = _entry(case, "withdrawn", why, last)
    live = canary.withdraw(case.folder, case.tried.release, entry.note)
    settle(case.charter.name)
    return _record(case, "withdrawn", why, live, arms or (), taken)


def _entry(
    case: Case, event: Literal["promoted", "withdrawn"], why: str, last: Look | None
) -> Entry:
    gain = last.gain if last else None
    return Entry(
        project=case.charter.name, event=event, why=why, asked="the canary", now=case.now.isoformat(),
        metric=gain.name if gain else "", rows=last.rows if last else None,
        gain=gain.value if gain else None, low=gain.low if gain else None,
        high=gain.high if gain else None,
    )  # fmt: skip


def _arms(
    case: Case, asked: Asked, fared: list[list[Minute]], ours: Predictor, theirs: Predictor
) -> tuple[Arm, ...]:
    champion = _arm(case, asked, fared[1], theirs, tried=False)
    return champion, _arm(case, asked, fared[0], ours, tried=True)


def _arm(
    case: Case, asked: Asked, minutes: list[Minute], predictor: Predictor, *, tried: bool
) -> Arm:
    value = looks.own(case.charter, case.metric, asked.stream, predictor, tried)
    seen = health(minutes, 0.0, 1.0)
    return Arm(
        release=case.tried.release if tried else case.live.release,
        answered=asked.tried if tried else asked.answered,
        labelled=int((asked.stream.tried == tried).sum()),
        value=value if isfinite(value) else None, failed=seen.failed, p99_ms=seen.p99_ms,
    )  # fmt: skip


def _fared(minutes: list[Minute], limits: Limits) -> Fared:
    """Answers count as slow where their whole span of `EDGES` is."""
    first = next(
        (at + 1 for at, edge in enumerate(EDGES) if edge >= limits.milliseconds), len(EDGES)
    )
    return Fared(
        answers=sum(minute.requests for minute in minutes),
        failed=sum(minute.failed for minute in minutes),
        slow=sum(sum(minute.latency[first:]) for minute in minutes),
    )


def _none(charter: Charter, live: Live | None) -> Decided:
    number = live.release if live else None
    said = "no release is tried; `deployment.canary` is "
    said += "off" if charter.deployment.trial is None else "on, so the next one will be"
    return Decided(
        project=charter.name, outcome="none", reason=said, champion=number, canary=None, live=number,
        page=f"pages/{charter.name}/history.html",
    )  # fmt: skip


def _record(
    case: Case, outcome: Outcome, why: str, live: Live, arms: tuple[Arm, ...], taken: Looks
) -> Decided:
    from tasks.trying.page import write

    _log.info("canary %d %s: %s", case.tried.release, outcome, why)
    decided = Decided(
        project=case.charter.name, outcome=outcome, reason=why, champion=case.live.release,
        canary=case.tried.release, live=live.release, share=case.tried.share,
        since=case.tried.since, metric=case.metric, labelled=sum(arm.labelled for arm in arms),
        arms=arms, looks=taken.looks, page=f"pages/{case.charter.name}/canary.html",
    )  # fmt: skip
    write(case.charter, decided)
    return decided
