"""The blend on top of the ladder: which trials it is made of, how much each counts, what it scores.

Greedy selection with replacement over out-of-fold answers (Caruana and others, 2004). What the blend
is said to score is no part of what its weights were chosen by: the answers of each fold are
weighted as the other folds would have it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.models.blend import Blend, Member, spelled
from tasks.tuning.choice import Contender
from tasks.tuning.climb import Climb
from tasks.tuning.ground import Ground
from tasks.tuning.limits import broken
from tasks.tuning.scale import Weight
from tasks.tuning.search import Entry

ROUNDS = 12
"""Most picks: a share is a multiple of what one is worth."""
WIDE = 8
"""Most trials that are picked from, best first; at most DEEP of a family."""
DEEP = 2
ROWS = 12_000
"""Out-of-fold rows that picks are compared on."""
SHARE = 0.02
"""Of the charter's minutes, what the picking may take."""
LEAST = 2
"""Members of a blend."""


@dataclass(frozen=True)
class Candidate:
    """A trial that may become a member, and what it answered out of fold."""

    climb: Climb
    entry: Entry
    answers: np.ndarray
    seconds: float
    """Of its fit on all rows."""

    @property
    def weight(self) -> Weight:
        return Weight(self.entry.notes["mb"], self.entry.notes["row_ms"], 0.0)


class Blending:
    """The rung of the blend, like that of a family that has been climbed."""

    def __init__(self, ground: Ground, climbs: Sequence[Climb], seconds: float) -> None:
        """`seconds` is how long its members' fits on all rows may take together."""
        self._ground = ground
        self._climbs = climbs
        self._seconds = seconds
        self._until = ground.clock.spent + SHARE * ground.clock.total
        self.family = Blend()
        self.rows: int | None = None
        self.sampled = ""
        self.why = ""
        """Why there is no blend, in words."""
        self.entries: list[Entry] = []
        self.contender: Contender | None = None
        self._mix()

    @property
    def trials(self) -> int:
        return len(self.entries)

    @property
    def seconds(self) -> float:
        return sum(entry.seconds for entry in self.entries)

    @property
    def best(self) -> Entry | None:
        return next(iter(self.entries), None)

    def final_seconds(self) -> float:
        return float(self.best.notes["final"]) if self.best else 0.0

    def _mix(self) -> None:
        began = time.time()
        if len(self._folds) < LEAST or len({one.climb.family.name for one in self._found}) < LEAST:
            self.why = "not tried: it takes two folds and the trials of two families"
            return
        chosen = self._picked(range(len(self._folds)))
        if chosen is None or np.count_nonzero(chosen) < LEAST:
            self.why = "not tried: no mixture of trials is better than the best one alone"
            return
        answers = self._crossed()
        if answers is None:
            self.why = "not tried: there was no time to weigh its members"
            return
        members = [one for one, share in zip(self._found, chosen, strict=True) if share]
        fewer = [one.climb.rows for one in members if one.climb.rows is not None]
        self.rows = min(fewer) if fewer else None
        self.sampled = f"a member was searched on {self.rows:,} rows" if fewer else ""
        shares = [float(share) for share in chosen if share]
        entry = self._entry(members, shares, answers, began)
        self.entries = [entry]
        self.contender = Contender("blend", entry, answers)

    def _entry(
        self, members: list[Candidate], shares: list[float], answers: np.ndarray, began: float
    ) -> Entry:
        params = spelled(
            [Member(one.climb.family.name, one.entry.params, share)
             for one, share in zip(members, shares, strict=True)]
        )  # fmt: skip
        notes = {
            "mb": sum(one.weight.mb for one in members),
            "row_ms": sum(one.weight.row_ms for one in members),
            "final": sum(one.seconds for one in members),
        }
        score = self._score(self._ground.truth, answers, self._folds)
        return Entry(0, params, "complete", score, time.time() - began, "", began, notes)

    @cached_property
    def _folds(self) -> list[np.ndarray]:
        """Where the rows of each fold stand in the out-of-fold answers."""
        ends = np.cumsum([len(test) for test in self._ground.survey.tests])
        return np.split(np.arange(ends[-1]), ends[:-1])

    @cached_property
    def _some(self) -> list[np.ndarray]:
        """As many of them as picks are compared on."""
        rng = np.random.default_rng(self._ground.seed)
        most = max(1, ROWS // len(self._folds))
        return [np.sort(rng.permutation(fold)[:most]) for fold in self._folds]

    @cached_property
    def _found(self) -> list[Candidate]:
        """What may be mixed, best first: families that can be, and answers that still are there."""
        made = [one for climb in self._climbs for one in self._of(climb)]
        made.sort(key=lambda one: one.entry.score or 0.0, reverse=self._ground.greater)
        return made[:WIDE]

    def _of(self, climb: Climb) -> Iterator[Candidate]:
        if climb.family.style not in ("tree", "scaled") or climb.family.remembers:
            return
        for entry in climb.ranked()[:DEEP]:
            answers = self._ground.folder.answers(climb.family.name, entry.number)
            if answers is not None:
                yield Candidate(climb, entry, answers, float(entry.notes["final"]))

    def _picked(self, folds: Sequence[int]) -> np.ndarray | None:
        """The share of each candidate, as these folds would have it; None where time is over.

        A pick that is no better goes on: what is picked again and again comes to a larger share.
        """
        some = np.concatenate([self._some[fold] for fold in folds])
        ends = np.cumsum([len(self._some[fold]) for fold in folds])
        places = np.split(np.arange(len(some)), ends[:-1])
        truth, each = self._ground.truth[some], [one.answers[some] for one in self._found]
        counts = taken = np.zeros(len(each))
        total, best = np.zeros_like(each[0]), None
        for pick in range(1, ROUNDS + 1):
            scores = {
                at: self._score(truth, (total + answers) / pick, places)
                for at, answers in enumerate(each)
                if self._allowed(counts, at)
            }
            if self._ground.clock.spent > self._until:
                return None
            sign = 1.0 if self._ground.greater else -1.0
            known = {at: score for at, score in scores.items() if np.isfinite(score)}
            if not known:
                break
            top = max(known, key=lambda at: sign * known[at])
            counts = counts + (np.arange(len(counts)) == top)
            total = total + each[top]
            if self._ground.better(known[top], best):  # the next picks may be better still
                taken, best = counts, known[top]
        return np.asarray(taken / max(1.0, taken.sum()))

    def _allowed(self, counts: np.ndarray, at: int) -> bool:
        """Whether the charter allows what was picked together with this one."""
        members = [one for place, one in enumerate(self._found) if counts[place] or place == at]
        weight = Weight(
            sum(one.weight.mb for one in members), sum(one.weight.row_ms for one in members), 0.0
        )
        seconds = sum(one.seconds for one in members)
        return seconds <= self._seconds and not broken(self._ground.charter.constraints, weight)

    def _crossed(self) -> np.ndarray | None:
        """Answers for each fold by the shares that the other folds chose."""
        answers = np.zeros_like(self._found[0].answers)
        for fold, places in enumerate(self._folds):
            others = [other for other in range(len(self._folds)) if other != fold]
            shares = self._picked(others)
            if shares is None:
                return None
            for share, one in zip(shares, self._found, strict=True):
                answers[places] += share * one.answers[places]
        return answers

    def _score(self, truth: np.ndarray, answers: np.ndarray, folds: Sequence[np.ndarray]) -> float:
        """The mean over the folds, as trials are scored."""
        scores = [self._ground.score(truth[places], answers[places]) for places in folds]
        known = [score for score in scores if np.isfinite(score)]
        return float(np.mean(known)) if known else float("nan")
