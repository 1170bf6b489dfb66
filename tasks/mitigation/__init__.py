"""Ways to treat groups alike, an open family: before, during and after the fit.

To add one: a file here with a `Mitigation`, its name in `charter/fairness.py`, its place in
MITIGATIONS; a new estimator needs its nodes in `tasks/graph/mitigated.py` and its type in
`tasks.models.shelf.TRUSTED`. `tests/contracts/test_mitigations.py` picks it up.
"""

from charter.fairness import MitigationName
from tasks.mitigation.base import Mitigation
from tasks.mitigation.decorrelation import Decorrelation
from tasks.mitigation.exponentiated_gradient import ExponentiatedGradient
from tasks.mitigation.reweighing import Reweighing
from tasks.mitigation.thresholds import Thresholds

MITIGATIONS: tuple[Mitigation, ...] = (
    Reweighing(), Decorrelation(), Thresholds(), ExponentiatedGradient(),
)  # fmt: skip
"""As they are tried: the one that suits its fits to the time that is left comes last."""


def mitigation(name: MitigationName) -> Mitigation:
    return next(member for member in MITIGATIONS if member.name == name)


__all__ = ["MITIGATIONS", "Mitigation", "mitigation"]
