"""What the curve says, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.appraisal.forecast import Ahead, Doubt
from tasks.appraisal.spoken import figure, signed
from tasks.generators.base import Generator
from tasks.metrics import Interval, greater_is_better
from tasks.split import Training

if TYPE_CHECKING:
    from tasks.appraisal.generation import Judged
    from tasks.appraise import Answer

OPENING: dict[Answer, str] = {
    "enough": "There is enough data",
    "more": "More data would help",
    "unsure": "More data may help",
    "unknown": "Whether there is enough data is unknown",
}

UNTOLD = "the folds are too few to tell it from chance"


def said(training: Training, told: Ahead | Doubt, answer: Answer) -> str:
    """The answer, what twice the rows would bring, or why nobody can say."""
    if isinstance(told, Doubt):
        return f"{OPENING[answer]}: {told.why}."
    more = "twice as long a history" if training.time else "twice the rows"
    way = "raise" if greater_is_better(training.metric) else "lower"
    return (
        f"{OPENING[answer]}: {more} ({2 * training.rows:,} rows) would {way} {training.metric} by "
        f"about {figure(told.gain.value)} ({figure(told.gain.low)} to {figure(told.gain.high)}), "
        f"to {told.score.value:.4g}."
    )


def unknown(why: str) -> str:
    return f"{OPENING['unknown']}: {why}."


def made(training: Training, judged: Sequence[Judged], taken: Generator | None) -> str:
    """Whether generated rows help, and by how much."""
    told = [one for one in judged if one.gain is not None]
    if not told:
        whys = list(dict.fromkeys(one.trial.why for one in judged))
        return not_made("; ".join(why.removeprefix("not tried: ") for why in whys))
    if taken is not None:
        gain = next(one.gain for one in told if one.trial.generator is taken)
        assert gain is not None
        return (
            f"Generated rows help, so the model is fitted with {taken.about}: {training.metric} is "
            f"{gained(gain)} better over the folds, beyond chance. All rows that judge are real."
        )
    each = ", ".join(f"{one.trial.generator.about} {gained(one.gain)}" for one in told if one.gain)
    broken = [one.trial.why for one in told if one.better]
    end = f" One is {broken[0]}." if broken else ""
    return f"Generated rows would not improve {training.metric} beyond chance: {each}.{end}"


def not_made(why: str) -> str:
    return f"Generated rows were not tried: {why}."


def gained(gain: Interval) -> str:
    """Signed, with the interval where there is one."""
    if gain.low != gain.low:
        return f"{signed(gain.value)} (interval unknown: {UNTOLD})"
    return f"{signed(gain.value)} ({figure(gain.low)} to {figure(gain.high)})"
