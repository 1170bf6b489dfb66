"""The words and numbers for each rung of the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.models.base import Family
from tasks.tuning.choice import Contender
from tasks.tuning.climb import Climb
from tasks.tuning.ladder import Ladder
from tasks.tuning.once import Once
from tasks.tuning.outcome import Outcome

if TYPE_CHECKING:
    from tasks.tune import Rung


def rungs(ladder: Ladder, outcome: Outcome) -> tuple[Rung, ...]:
    """Every family of the catalogue, simplest first."""
    return tuple(_rung(ladder, outcome, family) for family in ladder.families)


def _rung(ladder: Ladder, outcome: Outcome, family: Family) -> Rung:
    from tasks.tune import Rung

    climb = ladder.tried.get(family.name)
    if climb is None:
        more = ", fitted as a baseline only" if family.name in ladder.baselines else ""
        return Rung(family=family.name, why=ladder.hindered[family.name] + more)
    found = [one for one in outcome.choice.contenders if one.family == family.name]
    if not found:
        return _without(climb, outcome)
    return _with(climb, outcome, found[0], ladder.ground.drawn)


def _without(climb: Climb | Once, outcome: Outcome) -> Rung:
    """A family of which no trial is allowed, or whose final model was not."""
    from tasks.tune import Rung

    name = climb.family.name
    refused = [
        (entry.notes["refused_score"], entry) for entry in climb.entries
        if "refused_score" in entry.notes
    ]  # fmt: skip
    why = outcome.demoted.get(name) or climb.why or "no trial ended: its time was over"
    if not refused:
        return Rung(family=name, trials=climb.trials, seconds=climb.seconds, why=why)
    score, entry = refused[-1]  # each one led the others when it was weighed
    return Rung(
        family=name, params=entry.params, score=score, trials=climb.trials, seconds=climb.seconds,
        row_ms=entry.notes["row_ms"], model_mb=entry.notes["mb"], why=why,
    )  # fmt: skip


def _with(climb: Climb | Once, outcome: Outcome, contender: Contender, drawn: str) -> Rung:
    from tasks.tune import Rung

    taken = contender is outcome.winner
    interval = outcome.choice.interval(contender)
    final = outcome.final.weight if taken else None
    notes = [
        outcome.choice.why(contender),
        drawn if taken else "",
        climb.sampled,
        outcome.final.note if taken else "",
        f"a first choice was {outcome.demoted[contender.family]}"
        if contender.family in outcome.demoted
        else "",
    ]
    return Rung(
        family=climb.family.name, params=contender.entry.params, score=contender.score,
        low=interval.low, high=interval.high, trials=climb.trials, seconds=climb.seconds,
        row_ms=final.row_ms if final else contender.entry.notes["row_ms"],
        model_mb=final.mb if final else contender.entry.notes["mb"],
        taken=taken, why="; ".join(note for note in notes if note),
    )  # fmt: skip
