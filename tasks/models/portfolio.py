"""Parameters that a family's search begins with: `portfolio.json`, derived on open tables.

`benchmarks/portfolio.py` says how, and makes it anew. The first are the best alone, each further one
is the best beside those before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from charter.goal import Task
from charter.tuning import FamilyName
from tasks.models.base import Value

FILE = Path(__file__).with_name("portfolio.json")


def portfolio(family: FamilyName, task: Task) -> Sequence[Mapping[str, Value]]:
    """Strong starting points for this kind of target, best first; none where none were derived."""
    kind = "regression" if task == "regression" else "classes"
    points: Sequence[Mapping[str, Value]] = _known().get(family, {}).get(kind, ())
    return points


@cache
def _known() -> dict[str, dict[str, list[dict[str, Value]]]]:
    found: dict[str, dict[str, list[dict[str, Value]]]] = json.loads(FILE.read_text())
    return found
