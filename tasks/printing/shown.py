"""Whether a model's logic is shown, and the logic."""

from __future__ import annotations

from charter import Charter
from serving.home import place
from tasks.printing.logic import Printed, logic
from tasks.split import Training

MOST = 60
"""Most rows of a table that a reader gets without `constraints.interpretable`."""


def shown(model: str, training: Training, charter: Charter) -> Printed | None:
    """The logic of the model on the shelf; None where it cannot be printed, or is long and nobody
    asked for it."""
    from tasks.models.shelf import take

    found = logic(take(place(model)), training.classes, training.target)
    if found is None or (len(found.rows) > MOST and not charter.constraints.interpretable):
        return None
    return found
