"""Berries that come at run time, with their truth."""

from __future__ import annotations

import json
from contextlib import closing

from serving.journal import Journal
from serving.journaling.ids import derived
from tests.flows.conftest import berries


def arrive(
    rows: int, first: int, seed: int = 5, at: float = 1_700_000_000.0, sweeter: float = 0.0
) -> None:
    """Rows into the journal; the first berry has this number, and all are so much sweeter."""
    entries = []
    for name, sugar, weight, field, ripe in berries(rows, seed, first):
        row = {"berry": name, "sugar": float(sugar) + sweeter if sugar else None,
               "weight": float(weight), "field": field}  # fmt: skip
        entries.append((derived("berries", name), json.dumps(row), ripe == "true"))
    with closing(Journal("berries")) as journal:
        journal.arrive(entries, at=at)
