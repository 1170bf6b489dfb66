"""What the curve says, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.appraisal.forecast import Ahead, Doubt
from tasks.metrics import greater_is_better
from tasks.split import Training

if TYPE_CHECKING:
    from tasks.appraise import Answer

OPENING: dict[Answer, str] = {
    "enough": "There is enough data",
    "more": "More data would help",
    "unsure": "More data may help",
    "unknown": "Whether there is enough data is unknown",
}


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


def figure(value: float) -> str:
    """Two digits that count, with a real minus sign."""
    shown = f"{value:.2g}" if 1e-4 <= abs(value) < 100 else f"{value:.0f}" if value else "0"
    return shown.replace("-", "−")
