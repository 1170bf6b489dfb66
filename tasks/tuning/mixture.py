"""What may be mixed: trials with their out-of-fold answers, and the rows that a mixture is found on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tasks.models.base import Family
from tasks.tuning.climb import WEIGHED, Climb
from tasks.tuning.ground import Ground
from tasks.tuning.limits import broken
from tasks.tuning.scale import Weight
from tasks.tuning.search import Entry

WIDE = 8
"""Most trials that are mixed from, best first; at most DEEP of a family."""
DEEP = 2


@dataclass(frozen=True)
class Candidate:
    """A trial that may become a member, and what it answered out of fold."""

    climb: Climb
    entry: Entry
    answers: np.ndarray
    seconds: float
    """Of its fit on all rows; what is mixed is weighed once."""


def candidates(ground: Ground, climbs: Sequence[Climb]) -> list[Candidate]:
    """Best first: of families that can be mixed, whose answers still are there."""
    made = [one for climb in climbs for one in _of(ground, climb)]
    made.sort(key=lambda one: one.entry.score or 0.0, reverse=ground.greater)
    return made[:WIDE]


def mixable(family: Family) -> bool:
    """Whether a model of the family may be a member: one that is not the training rows themselves."""
    return family.style in ("tree", "scaled") and not family.remembers


def _of(ground: Ground, climb: Climb) -> Iterator[Candidate]:
    if not mixable(climb.family):
        return
    for entry in climb.ranked()[:DEEP]:
        answers = ground.folder.answers(climb.family.name, entry.number)
        if answers is not None:
            yield Candidate(climb, entry, answers, float(entry.notes["final"]) - WEIGHED)


def together(members: Sequence[Entry]) -> Weight:
    """What one graph of these weighs."""
    return Weight(
        sum(one.notes["mb"] for one in members), sum(one.notes["row_ms"] for one in members), 0.0
    )


def final_seconds(members: Sequence[Candidate]) -> float:
    """About how long their fits on all rows take, one after the other."""
    return WEIGHED + sum(one.seconds for one in members)


class Mix(NamedTuple):
    """How much each candidate counts, and the levels that a stack adds."""

    shares: np.ndarray
    levels: np.ndarray | None = None


@dataclass(frozen=True)
class Pool:
    """Candidates on the rows of some folds."""

    ground: Ground
    found: Sequence[Candidate]
    truth: np.ndarray
    each: Sequence[np.ndarray]
    """What each candidate answered for these rows."""
    places: Sequence[np.ndarray]
    """Where the rows of each fold stand in them."""
    seconds: float
    """What the members' fits on all rows may take together."""
    until: float
    """When the mixture has to be found, on the clock."""
    free: bool = False
    """Whether it may weigh what it likes."""

    @property
    def over(self) -> bool:
        return self.ground.clock.spent > self.until

    def allowed(self, at: Collection[int]) -> bool:
        """Whether the charter allows these candidates together."""
        members = [one for place, one in enumerate(self.found) if place in at]
        if final_seconds(members) > self.seconds:
            return False
        return self.free or not broken(
            self.ground.charter.constraints, together([one.entry for one in members])
        )

    def score(self, answers: np.ndarray) -> float:
        return score(self.ground, self.truth, answers, self.places)


class Way(Protocol):
    """How trials are mixed."""

    @property
    def family(self) -> Family: ...

    def mix(self, pool: Pool) -> Mix | None:
        """The mixture for these rows, nothing but zeros where there is none; None where time is over."""
        ...

    def answers(self, mix: Mix, each: Sequence[np.ndarray]) -> np.ndarray: ...


def places(ground: Ground) -> list[np.ndarray]:
    """Where the rows of each fold stand in the out-of-fold answers."""
    ends = np.cumsum([len(test) for test in ground.survey.tests])
    return np.split(np.arange(ends[-1]), ends[:-1])


def score(
    ground: Ground, truth: np.ndarray, answers: np.ndarray, folds: Sequence[np.ndarray]
) -> float:
    """The mean over the folds, as trials are scored."""
    scores = [ground.score(truth[places], answers[places]) for places in folds]
    known = [one for one in scores if np.isfinite(one)]
    return float(np.mean(known)) if known else float("nan")
