"""Run time, lived again: the frozen model against the loop that the schedule keeps going."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from charter import Refusal
from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, FirstDay, LastDay, Overrides
from flows.retrain import retrain
from tasks.progress import finish
from tasks.replay import Replayed, publish, replaying


@flow(name="replay", persist_result=True, result_serializer="json")
def replay(
    charter: CharterFile, since: FirstDay = None, until: LastDay = None, overrides: Overrides = ()
) -> Replayed:
    """Send the rows behind `data.until` to the service, and let the schedule retrain.

    Happens in a root of its own, beside what is live. A retrain at a tick is the flow that the
    schedule starts in production, at the simulated time.
    """
    words = load(charter, overrides)
    with replaying(words, since, until) as lived:
        for tick in lived.ticks:
            steps.advance(lived, tick)
            turn = lived.note(tick, *_turn(charter, overrides, tick))
            finish("retrain", f"{turn.outcome}, release {turn.release} answers: {turn.reason}")
        steps.advance(lived, lived.until)
        replayed = lived.finish()
    return show(publish(words, replayed))


def _turn(charter: CharterFile, overrides: Overrides, tick: datetime) -> tuple[str, str]:
    """What the retrain did, and why; a refusal ends the retrain, as it would in production."""
    try:
        retrained = retrain(charter, reason="schedule", overrides=overrides, now=tick)
    except Refusal as refusal:
        return "refused", str(refusal)
    return retrained.outcome, retrained.reason
