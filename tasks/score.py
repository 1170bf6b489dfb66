"""Predictions for a file, with the live release."""

from __future__ import annotations

from pathlib import Path

from charter import Charter, Frozen


class Scored(Frozen):
    """What was written."""

    project: str
    release: int
    rows: int
    output: str


def score(charter: Charter, input: Path, output: Path) -> Scored:
    """Stream the input's rows through the live release into a CSV or Parquet file."""
    raise NotImplementedError
