"""The search of one family: trial after trial, fold after fold, each with a deadline."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import numpy as np

from charter import Refusal
from serving.home import place
from tasks.models.base import Family
from tasks.models.shelf import put
from tasks.tuning.bench import Answer, try_folds
from tasks.tuning.crew import Call, Ready, Trial
from tasks.tuning.folder import KEPT
from tasks.tuning.foresight import Foresight
from tasks.tuning.ground import Ground
from tasks.tuning.limits import broken
from tasks.tuning.pace import LARGE, Sample, afford
from tasks.tuning.sandbox import Failed, Stopped, TookTooLong
from tasks.tuning.scale import Weight, shelved, weigh
from tasks.tuning.search import INTERRUPTED, Attempt, Entry, Search

log = logging.getLogger(__name__)

FAILURES = 3
"""So many trials in a row without an answer, and the family is left."""
THIN = 0.1
"""A family that could see less than this share of the rows, and fewer than are tried as they are, has
nothing to say beside one that saw more."""
WEIGHED, SAFE = 1.0, 1.3
"""Seconds that a fitted model takes to be weighed as a graph, and how much longer its fit may take than
those of the folds let expect."""
STRAYED = 30.0
"""A fold that takes this many times the slowest one so far hangs …"""
STRAYED_SECONDS = 5.0
"""… unless it is still below this."""


class Climb:
    """One family's trials, its best allowed one, and how long it takes."""

    def __init__(
        self,
        ground: Ground,
        family: Family,
        search: Search,
        patience: int,
        foresight: Foresight,
    ) -> None:
        self.family = family
        self._foresight = foresight
        self._ground = ground
        self._search = search
        self._patience = patience
        self._stale = 0
        self.searched = False
        """Whether there is nothing left to try."""
        self.failures = 0
        self.sample: Sample | None = None
        self.why = ""
        """Why the last trial that brought no answer did not."""
        self.prepare_seconds = 0.0
        self._remember()

    @property
    def entries(self) -> list[Entry]:
        return self._search.entries()

    @property
    def trials(self) -> int:
        return sum(entry.why != INTERRUPTED for entry in self.entries)

    @property
    def seconds(self) -> float:
        return sum(entry.seconds for entry in self.entries)

    def ranked(self) -> list[Entry]:
        """Allowed trials whose weight is known and whose answers are kept, best first."""
        known = [entry for entry in self.entries if entry.score is not None and "mb" in entry.notes]
        known.sort(key=lambda entry: entry.score or 0.0, reverse=self._ground.greater)
        return known[:KEPT]

    @property
    def best(self) -> Entry | None:
        return next(iter(self.ranked()), None)

    @property
    def rows(self) -> int | None:
        """Rows that folds are fitted on; None: all of them."""
        return self.sample.rows if self.sample else None

    @property
    def sampled(self) -> str:
        """Why only some rows are fitted, in words."""
        return self.sample.why if self.sample else ""

    def final_seconds(self) -> float:
        """How long the final fit of the best trial should take at most."""
        return float(self.best.notes["final"]) if self.best else 0.0

    def _final_seconds(self, trial: float) -> float:
        """The same, from the seconds that the folds of a trial took one by one."""
        survey, sample = self._ground.survey, self.sample
        used = [min(fit, self.rows or fit) for fit in survey.fits]
        prepare = self.prepare_seconds * survey.rows / max(used)
        if sample is None or sample.rows is None or sample.pace is None:
            fit = trial / len(used) * survey.rows / float(np.mean(used))
        else:
            tests = tuple(len(test) for test in survey.tests)
            usual = sample.pace.trial(survey.fits, tests, sample.rows)
            rows = sample.rows if self.family.remembers else survey.rows
            fit = max(1.0, trial / max(1e-3, usual)) * sample.pace.fit(rows)
        return WEIGHED + SAFE * (prepare + fit)

    def run(self, share: float, end: float, first: float, others: bool = False) -> None:
        """Try until `share` seconds are over, nothing gets better, or the space is searched.

        `end` is the time on the clock when the last call has to be over; `first` is how many
        seconds the first trial may take. Where there are `others` that see the rows, a family that
        could see next to none of them in its time is not tried.
        """
        clock = self._ground.clock
        over = min(end, clock.spent + share)
        hard = min(end, clock.spent + max(1.5 * share, first))
        try:
            self._afford(share, hard - clock.spent)
        except Stopped as stopped:
            self._stop(stopped)
            return
        if others and not self.entries and self.hardly():
            self.searched = True
            every = max(self._ground.survey.fits)
            self.why = f"not tried: in its time it could see {self.rows:,} of {every:,} rows"
            return
        while self._more(over):
            attempt = self._search.next()
            if attempt is None:
                self.searched = True
            else:
                self._ground.crew.begin(partial(self._try, attempt, hard))

    def _more(self, over: float) -> bool:
        """Whether to begin another trial, now that there is room for it; where not, all have ended."""
        crew, clock = self._ground.crew, self._ground.clock
        crew.room(over - clock.spent)
        while not self._goes_on(over):
            if not crew.busy:
                return False
            crew.step()
            crew.room(over - clock.spent)
        return True

    def hardly(self) -> bool:
        """Whether it sees next to none of the rows."""
        rows = self.rows
        return rows is not None and rows < min(LARGE, THIN * max(self._ground.survey.fits))

    def _goes_on(self, over: float) -> bool:
        if self.failures >= FAILURES or self._capped():
            self.searched = True
        if self._stale >= self._patience:
            return False
        left = over - self._ground.clock.spent
        return not self.searched and left > self._usual()

    def _capped(self) -> bool:
        most = self._ground.charter.tuning.trials
        return most is not None and self.trials + self._search.running >= most

    def _usual(self) -> float:
        """Seconds of a trial, as the last ones took; of those given up, where none was complete."""
        entries = self.entries
        known = [one.seconds for one in entries if one.state == "complete"] or [
            one.seconds for one in entries if one.state == "pruned"
        ]
        return float(np.mean(known[-5:])) if known else 0.0

    def again(self, patience: int) -> None:
        """Let a family that had come to rest go on."""
        self._stale = 0
        self._patience = patience

    def _afford(self, share: float, limit: float) -> None:
        if self.sample is None:
            self.sample = afford(self._ground, self.family, share, limit)

    def _remember(self) -> None:
        """Go on with the sample that an earlier run used."""
        for entry in self.entries:
            if "rows" in entry.notes:
                self.sample = Sample(entry.notes["rows"], entry.notes["sampled"])

    def _try(self, attempt: Attempt, hard: float, side: int) -> Trial:
        """One trial, `side` folds at a time."""
        began = self._ground.clock.spent
        notes: dict[str, object] = {"rows": self.rows, "sampled": self.sampled}
        foreseen = self._foresight.broken(attempt.params)
        if foreseen:
            attempt.prune(0.0, foreseen, **notes)
            self.why = foreseen
            self._stale += 1
            return
        try:
            answers = yield from self._folds(attempt, hard, side)
            if answers is None:
                attempt.prune(self._ground.clock.spent - began, "fell behind", **notes)
                self._stale += 1
                return
            yield from self._finish(attempt, answers, began, hard, notes)
            self.failures = 0
        except (Stopped, Refusal) as stopped:  # a refusal: a step that the graph cannot hold
            attempt.fail(self._ground.clock.spent - began, str(stopped), **notes)
            self._stop(stopped)

    def _stop(self, stopped: Stopped | Refusal) -> None:
        self.failures += 1
        self.why = str(stopped)
        log.info("%s: %s", self.family.name, stopped)

    def _folds(
        self, attempt: Attempt, hard: float, side: int
    ) -> Generator[Call | Ready, Any, list[Answer] | None]:
        """What each fold gave; None where the trial was given up."""
        answers: list[Answer] = []
        slowest = 0.0
        self._say(attempt)
        for first in range(0, self._of(), side):
            folds = range(first, min(first + side, self._of()))
            yield Ready(self._ground.until_closing)
            began = self._ground.clock.spent
            made: list[Answer] = yield Call(
                try_folds, self.family, attempt.params, folds, self.rows,
                seconds=self._limit(hard, slowest, side),
            )  # fmt: skip
            slowest = max(slowest, self._ground.clock.spent - began)
            self.prepare_seconds = max(self.prepare_seconds, *(one.prepare_seconds for one in made))
            answers += made
            score = self._mean(answers)
            if (
                np.isfinite(score)
                and attempt.report(folds[-1], score)
                and len(answers) < self._of()
            ):
                return None
        return answers

    def _of(self) -> int:
        return len(self._ground.survey.fits)

    def _limit(self, hard: float, slowest: float, side: int) -> float:
        left = hard - self._ground.clock.spent
        if left <= slowest:  # a call that is stopped costs a new child
            raise TookTooLong("was given up because its time was over")
        parts = -(-self._of() // side)
        usual = max(slowest, self._usual() / parts) if self.best or slowest else None
        return left if usual is None else min(left, max(STRAYED_SECONDS, STRAYED * usual))

    def _mean(self, answers: Sequence[Answer]) -> float:
        tests = self._ground.survey.tests
        truth = self._ground.survey.truth
        scores = [
            self._ground.score(truth[test], answer.prediction)
            for test, answer in zip(tests, answers, strict=False)
        ]
        known = [score for score in scores if np.isfinite(score)]
        return float(np.mean(known)) if known else float("nan")

    def _finish(
        self,
        attempt: Attempt,
        answers: list[Answer],
        began: float,
        hard: float,
        notes: dict[str, object],
    ) -> Trial:
        """Tell the search the score; a trial that leads is weighed first and has to be allowed."""
        clock = self._ground.clock
        score = self._mean(answers)
        if not np.isfinite(score):
            raise Failed(f"has no {self._ground.training.metric}: the folds' rows cannot say")
        seconds = clock.spent - began
        if not self._leads(score):
            attempt.complete(score, seconds, **notes)
            self._stale += 1
            return
        weight = yield from self._weigh(score, max(1.0, hard - clock.spent))
        notes |= {
            "mb": weight.mb,
            "row_ms": weight.row_ms,
            "final": self._final_seconds(sum(one.seconds for one in answers)),
        }
        reason = broken(self._ground.charter.constraints, weight)
        if reason:
            attempt.prune(seconds, reason, refused_score=score, **notes)
            self.why = reason
            self._stale += 1
            return
        self._ground.folder.keep_answers(
            self.family.name, attempt.number, np.concatenate([one.prediction for one in answers])
        )
        attempt.complete(score, seconds, **notes)
        self._ground.folder.drop_answers(self.family.name, {e.number for e in self.ranked()})
        self._stale = 0

    def _leads(self, score: float) -> bool:
        return self._ground.better(score, self.best.score if self.best else None)

    def _weigh(self, score: float, seconds: float) -> Generator[Call | Ready, Any, Weight]:
        """The weight of the last fold's model, grown to all rows where it is made of them."""
        weight: Weight = yield Call(weigh, seconds=seconds)
        where = self._ground.folder.file(f"models/{self.family.name}-fold.skops")
        if not broken(self._ground.charter.constraints, weight):
            content: bytes | None = yield Call(shelved, seconds=seconds)
            if content and self._leads(score):  # another trial may have ended meanwhile
                put(content, place(where))
        if not self.family.remembers:
            return weight
        survey = self._ground.survey
        fitted = min(survey.fits[-1], self.rows or survey.fits[-1])
        grown = min(survey.rows, self.rows or survey.rows) / fitted
        return Weight(weight.mb * grown, weight.row_ms * grown, weight.difference)

    def _say(self, attempt: Attempt) -> None:
        best = self.best
        found = f": best {best.score:.4g}" if best is not None and best.score is not None else ""
        self._ground.clock.say(f"{self.family.name} trial {attempt.number + 1}{found}")
