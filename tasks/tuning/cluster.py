"""Trials side by side on the workers of a cluster.

A worker has one lane for every two of its threads: a sandbox (`tasks/tuning/post.py`) in which one
trial at a time fits two folds side by side. So a fit that hangs or eats memory is stopped on the
worker as it is here, by a deadline of its own and not by the worker's end. Lanes come and go with
their workers; a trial whose worker was lost begins again on another one, once. Where no worker is
left, what is still to be tried is tried here.

The rows travel once, with the file that `split` wrote: so workers need no way to the root, and have
the same rows for certain. What comes back are answers, and a model as the content of its file.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from charter import Charter, Refusal
from serving.home import place
from tasks.engineer import Recipe
from tasks.split import Training
from tasks.tuning.bench import load
from tasks.tuning.crew import SIDE_BY_SIDE, Alone, Begin, Ready, Trial, follow
from tasks.tuning.hardware import Workers
from tasks.tuning.post import Post, Told
from tasks.tuning.reach import WHERE
from tasks.tuning.roster import Roster, Worker
from tasks.tuning.sandbox import Died, Sandbox, TookTooLong, TookTooMuch
from tasks.tuning.scheduler import CONNECT, SILENT, Later, Lost, Scheduler, answer

log = logging.getLogger(__name__)

STEP = 0.05
"""Seconds between two looks at the clock, where nothing else happens."""
GRACE = 2.0
"""Seconds that an answer may take on its way."""
AGAIN = 1
"""How often a trial begins again whose worker was lost: it may be what ends them."""
GIB = 2**30


@dataclass(eq=False)
class _Job:
    begin: Begin
    trial: Trial
    lost: int = 0


@dataclass(eq=False)
class _Lane:
    """One post on a worker, and the trial that is there."""

    worker: str
    threads: int
    folds: int
    post: Later[Post]
    loaded: bool = True
    job: _Job | None = None
    asked: Later[Told] | None = None
    until: float = float("inf")
    processor_seconds: float = 0.0

    @property
    def open(self) -> bool:
        return bool(self.post.status == "finished")


class Cluster:
    """Trials on the workers of one scheduler; what it holds there goes with it."""

    def __init__(
        self,
        charter: Charter,
        training: Training,
        recipe: Recipe,
        sandbox: Sandbox[Any],
        *,
        seconds: float,
        watch: Callable[[], None],
    ) -> None:
        """`seconds` is how long a worker may take to load the rows, `watch` is called about every
        50 ms while trials run, `sandbox` is where they go when no worker is left."""
        self._charter = charter
        self._training = training
        self._recipe = recipe
        self._here = Alone(sandbox)
        self._seconds = seconds
        self._watch = watch
        self._lanes: list[_Lane] = []
        self._waiting: deque[_Job] = deque()
        self._manned = float("-inf")
        self._over = False
        self._spent = 0.0
        self._most = (0, 0)
        self._why = "none did in time"
        self.peak_gb = 0.0

    @property
    def address(self) -> str:
        return self._charter.constraints.cluster or ""

    def __enter__(self) -> Self:
        """Connect, compare versions, and have the rows loaded; raises a Refusal."""
        self._scheduler = Scheduler(self.address)
        self._roster = Roster(self._scheduler)
        try:
            self._meet()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything on the workers; calls in progress are stopped there."""
        for job in [lane.job for lane in self._lanes if lane.job] + list(self._waiting):
            job.trial.close()
        self._spent += sum(lane.processor_seconds for lane in self._lanes)
        self._lanes.clear()
        self._waiting.clear()
        self._scheduler.close()

    def used(self, seconds: float) -> Workers:
        """What was used of the cluster by a search of so many seconds."""
        spent = self._spent + sum(lane.processor_seconds for lane in self._lanes)
        workers, threads = self._most
        return Workers(workers=workers, threads=threads, cores_used=spent / max(seconds, 1e-9))

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or any(lane.job for lane in self._lanes)

    def room(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._waiting or (self._free() is None and not self._left()):
            if time.monotonic() > until:
                break
            self.step()

    def begin(self, begin: Begin) -> None:
        self.room(SILENT)
        if (lane := self._free()) is None:
            self._here.begin(begin)
        else:
            self._start(lane, begin)

    def step(self) -> None:
        self._scheduler.rang.wait(STEP)
        self._scheduler.rang.clear()
        self._watch()
        self._look()
        for lane in tuple(self._lanes):
            if lane.asked is not None and lane.asked.done():
                self._hear(lane)
            elif time.monotonic() > lane.until:
                self._leave(lane)
        while self._waiting and (free := self._free()):
            job = self._waiting.popleft()
            self._start(free, job.begin, job.lost)
        if self._waiting and self._left():
            self._here.begin(self._waiting.popleft().begin)

    def _free(self) -> _Lane | None:
        return next((lane for lane in self._lanes if lane.open and lane.job is None), None)

    def _left(self) -> bool:
        """Whether there is no worker any more, and none has come back for a while."""
        if self._lanes:
            self._manned = time.monotonic()
        return self._over or time.monotonic() - self._manned > SILENT

    def _start(self, lane: _Lane, begin: Begin, lost: int = 0) -> None:
        lane.job = _Job(begin, begin(lane.folds), lost)
        manned = {lane.worker: lane.threads for lane in self._lanes if lane.open}
        self._most = max(self._most, (len(manned), sum(manned.values())))
        self._go_on(lane, lane.job, None)

    def _go_on(self, lane: _Lane, job: _Job, brought: Any) -> None:
        wanted = follow(job.trial, brought)
        while isinstance(wanted, Ready) and lane.loaded:
            wanted = follow(job.trial, None)
        lane.asked, lane.until = None, float("inf")
        if wanted is None:
            lane.job = None
            return
        lane.until = time.monotonic() + wanted.seconds + GRACE
        call = b"" if isinstance(wanted, Ready) else _packed(wanted.function, *wanted.arguments)
        lane.asked = self._scheduler.ask(answer, lane.worker, lane.post, call, wanted.seconds)

    def _hear(self, lane: _Lane) -> None:
        assert lane.asked is not None
        assert lane.job is not None
        try:
            told = lane.asked.result(CONNECT)
        except Exception as error:  # of the cluster: what the trial itself raises is told
            self._lose(lane, f"{type(error).__name__}: {error}")
            return
        lane.processor_seconds = told.processor_seconds
        self.peak_gb = max(self.peak_gb, told.peak_gb)
        lane.loaded = not isinstance(told.stopped, TookTooLong | TookTooMuch | Died)
        brought = pickle.loads(told.content) if told.content else None
        self._go_on(lane, lane.job, told.stopped or brought)

    def _leave(self, lane: _Lane) -> None:
        """A worker that stops no call at its deadline is not asked again."""
        assert lane.job is not None
        self._drop(lane, "it did not answer in time")
        follow(lane.job.trial, TookTooLong("was left because its worker did not answer in time"))

    def _lose(self, lane: _Lane, why: str) -> None:
        self._drop(lane, why)
        job = lane.job
        if job is None:
            return
        if job.lost < AGAIN:
            job.trial.close()
            job.lost += 1
            self._waiting.append(job)
        else:
            follow(job.trial, Died("lost its worker, and so did the trial before it"))

    def _drop(self, lane: _Lane, why: str) -> None:
        log.warning("a lane of %s is gone: %s", lane.worker, why)
        self._spent += lane.processor_seconds
        self._lanes.remove(lane)

    def _look(self) -> None:
        """See who has gone and who has come."""
        try:
            if not self._over:
                self._roster.look()
        except Lost as lost:
            log.warning("%s: the search goes on here", lost)
            self._over = True
        for lane in tuple(self._lanes):
            if self._over or lane.worker not in self._roster.present:
                self._lose(lane, "its worker was lost")
            elif lane.post.status in ("error", "cancelled"):
                broken = lane.post.status == "error"
                self._why = str(lane.post.exception(CONNECT)) if broken else "it was cancelled"
                self._lose(lane, f"it could not load the rows: {self._why}")
        if not self._over and (new := self._roster.welcome()):
            self._greet(new)

    def _greet(self, workers: list[Worker]) -> None:
        """Let every lane of these workers load the rows, which each worker gets once."""
        content = place(self._training.where).read_bytes()
        try:
            rows = self._scheduler.send(content, [worker.address for worker in workers])
        except Exception as error:  # one of them has just gone
            self._why = f"{type(error).__name__}: {error}"
            log.warning("the rows could not be sent to %d workers: %s", len(workers), self._why)
            return
        for worker in workers:
            lanes, folds = max(1, worker.threads // SIDE_BY_SIDE), min(SIDE_BY_SIDE, worker.threads)
            own = self._charter.constraints
            memory = min(own.memory_gb, (worker.memory or float("inf")) / GIB / lanes)
            constraints = own.model_copy(update={"memory_gb": memory})
            charter = self._charter.model_copy(update={"constraints": constraints})
            packed = _packed(load, charter, self._training, self._recipe, folds)
            given = (worker.address, packed, rows, memory, folds, self._seconds)
            for _ in range(lanes):
                post = self._scheduler.ask(Post, *given)
                self._lanes.append(_Lane(worker.address, lanes * folds, folds, post))

    def _meet(self) -> None:
        """Wait for the first lane; raises a Refusal where there will be none."""
        until = time.monotonic() + CONNECT
        while not self._roster.known and time.monotonic() < until and not self._over:
            self.step()
        if not self._roster.seen:
            raise Refusal(
                WHERE,
                f"found no worker at {self.address}",
                "wanted at least one",
                f"Start one: dask worker {self.address} --nthreads 4",
            )
        different = [words for one in self._roster.seen.values() if (words := one.difference)]
        if different:
            raise Refusal(
                WHERE,
                f"found that {'; '.join(different)}",
                "wanted the same versions here and on every worker, so that answers are the same",
                "Install the same requirements.lock and the same perennial there.",
            )
        until = time.monotonic() + self._seconds
        while self._free() is None and (self._lanes or not self._roster.known):
            if time.monotonic() > until or self._over:
                break
            self.step()
        if self._free() is None:
            raise Refusal(
                WHERE,
                f"found no worker at {self.address} that could load the rows: {self._why}",
                "wanted at least one",
                "Look at the workers' logs, or give them more memory.",
            )


def _packed(function: Callable[..., Any], *arguments: Any) -> bytes:
    return pickle.dumps((function, arguments))
