"""What every check returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from charter.frozen import Frozen
from charter.refusal import Refusal


class Verdict(Frozen):
    """The outcome of one gate, in words and numbers."""

    gate: str
    """The charter's key or the check that was asked, as in `evaluation.minimum.roc_auc`."""
    passed: bool
    message: str
    """One sentence that a reader understands without the code."""
    numbers: dict[str, float] = {}
    level: Literal["warn", "fail"] = "fail"
    """Whether a verdict that did not pass stops the run or is only shown."""

    @property
    def stops(self) -> bool:
        return not self.passed and self.level == "fail"


def gate(where: str, verdicts: Iterable[Verdict], remedy: str) -> None:
    """Let pass, or refuse with every verdict that stops the run."""
    stopped = [verdict for verdict in verdicts if verdict.stops]
    if stopped:
        raise Refusal(
            where,
            "; ".join(f"{verdict.gate}: {verdict.message}" for verdict in stopped),
            "wanted every gate of level fail to pass",
            remedy,
        )
