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

LARGE = 15_000
"""From so many rows of a fit on, what was derived on large tables counts."""
FILE = Path(__file__).with_name("portfolio.json")


def portfolio(family: FamilyName, task: Task, rows: int) -> Sequence[Mapping[str, Value]]:
    """Strong starting points for this kind of target and so many rows, best first; none where none
    were derived."""
    kind, known = "regression" if task == "regression" else "classes", _known().get(family, {})
    large = known.get(f"large {kind}", ()) if rows >= LARGE else ()
    return large or known.get(kind, ())


@cache
def _known() -> dict[str, dict[str, list[dict[str, Value]]]]:
    found: dict[str, dict[str, list[dict[str, Value]]]] = json.loads(FILE.read_text())
    return found
