"""What became of one expectation over all batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tasks.validation.expectation import Expectation

VALUES = 20
"""How many of the values that broke it are shown."""


@dataclass
class Finding:
    """What one batch said about one expectation."""

    success: bool
    elements: int = 0
    missing: int = 0
    positions: np.ndarray | None = None
    """Rows of the batch that break it; None for an expectation that is not about rows."""
    values: Counter[str] = field(default_factory=Counter)
    observed: dict[str, Any] = field(default_factory=dict)
    basis: str = ""
    """What it stands on where that is not each row: `over all rows`, or a sample in words."""


@dataclass
class Tally:
    """The sum of its findings."""

    expectation: Expectation
    by_row: bool = False
    success: bool = True
    elements: int = 0
    missing: int = 0
    broken: int = 0
    values: Counter[str] = field(default_factory=Counter)
    observed: dict[str, Any] = field(default_factory=dict)
    basis: str = ""

    def add(self, finding: Finding) -> None:
        self.basis = finding.basis
        self.elements += finding.elements
        self.missing += finding.missing
        if finding.positions is not None:
            self.by_row = True
            self.broken += len(finding.positions)
        if self.success or not self.observed:  # the first batch that fails is the one to show
            self.observed = finding.observed
        self.success &= finding.success
        self.values.update(finding.values)
        if len(self.values) > 50 * VALUES:
            self.values = Counter(dict(self.values.most_common(10 * VALUES)))

    @property
    def met(self) -> bool:
        """Whether it holds for the whole table; `mostly` is a share of all rows, not of a batch."""
        if not self.by_row:
            return self.success
        allowed = 0.0 if self.expectation.kind == "row" else 1 - self._mostly
        return self.broken <= allowed * (self.elements - self.missing) + 1e-9

    @property
    def message(self) -> str:
        """What was found, in a sentence with its numbers."""
        if self.met and not self.broken:
            return self.expectation.kept + self._observed
        if not self.by_row:
            return self.expectation.broken + self._observed
        share = self.broken / max(self.elements, 1)
        found = ", ".join(f"{value} ({rows:,})" for value, rows in self.values.most_common(5))
        of = f"in {self.broken:,} of {self.elements:,} rows ({share:.2%})"
        return f"{self.expectation.broken} {of}" + (f": {found}" if found else "")

    @property
    def _mostly(self) -> float:
        mostly = self.expectation.kwargs.get("mostly")
        return 1.0 if mostly is None else float(mostly)

    @property
    def _observed(self) -> str:
        value = self.observed.get("observed_value")
        found = f"found {value:,.6g}" if isinstance(value, (int, float)) else ""
        said = " ".join(part for part in (found, self.basis) if part)
        return f" ({said})" if said else ""
