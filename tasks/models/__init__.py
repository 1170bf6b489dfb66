"""The catalogue of families, simplest first: the ladder that tuning climbs.

To add one: a file in this folder with a `Family`, its name in `charter.tuning.FamilyName`, its
place in `LADDER`, and its estimator in `tasks/graph/estimators.py`. The conformance suite in
`tests/contracts/test_models.py` picks it up.
"""

from __future__ import annotations

from tasks.models.base import Family
from tasks.models.bayes import Bayes
from tasks.models.blend import Blend
from tasks.models.boosting import Boosting
from tasks.models.dummy import Dummy
from tasks.models.extra_trees import ExtraTrees
from tasks.models.forest import Forest
from tasks.models.heuristic import Heuristic
from tasks.models.histogram import Histogram
from tasks.models.linear import Linear
from tasks.models.neighbours import Neighbours
from tasks.models.neural import Neural
from tasks.models.oddness import Oddness
from tasks.models.stack import Stack
from tasks.models.taught import Taught
from tasks.models.tree import Tree

LADDER: tuple[Family, ...] = (
    Dummy(), Heuristic(), Linear(), Bayes(), Oddness(), Neighbours(), Tree(), Forest(), ExtraTrees(),
    Histogram(), Boosting(), Neural(), Taught(), Blend(), Stack(),
)  # fmt: skip


def family(name: str) -> Family:
    """The member of the catalogue with this name."""
    return next(member for member in LADDER if member.name == name)
