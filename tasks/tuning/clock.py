"""The charter's minutes, counted across runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from tasks.progress import report

WRITE_EVERY = 1.0
TELL_EVERY = 0.5
SAY_EVERY = 0.1


class Clock:
    """How much of the budget is spent; written down every second, so that a killed run counts."""

    def __init__(
        self,
        path: Path,
        seconds: float,
        began: float | None = None,
        now: Callable[[], float] = time.monotonic,
        stage: str = "tune",
    ) -> None:
        """`seconds` is the budget, `began` when this run did, by `now`."""
        self._path = path
        self._stage = stage
        self._now = now
        self._began = now() if began is None else began
        self._before = float(json.loads(path.read_text())["seconds"]) if path.exists() else 0.0
        self._written = self._told = float("-inf")
        self.total = seconds
        self.note = ""

    @property
    def run(self) -> float:
        """Seconds of this run."""
        return self._now() - self._began

    @property
    def spent(self) -> float:
        return self._before + self.run

    @property
    def left(self) -> float:
        return self.total - self.spent

    def tick(self) -> None:
        """Write the time down and tell whoever watches, both only now and then."""
        now = self._now()
        if now - self._written >= WRITE_EVERY:
            self._written = now
            self.write()
        self._tell(TELL_EVERY)

    def say(self, note: str) -> None:
        """What is done now."""
        self.note = note
        self._tell(SAY_EVERY)

    def _tell(self, every: float) -> None:
        now = self._now()
        if now - self._told >= every:
            self._told = now
            report(self._stage, min(self.spent, self.total), self.total, self.note)

    def write(self) -> None:
        draft = self._path.with_name(f".{self._path.name}")
        draft.write_text(json.dumps({"seconds": round(self.spent, 3)}))
        draft.replace(self._path)
