"""What a study remembers of the mitigation that its model was made with."""

from __future__ import annotations

from charter import Frozen
from charter.fairness import MitigationName
from serving.signature import Decision
from tasks.auditing.groups import Axis


class Applied(Frozen):
    """Enough to make the same mitigation again on other rows."""

    name: MitigationName
    settings: tuple[float, ...] = ()
    """What `Mitigation.settle` read off the training rows."""
    decision: Decision
    """How probabilities become answers."""
    axes: tuple[Axis, ...]
    groups: tuple[tuple[str, ...], ...]
    """The groups of each judged column, in the order that the settings follow."""
    price: str
    """What it costs and brings, in words, on rows that the models were not fitted on."""
