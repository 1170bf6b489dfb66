"""Rungs on top of the ladder: which trials a mixture is made of, how much each counts, what it scores.

What a mixture is said to score is no part of what its weights were chosen by: the answers of each
fold are weighted as the other folds would have it. How weights are chosen: `greedy.py`, `stacking.py`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tasks.models.blend import Member, spelled
from tasks.tuning.choice import Contender
from tasks.tuning.ground import Ground
from tasks.tuning.mixture import Candidate, Mix, Pool, Way, final_seconds, places, score, together
from tasks.tuning.once import Once
from tasks.tuning.search import Entry

ROWS = 12_000
"""Out-of-fold rows that weights are chosen on."""
SHARE = 0.02
"""Of the charter's minutes, what the choosing may take for each way."""
LEAST = 2
"""Members of a mixture."""


class Blending(Once):
    """The rung of a mixture."""

    def __init__(
        self,
        ground: Ground,
        found: Sequence[Candidate],
        seconds: float,
        way: Way,
        free: bool = False,
    ) -> None:
        """`found`: what may be mixed, best first; `seconds` is how long its members' fits on all
        rows may take together; a `free` one may weigh what it likes."""
        super().__init__(way.family)
        self._ground = ground
        self._found = found
        self._seconds = seconds
        self._way = way
        self._free = free
        self._until = ground.clock.spent + SHARE * ground.clock.total
        self._mix()

    def _mix(self) -> None:
        began = time.time()
        if len(self._folds) < LEAST or len({one.climb.family.name for one in self._found}) < LEAST:
            self.why = "not tried: it takes two folds and the trials of two families"
            return
        chosen = self._chosen(range(len(self._folds)))
        if chosen is None or np.count_nonzero(chosen.shares) < LEAST:
            self.why = "not tried: no mixture of trials is better than the best one alone"
            return
        answers = self._crossed()
        if answers is None:
            self.why = "not tried: there was no time to weigh its members"
            return
        members = [one for one, share in zip(self._found, chosen.shares, strict=True) if share]
        fewer = [one.climb.rows for one in members if one.climb.rows is not None]
        self.rows = min(fewer) if fewer else None
        self.sampled = f"a member was searched on {self.rows:,} rows" if fewer else ""
        entry = self._entry(members, chosen, answers, began)
        self.entries = [entry]
        self.contender = Contender(self.family.name, entry, answers)

    def _entry(
        self, members: list[Candidate], mix: Mix, answers: np.ndarray, began: float
    ) -> Entry:
        shares = [float(share) for share in mix.shares if share]
        params = spelled(
            [Member(one.climb.family.name, one.entry.params, share)
             for one, share in zip(members, shares, strict=True)],
            None if mix.levels is None else mix.levels.tolist(),
        )  # fmt: skip
        weight = together([one.entry for one in members])
        notes = {
            "mb": weight.mb,
            "row_ms": weight.row_ms,
            "final": final_seconds(members),
        }
        found = score(self._ground, self._ground.truth, answers, self._folds)
        return Entry(0, params, "complete", found, time.time() - began, "", began, notes)

    @cached_property
    def _folds(self) -> list[np.ndarray]:
        return places(self._ground)

    @cached_property
    def _some(self) -> list[np.ndarray]:
        """As many of them as weights are chosen on."""
        rng = np.random.default_rng(self._ground.seed)
        most = max(1, ROWS // len(self._folds))
        return [np.sort(rng.permutation(fold)[:most]) for fold in self._folds]

    def _chosen(self, folds: Sequence[int]) -> Mix | None:
        """The mixture as these folds would have it; None where time is over."""
        some = np.concatenate([self._some[fold] for fold in folds])
        ends = np.cumsum([len(self._some[fold]) for fold in folds])
        return self._way.mix(
            Pool(
                self._ground, self._found, self._ground.truth[some],
                [one.answers[some] for one in self._found],
                np.split(np.arange(len(some)), ends[:-1]), self._seconds, self._until, self._free,
            )
        )  # fmt: skip

    def _crossed(self) -> np.ndarray | None:
        """Answers for each fold by the weights that the other folds chose."""
        answers = np.zeros_like(self._found[0].answers)
        for fold, rows in enumerate(self._folds):
            mix = self._chosen([other for other in range(len(self._folds)) if other != fold])
            if mix is None:
                return None
            answers[rows] = self._way.answers(mix, [one.answers[rows] for one in self._found])
        return answers
