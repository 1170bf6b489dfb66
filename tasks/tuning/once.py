"""A rung that is made once, of what the families below it found."""

from __future__ import annotations

from tasks.models.base import Family
from tasks.tuning.choice import Contender
from tasks.tuning.search import Entry


class Once:
    """What is asked of a climb, of a rung with one trial or none."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.rows: int | None = None
        self.sampled = ""
        """What a reader has to know about how it was found."""
        self.why = ""
        """Why there is none, in words."""
        self.entries: list[Entry] = []
        self.contender: Contender | None = None

    @property
    def trials(self) -> int:
        return len(self.entries)

    @property
    def seconds(self) -> float:
        return sum(entry.seconds for entry in self.entries)

    @property
    def best(self) -> Entry | None:
        return next(iter(self.entries), None)

    def final_seconds(self) -> float:
        return float(self.best.notes["final"]) if self.best else 0.0
