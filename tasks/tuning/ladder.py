"""The climb through the families: who is tried, how the minutes are shared, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from charter import Charter
from charter.goal import Task
from tasks.models.base import Choice as Dimension
from tasks.models.base import Family, Space, Value
from tasks.models.blend import MADE, members, student
from tasks.models.foreseen import Shape
from tasks.models.portfolio import portfolio
from tasks.tune import Start
from tasks.tuning.blending import SHARE as BLENDING
from tasks.tuning.blending import Blending
from tasks.tuning.choice import Choice, Contender
from tasks.tuning.climb import Climb
from tasks.tuning.finals import Finals
from tasks.tuning.foresight import Foresight
from tasks.tuning.greedy import Greedy
from tasks.tuning.ground import Ground
from tasks.tuning.mixture import Way, candidates, mixable
from tasks.tuning.once import Once
from tasks.tuning.pace import LARGE
from tasks.tuning.sandbox import Stopped
from tasks.tuning.search import BaseStorage, Search, journal
from tasks.tuning.stacking import Stacking
from tasks.tuning.teaching import SHARE as TEACHING
from tasks.tuning.teaching import Teaching, crowded

PATIENCE = 12
"""Trials without a better one before a family rests, and 4 more for each of its parameters."""
FINAL_SHARE = 0.15
"""Most of the minutes that is kept for the final fit; one that needs more gets fewer rows."""
BLEND_SHARE = 0.25
"""The same, where the best is preferred: a blend is fitted, and its members one after the other; …"""
BLEND_FITS = 4
"""… room for so many fits of the best one, as long as nobody knows what is mixed."""
CHAMPION_SHARE = 0.4
"""Share of the search time that the champion's family has before all others."""
FIRST_SHARE = 0.2
"""Share of the search time that the first trial of a family may take if it has to, …"""
UNSEEN_SHARE = 0.5
"""… and as long as no model has seen the rows."""


WAYS: tuple[Way, ...] = (Greedy(), Stacking())
"""How trials are mixed, simplest first."""


def hindrance(charter: Charter, family: Family, task: Task) -> str:
    """Why a family is not tried, in words; empty where it is."""
    chosen = charter.tuning.families
    if task not in family.tasks:
        return f"not tried: not made for {task}"
    if chosen != "auto" and family.name not in chosen:
        return f"not tried: tuning.families is {', '.join(chosen)}"
    if charter.constraints.interpretable and not family.interpretable:
        return "not tried: constraints.interpretable, and its logic cannot be printed"
    if family.name == "heuristic" and charter.goal.heuristic is None:
        return "not tried: goal.heuristic gives no rules"
    if chosen == "auto" and family.name == "oddness" and charter.goal.target.anomalies is None:
        return "not tried: goal.target.anomalies is not asked for"
    if chosen == "auto" and family.name in MADE and charter.fairness.mitigated:
        return "not tried: fairness.mitigations may have to fit the model many times"
    if chosen == "auto" and charter.constraints.train_minutes < family.minutes:
        return f"not tried: families: auto has it from {family.minutes:g} minutes on"
    return ""


class Ladder:
    """The families of one study, simplest first."""

    def __init__(
        self, ground: Ground, families: Sequence[Family], start: Start | None = None
    ) -> None:
        self.ground = ground
        self.start = start
        self.families = tuple(families)
        task = ground.training.task
        self.hindered = {
            family.name: words
            for family in families
            if (words := hindrance(ground.charter, family, task) or self._too_heavy(family))
        }
        storage = journal(ground.folder.journal)
        self.climbs: dict[str, Climb] = {
            family.name: self._climb(storage, family)
            for family in families
            if family.name not in self.hindered and family.name not in MADE
        }
        self.made: dict[str, Once] = {}
        self._mixing: float | None = None
        """Seconds that mixing took."""
        self.finals = Finals(ground)
        self._start_seconds = ground.clock.run
        self.baselines: dict[str, str] = {}

    def _climb(self, storage: BaseStorage, family: Family) -> Climb:
        search, foresight = self._search(storage, family), self._foresight(family)
        return Climb(self.ground, family, search, _patience(family), foresight)

    def _foresight(self, family: Family) -> Foresight:
        survey, training = self.ground.survey, self.ground.training
        rows = max(survey.fits)
        if family.remembers:  # where there is no time for more, it gets fewer
            rows = min(rows, LARGE)
        shape = Shape(rows, survey.columns, len(training.classes))
        extent = survey.extents[family.style]
        return Foresight(family, training.task, shape, extent, self.ground.charter.constraints)

    def _space(self, family: Family) -> Space:
        survey = self.ground.survey
        space = family.space(self.ground.training.task, min(survey.fits), survey.columns)
        if "log" in space and not survey.skewed:
            return {**space, "log": Dimension((False,))}
        return space

    def _too_heavy(self, family: Family) -> str:
        """Why not even the lightest model of the family can be allowed, in words."""
        foresight, space = self._foresight(family), self._space(family)
        return foresight.broken({**family.start, **foresight.lightest(space, family.start)})

    def _search(self, storage: BaseStorage, family: Family) -> Search:
        ground, tuning = self.ground, self.ground.charter.tuning
        foresight = self._foresight(family)
        space = foresight.within(self._space(family), family.start)
        known = begun_with(self.start, family)
        return Search(
            storage,
            family.name,
            space,
            foresight.begin(space, family.start),
            tuning.search,
            known=known[0] if known else {},
            more=[
                foresight.begin(space, {**family.start, **point})
                for point in (*known[1:], *self._points(family, space))
            ],
            seed=ground.seed,
            greater=ground.greater,
            prune=tuning.prune,
        )

    @property
    def tried(self) -> dict[str, Climb | Once]:
        """What every rung that was tried came to, simplest first."""
        return {**self.climbs, **self.made}

    def _points(self, family: Family, space: Space) -> list[Mapping[str, Value]]:
        """What is tried early, on top of the family's start: its logarithm where there may be one,
        and its portfolio."""
        task, rows = self.ground.training.task, min(self.ground.survey.fits)
        other = [{"log": True}] if "log" in space and self.ground.survey.skewed else []
        return [*other, *portfolio(family.name, task, rows)]

    def climb(self) -> None:
        """Search every family in its share of the time, then the best ones in what is left; the
        mixtures are made of what they found, and the time that these leave is searched on.

        The champion's family begins, so that however short the time, a challenger can be what the
        champion is, fitted on the rows of today.
        """
        self._champion()
        for family in self.families:
            self._wait()
            room = self._end() - self.ground.clock.spent
            climb = self.climbs.get(family.name)
            if climb is not None:
                share = max(0.0, room * self._share(family))
                climb.run(share, self._end(), self._first(family) * room, others=self._seen())
            if family.name in self.ground.charter.evaluation.beat:
                self._baseline(family)
        self._again()
        self._blend()
        if not self._crowded() and self._again():  # a pupil is taught once
            self._blend()

    def _blend(self) -> None:
        """Its members' final fits together have what the search kept for one, and what it left."""
        began = self.ground.clock.spent
        ways = self._ways()
        found = candidates(self.ground, list(self.climbs.values()))
        comparing = self.choice().seconds() if self._by_score() else 0.0
        spare = max((climb.final_seconds() for climb in self._by_score()[:1]), default=0.0)
        blends: dict[str, Once] = {}
        for way in ways:
            seconds = self.left() - comparing - spare
            blends[way.family.name] = Blending(self.ground, found, seconds, way)
        self._mixing = self.ground.clock.spent - began
        self.made = blends
        if "taught" not in self.hindered:
            seconds = self.left() - comparing - spare
            teaching = Teaching(self.ground, found, self.contenders(), seconds, WAYS)
            self.made = {"taught": teaching, **blends}

    def _crowded(self) -> bool:
        """Whether the best trials are not allowed together, so that one may have to be taught."""
        mixed = [climb.best for climb in self._by_score() if mixable(climb.family)]
        best = [entry for entry in mixed if entry is not None]
        return "taught" not in self.hindered and crowded(self.ground.charter.constraints, best)

    def _ways(self) -> list[Way]:
        return [way for way in WAYS if way.family.name not in self.hindered]

    def _seen(self) -> bool:
        """Whether a family that learns has seen more than next to none of the rows."""
        return any(
            climb.best is not None and name not in ("dummy", "heuristic") and not climb.hardly()
            for name, climb in self.climbs.items()
        )

    def _champion(self) -> None:
        begun = [climb for climb in self.climbs.values() if begun_with(self.start, climb.family)]
        for place, climb in enumerate(begun):
            self._wait()
            room = CHAMPION_SHARE * max(0.0, self._end() - self.ground.clock.spent)
            share = room / (len(begun) - place)
            climb.run(share, self._end(), share)

    def _wait(self) -> None:
        with suppress(Stopped):  # what cannot load again will be told by the next call
            self.ground.ready()

    def _share(self, family: Family) -> float:
        """The family's part of the time that is left for it and those above it."""
        above = self.families[self.families.index(family) :]
        return family.effort / sum(one.effort for one in above if one.name in self.climbs)

    def _first(self, family: Family) -> float:
        """The share of the time that the family's first trial may take: a model at all comes before
        a better one, and preparing wide rows takes long."""
        if family.name == "dummy":
            return 1.0
        return FIRST_SHARE if self._seen() else UNSEEN_SHARE

    def _again(self) -> bool:
        """The time that is left goes to the best families, each until it rests again; whether that
        brought trials."""
        before = sum(climb.trials for climb in self.climbs.values())
        for climb in self._by_score():
            room = self._end() - self.ground.clock.spent
            if climb.searched or room <= 0:
                continue
            climb.again(2 * _patience(climb.family))
            climb.run(room, self._end(), 0.0)
        return sum(climb.trials for climb in self.climbs.values()) > before

    def _by_score(self) -> list[Climb]:
        found = [climb for climb in self.climbs.values() if climb.best is not None]
        sign = -1.0 if self.ground.greater else 1.0
        return sorted(
            found, key=lambda climb: sign * (climb.best.score or 0.0) if climb.best else 0
        )

    def _end(self) -> float:
        """When the search has to be over, on the clock: final fit and comparisons come after."""
        total = self.ground.clock.total
        leaders = self._by_score()
        final = self.ground.grown * leaders[0].final_seconds() if leaders else 0.0
        comparing = self.choice().seconds() if leaders else 0.0
        mixing = BLENDING * total * len(self._ways())
        if self._mixing is not None:
            mixing = min(mixing, 2 * self._mixing)
        comparing += mixing + TEACHING * total * self._crowded()
        reserve = min(max(final, 0.03 * total), FINAL_SHARE * total)
        if self.ground.charter.tuning.prefer == "best" and "blend" not in self.hindered:
            mixed = max((one.final_seconds() for one in self.made.values()), default=0.0)
            wanted = mixed + final if self.made else BLEND_FITS * final
            reserve = min(max(wanted, reserve), BLEND_SHARE * total)
        child = min(self._start_seconds, FINAL_SHARE * total)  # the last call may have been stopped
        return total - self.ground.closing - reserve - comparing - child

    def contenders(self) -> list[Contender]:
        """The best trial of each family that has one, simplest first, and the mixtures."""
        found = []
        for name, climb in self.climbs.items():
            for entry in climb.ranked():
                answers = self.ground.folder.answers(name, entry.number)
                if answers is not None:
                    found.append(Contender(climb.family.name, entry, answers))
                    break
        made = [one.contender for one in self.made.values()]
        return [*found, *(one for one in made if one is not None)]

    def choice(self, but: frozenset[tuple[str, int]] = frozenset()) -> Choice:
        """The comparison of the contenders, without those whose final fit was not allowed."""
        kept = [one for one in self.contenders() if (one.family, one.entry.number) not in but]
        return Choice(self.ground, kept)

    def _baseline(self, family: Family) -> None:
        """A family of `evaluation.beat` is fitted as soon as it has been searched."""
        climb = self.climbs.get(family.name)
        if climb is not None and climb.best is not None:
            final = self.finals.winner(climb, climb.best, self.left())
        else:
            final = self.finals.baseline(family, family.start, FIRST_SHARE * self.left())
        if final is not None:
            self.baselines[family.name] = final.where

    def instead(self, winner: Contender) -> float:
        """Seconds that are kept for the best family's own fit, should that of a mixture not end."""
        best = self._by_score()[:1] if winner.family in MADE else []
        return sum(climb.final_seconds() for climb in best)

    def left(self) -> float:
        """Seconds that a final fit may take."""
        return self.ground.clock.left - self.ground.closing


def begun_with(start: Start | None, family: Family) -> list[Mapping[str, Value]]:
    """What the family had in the live release, alone, in a mixture or taught by one; empty where it had no part."""
    if start is None:
        return []
    if start.family not in MADE:
        return [start.params] if start.family == family.name else []
    found = [(one.family, one.params) for one in members(start.params)]
    if "student" in start.params:
        found = [student(start.params), *found]
    return [params for name, params in found if name == family.name]


def _patience(family: Family) -> int:
    return PATIENCE + 4 * len(family.start)
