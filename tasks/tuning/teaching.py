"""The rung of distillation: where a mixture leads that the charter cannot have, it teaches a model that it can.

The teacher is chosen as mixtures are, whatever it weighs. Its pupil is the best allowed model: of the
same family, with the same parameters. On each fold the teacher is fitted anew, on rows of the fit
side alone (`tasks/models/pupil.py`), so that nothing that judges was seen by who taught. The pupil is
kept only where it is better, beyond chance, than the same model without a teacher.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from charter.constraints import Constraints
from tasks.models.base import Value
from tasks.models.blend import members
from tasks.models.pupil import FOLDS
from tasks.models.taught import Taught, taught
from tasks.tuning.bench import Answer, try_folds
from tasks.tuning.blending import Blending
from tasks.tuning.choice import Choice, Contender
from tasks.tuning.crew import SIDE_BY_SIDE
from tasks.tuning.ground import Ground
from tasks.tuning.limits import broken
from tasks.tuning.mixture import Candidate, Way, places, score, together
from tasks.tuning.once import Once
from tasks.tuning.sandbox import Stopped, TookTooLong
from tasks.tuning.scale import Weight, weigh
from tasks.tuning.search import Entry

SHARE = 0.15
"""Of the charter's minutes, what is kept for teaching where the best trials together are not allowed."""
FEW = 4
"""Trials that a mixture is mostly made of."""
GROWN = 1.0
"""As many more rows as it has may a pupil learn from: those of which the teacher is not sure."""


class Teaching(Once):
    """Who is taught, by whom, and what it brought."""

    def __init__(
        self,
        ground: Ground,
        found: Sequence[Candidate],
        contenders: Sequence[Contender],
        seconds: float,
        ways: Sequence[Way],
    ) -> None:
        """`found`: who may teach or be taught, best first; `contenders`: what is allowed;
        `seconds`: what teaching may take, the final fit with it."""
        super().__init__(Taught())
        self._ground = ground
        self._found = found
        self._contenders = contenders
        self._until = ground.clock.spent + seconds
        self._ways = ways
        self._fits = len(ground.survey.fits)
        self.why = self._tried()

    def _tried(self) -> str:
        """Why nobody was taught, or nothing."""
        own = next(iter(self._found), None)
        alone = next((one for one in self._contenders if own and one.entry == own.entry), None)
        if own is None or alone is None:
            return "not tried: there is nobody to be taught"
        if not crowded(self._ground.charter.constraints, [one.entry for one in self._found]):
            return "not tried: no mixture would be too large or too slow"
        mixed = self._teacher(own)
        if mixed is None or mixed.best is None:
            return "not tried: there is no mixture that there is time to be taught by"
        notes, score = mixed.best.notes, mixed.best.score or 0.0
        heavy = self._broken(Weight(notes["mb"], notes["row_ms"], 0.0))
        if not heavy:
            return "not tried: the best mixture is allowed as it is"
        if not all(self._ground.better(score, one.score) for one in self._contenders):
            return "not tried: no mixture is better than what is allowed"
        try:
            return self._teach(own, alone, mixed, heavy)
        except Stopped as stopped:
            return f"not kept: its fit {stopped}"

    def _teacher(self, own: Candidate) -> Blending | None:
        """The mixture that would be taken, whatever it weighs."""
        every = self._fits + 1  # of each fold and of all rows
        seconds = self._until - self._ground.clock.spent - every * (1 + GROWN) * own.seconds
        each = seconds / (every * (FOLDS - 1))
        mixed = [Blending(self._ground, self._found, each, way, free=True) for way in self._ways]
        made = {one.contender.family: one for one in mixed if one.contender is not None}
        if not made:
            return None
        best = Choice(self._ground, [one.contender for one in made.values() if one.contender]).taken
        return made[best.family]

    def _teach(self, own: Candidate, alone: Contender, mixed: Blending, heavy: str) -> str:
        assert mixed.best is not None
        began, spent = time.time(), self._ground.clock.spent
        params = taught(own.climb.family.name, own.entry.params, mixed.best.params)
        final = (1 + GROWN) * own.seconds + (FOLDS - 1) * mixed.final_seconds()
        rows = [one for one in (own.climb.rows, mixed.rows) if one is not None]
        self.rows = min(rows) if rows else None
        answers = np.concatenate(self._answers(params, final))
        weight = self._ground.sandbox.call(weigh, seconds=self._left(final))
        found = score(self._ground, self._ground.truth, answers, places(self._ground))
        notes = {"mb": weight.mb, "row_ms": weight.row_ms, "final": final}
        entry = Entry(
            0, params, "complete", found, self._ground.clock.spent - spent, "", began, notes
        )
        mine = Contender(self.family.name, entry, answers)
        ahead = Choice(self._ground, [alone, mine]).ahead(mine, alone)
        told = f"{ahead.value:.3g} ({ahead.low:.3g} to {ahead.high:.3g})"
        why = self._broken(weight)
        if not why and not ahead.low > 0:
            why = f"not kept: no better than {alone.family} without a teacher, {told}"
        if why:
            notes = {**notes, "refused_score": found}
            self.entries = [replace(entry, state="pruned", score=None, why=why, notes=notes)]
            return why
        self.entries, self.contender = [entry], mine
        by = " and ".join(dict.fromkeys(one.family for one in members(params)))
        self.sampled = (
            f"{alone.family}, taught by a {mixed.family.name} of {by} that is {heavy}; "
            f"{told} better than without a teacher"
        )
        return ""

    def _answers(self, params: dict[str, Value], final: float) -> list[np.ndarray]:
        """For the test side of each fold."""
        made: list[Answer] = []
        self._ground.clock.say("a model is taught by a mixture")
        for first in range(0, self._fits, SIDE_BY_SIDE):
            folds = range(first, min(first + SIDE_BY_SIDE, self._fits))
            self._ground.ready()
            made += self._ground.sandbox.call(
                try_folds, self.family, params, folds, self.rows, seconds=self._left(final)
            )
        return [one.prediction for one in made]

    def _left(self, final: float) -> float:
        left = self._until - final - self._ground.clock.spent
        if left <= 0:  # a call that is stopped costs a new child
            raise TookTooLong("was given up because its time was over")
        return left

    def _broken(self, weight: Weight) -> str:
        return broken(self._ground.charter.constraints, weight)


def crowded(constraints: Constraints, found: Sequence[Entry]) -> bool:
    """Whether the best trials are not allowed together, so that a mixture of them may not be."""
    return bool(broken(constraints, together(found[:FEW])))
