"""Run time, lived again: later rows sent to the service as clients would, on a simulated clock.

    with replaying(charter, since, until) as replay:
        for tick in replay.ticks:
            advance(replay, tick)       # clients ask and tell, day by day
            ...                         # the schedule retrains, with what is known at `tick`
            replay.note(tick, "promoted", "why")
        advance(replay, replay.until)
        replayed = replay.finish()

Everything happens in order of the simulated time, so a retrain at a tick can only have seen the
outcomes that had come by then. Nothing that is live for real is touched (`replaying/room.py`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import numpy as np

from charter import Charter, Frozen, Refusal
from charter.runtime import seconds
from serving import releases
from serving.home import home, place
from serving.packing import pack_batch
from serving.predictor import Predictor
from tasks.metrics import resolve
from tasks.progress import report
from tasks.replaying.clients import Clients, Request
from tasks.replaying.later import Later, later_rows, midnight
from tasks.replaying.months import Ledger, Month
from tasks.replaying.outcomes import Outcomes
from tasks.replaying.report import write
from tasks.replaying.room import apart
from tasks.replaying.ticks import ticks
from tasks.replaying.traffic import answered, heard, questions, truths
from tasks.service import Service, served

__all__ = ["Month", "Replay", "Replayed", "Stretch", "Turn", "advance", "publish", "replaying"]

DAY = timedelta(days=1)
TOLD = 500  # outcomes of one request at most
TAKEN = 60.0  # seconds until the service has to answer with a new release


class Stretch(Frozen):
    """What clients did between two ticks of the schedule."""

    project: str
    since: datetime
    until: datetime
    rows: int
    requests: int
    outcomes: int
    releases: tuple[int, ...] = ()
    """The releases that answered."""


class Turn(Frozen):
    """One tick of the schedule, and what the retrain did."""

    at: datetime
    outcome: str
    """promoted, kept, skipped or refused."""
    reason: str
    release: int
    """What answers from then on; 1 is the frozen one."""


class Replayed(Frozen):
    """The frozen model against the loop."""

    project: str
    since: datetime
    until: datetime
    metric: str
    rows: int
    requests: int
    months: tuple[Month, ...]
    gain: float
    """Mean over the months, in the metric's unit; positive: the loop is better."""
    turns: tuple[Turn, ...]
    seconds: float
    page: str
    picture: str
    """An SVG, relative to the root, as the page is."""

    @property
    def last(self) -> datetime:
        """The last day."""
        return self.until - timedelta(microseconds=1)


class Replay:
    """A replay under way."""

    def __init__(
        self, charter: Charter, later: Later, service: Service, since: datetime, until: datetime
    ) -> None:
        self.charter = charter
        self.until = until
        self.ticks = ticks(charter.runtime.schedule or "", charter.runtime.timezone, since, until)
        self.later = later
        self.service = service
        self.now = since
        self.since = since
        self.releases = home() / "releases" / charter.name
        self.frozen = Predictor(self.releases / "1")
        signature = self.frozen.signature
        self.metric = resolve(charter.evaluation.metric, signature.task)
        self.clients = Clients(service.port)
        seed = charter.evaluation.seed
        self.outcomes = Outcomes(seconds(charter.runtime.label_wait), seed)
        self.random = np.random.default_rng(seed)
        self.ledger = Ledger(charter, signature, self.metric)
        self.turns: list[Turn] = []
        self.rows = 0
        self.began = time.monotonic()
        self.all_rows = later.count(since, until)

    def note(self, at: datetime, outcome: str, reason: str) -> Turn:
        """What the retrain of a tick did."""
        live = releases.live(self.releases)
        assert live is not None
        turn = Turn(at=at, outcome=outcome, reason=reason, release=live.release)
        self.turns.append(turn)
        return turn

    def finish(self) -> Replayed:
        """Tell what is still on its way, and judge the last month."""
        _tell(self, None)
        self.ledger.close()
        gains = [month.gain.value for month in self.ledger.months]
        return Replayed(
            project=self.charter.name, since=self.since, until=self.until, metric=self.metric,
            rows=self.rows, requests=self.clients.sent, months=tuple(self.ledger.months),
            gain=float(np.mean(gains)) if gains else 0.0, turns=tuple(self.turns),
            seconds=time.monotonic() - self.began, page=f"pages/{self.charter.name}/replay.html",
            picture=f"pages/{self.charter.name}/replay.svg",
        )  # fmt: skip


def advance(replay: Replay, to: datetime) -> Stretch:
    """Let the clock run to `to`: clients ask about the rows of the time, and tell what has come."""
    before = (replay.now, replay.rows, replay.clients.sent)
    answering: set[int] = set()
    told = 0
    fields = _fields(replay)
    while replay.now < to:
        end = min(_next_day(replay.now), to)
        answering |= _ask(replay, fields, end)
        told += _tell(replay, end)
        replay.now = end
        report("advance", replay.rows, replay.all_rows, f"{end:%Y-%m-%d}")
    return Stretch(
        project=replay.charter.name, since=before[0], until=to, rows=replay.rows - before[1],
        requests=replay.clients.sent - before[2], outcomes=told,
        releases=tuple(sorted(answering)),
    )  # fmt: skip


def publish(charter: Charter, replayed: Replayed) -> Replayed:
    """Write the page and the picture, into the root of what is live: outside of the block."""
    write(replayed, charter.goal.question)
    return replayed


def _ask(replay: Replay, fields: list[str], end: datetime) -> set[int]:
    """Ask about the rows until `end`, at most a day of them; both answers go to the ledger."""
    rows = replay.later.between(replay.now, end)
    if not len(rows):
        return set()
    signature, name = replay.frozen.signature, replay.charter.data.time
    assert name is not None
    requests = list(questions(rows, fields, name, replay.random))
    answers = [answer for many in replay.clients.all(requests) for answer in many]
    truth, said = truths(signature, rows)
    times = [midnight(moment).timestamp() for moment in rows.column(name).to_pylist()]
    replay.outcomes.add([answer["id"] for answer in answers], times, said)
    batch = rows.combine_chunks().to_batches()[0]
    frozen = replay.frozen.predict(pack_batch(signature, batch))
    answering = {int(answer["release"]) for answer in answers}
    replay.ledger.add(
        replay.now.date(), truth, answered(signature, replay.metric, frozen),
        heard(signature, replay.metric, answers), answering,
    )  # fmt: skip
    replay.rows += len(rows)
    return answering


def _tell(replay: Replay, end: datetime | None) -> int:
    """Tell the outcomes that have become known; None: all that are still to come."""
    requests = [
        Request("/feedback", at, [{"id": id, "truth": truth} for id, truth in told])
        for at, told in replay.outcomes.due(end, TOLD)
    ]
    replay.clients.all(requests)
    return sum(len(request.content) for request in requests)


def _fields(replay: Replay) -> list[str]:
    """What the service takes now, as it says itself; waits until it has the release that is live."""
    live = releases.live(replay.releases)
    assert live is not None
    deadline = time.monotonic() + TAKEN
    while True:
        said = replay.clients.model()
        if said["release"] == live.release:
            break
        if time.monotonic() > deadline:
            found = f"found the service still at release {said['release']} after {TAKEN:g} s"
            raise replay.service.refusal(found, f"wanted release {live.release}")
        time.sleep(0.1)
    signature = said["signature"]
    return [column["name"] for column in (*signature["inputs"], *signature["carried"])]


def _next_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


@contextmanager
def replaying(
    charter: Charter, since: date | None = None, until: date | None = None
) -> Iterator[Replay]:
    """A replay of the source's rows from the day `since` to the day `until`, both included, in UTC.

    By default from `data.until` to the last row. Inside the block the root is one of its own, where
    the release that was live is release 1 and a service answers on a free port.
    """
    began = _since(charter, since)
    with later_rows(charter, began) as later:
        ended = _until(later, began, until)
        with (
            apart(charter),
            served(
                place(f"releases/{charter.name}"), f"replay of {charter.name}", ("--simulated",)
            ) as service,
        ):
            yield Replay(charter, later, service, began, ended)


def _since(charter: Charter, since: date | None) -> datetime:
    if sought := charter.goal.target.sought:
        raise Refusal(
            f"charter.{sought.where}", f"found {sought.things} that nobody knows the truth of",
            "wanted a target whose truth comes later, which a replay could tell",
            "Ask the service, and then `perennial retrain`.",
        )  # fmt: skip
    wanted = {"data.until": charter.data.until, "runtime.schedule": charter.runtime.schedule}
    for clause, said in wanted.items():
        if said is None:
            raise Refusal(
                f"charter.{clause}", "found none",
                "wanted rows that are left for run time, and a schedule that retrains",
                f"Set {clause} in the charter.",
            )  # fmt: skip
    assert charter.data.until is not None
    first = midnight(charter.data.until)
    began = first if since is None else midnight(since)
    if began < first:
        raise Refusal(
            "--from", f"found {since}", f"wanted {charter.data.until} or later",
            "Earlier rows were trained on (data.until).",
        )  # fmt: skip
    return began


def _until(later: Later, since: datetime, until: date | None) -> datetime:
    last = later.last
    ended = _next_day(last) if last and until is None else midnight(until or since) + DAY
    if last is None or ended <= since or not later.count(since, ended):
        raise Refusal(
            "--from and --to", f"found no row from {since:%Y-%m-%d} to {until or 'the end'}",
            "wanted days of the source that the training left for run time",
            "Name other days, or move data.until.",
        )  # fmt: skip
    return ended
