"""A project about persons: who they are, whether they agreed, and what is asked of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from charter import Charter
from tasks import lake
from tasks.lake import Table

KEY = "k1:" + "0123456789abcdef" * 4
NEXT = f"{KEY},k2:" + "fedcba9876543210" * 4
"""The key, and what it is once it was renewed."""
Row = dict[str, Any]


def person(number: int, **other: object) -> Row:
    """One row; every tenth person said no, every eleventh nothing."""
    agreed = "no" if number % 10 == 0 else "" if number % 11 == 0 else "yes"
    return {
        "customer": f"C{number:04}", "mail": f"person{number}@example.org", "agreed": agreed,
        "ended": "", "age": 20 + number % 50, "amount": 10.5 * number, "good": number % 3 == 0,
    } | other  # fmt: skip


def write(path: Path, rows: Iterable[Row]) -> Path:
    """As CSV."""
    rows = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def charter(folder: Path, data: dict[str, Any] | None = None, **privacy: Any) -> Charter:
    """Of `folder/persons.csv`."""
    source = {"kind": "csv", "path": str(folder / "persons.csv")}
    return Charter.model_validate(
        {
            "name": "persons",
            "goal": {"target": {"column": "good"}},
            "data": {"source": source} | (data or {}),
            "privacy": privacy,
        }
    )


def rows(table: Table) -> list[Row]:
    """What the table holds."""
    return [row for batch in lake.read(table) for row in batch.to_pylist()]
