"""Golden rows: what a client would send, and what the fitted pipeline answered."""

from __future__ import annotations

from pathlib import Path

from charter import Frozen, Refusal
from serving.bundle import REMEDY

GOLDEN = "golden.json"
Cell = bool | int | float | str | None


class Golden(Frozen):
    """Rows of the holdout and hostile ones, with their answers in the same order."""

    rows: tuple[dict[str, Cell], ...]
    """As JSON objects; an absent key is missing."""
    cases: tuple[str, ...]
    """What each row stands for: `holdout row 17`, or what is hostile about it."""
    probabilities: tuple[tuple[float, ...], ...] = ()
    """Classification: one per class of the signature, per row."""
    labels: tuple[str, ...] = ()
    """Classification: the class decided for, per row."""
    values: tuple[float, ...] = ()
    """Regression: one per row."""


def golden(folder: Path) -> Golden:
    """The golden rows of a bundle."""
    try:
        return Golden.model_validate_json((folder / GOLDEN).read_bytes())
    except (OSError, ValueError):
        raise Refusal(
            f"bundle {folder}", f"found no readable {GOLDEN}", "wanted golden rows", REMEDY
        ) from None
