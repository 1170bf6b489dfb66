"""From the climb to the winner: who is taken, its final fit, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

from charter import Refusal
from tasks.tuning.choice import Choice, Contender
from tasks.tuning.finals import Final
from tasks.tuning.ladder import Ladder


@dataclass(frozen=True)
class Outcome:
    """The winner, fitted, and the comparison that it came out of."""

    winner: Contender
    final: Final
    choice: Choice
    demoted: dict[str, str]
    """Families whose final fit broke a constraint or did not end, and how."""


def settle(ladder: Ladder) -> Outcome:
    """Take a rung and fit it; one whose final model is not allowed makes room for the next.

    Raises a Refusal when no model is left, or a baseline that has to be beaten has none.
    """
    _baselines(ladder)
    but: set[tuple[str, int]] = set()
    demoted: dict[str, str] = {}
    while (choice := ladder.choice(frozenset(but))).contenders:
        winner = choice.taken
        climb = ladder.tried[winner.family]
        final = ladder.finals.winner(climb, winner.entry, ladder.left() - ladder.instead(winner))
        reason = ladder.finals.broken(final) if final else "its final fit did not end in time"
        if final is not None and not reason:
            return Outcome(winner, final, choice, demoted)
        demoted[winner.family] = reason
        but.add((winner.family, winner.entry.number))
    raise _nothing(ladder)


def _baselines(ladder: Ladder) -> None:
    for name in ladder.ground.charter.evaluation.beat:
        if name not in ladder.baselines:
            raise Refusal(
                f"charter.evaluation.beat.{name}",
                f"found no fit of {name}: it {ladder.finals.why.get(name, 'was not reached')}",
                f"wanted it fitted within {_minutes(ladder)}",
                "Raise constraints.train_minutes, or take it out of evaluation.beat.",
            )


def _nothing(ladder: Ladder) -> Refusal:
    """Why there is no model, named after the constraint that most trials ran into."""
    whys = {name: climb.why for name, climb in ladder.climbs.items() if climb.why}
    whys |= {name: why for name, why in ladder.hindered.items() if why.startswith("too ")}
    said = "; ".join(f"{name} {why}" for name, why in whys.items()) or "no trial ended"
    for sign, key, remedy in (
        (" GiB of ", "memory_gb", "Raise it, or train on fewer rows."),
        ("too large", "model_mb", "Raise it, or allow smaller families in tuning.families."),
        ("too slow", "latency_p99_ms", "Raise it, or allow faster families in tuning.families."),
    ):
        if whys and all(sign in why for why in whys.values()):
            return Refusal(f"charter.constraints.{key}", f"found {said}", "wanted a model", remedy)
    return Refusal(
        "charter.constraints.train_minutes",
        f"found no model after {_minutes(ladder)} ({said})",
        "wanted at least one",
        "Raise it, or name simpler families in tuning.families.",
    )


def _minutes(ladder: Ladder) -> str:
    return f"{ladder.ground.charter.constraints.train_minutes:g} minutes"
