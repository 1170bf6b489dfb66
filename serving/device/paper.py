"""The one specification that every runner reads: which columns, which answer, and its own test."""

from __future__ import annotations

from pathlib import Path

from charter import Frozen
from charter.goal import Task
from serving.golden import Cell
from serving.signature import Decision, Kind

PAPER = "device.json"
FILES = ("manifest.json", "manifest.sig", PAPER, "model.onnx")
"""What a device is given of a release."""


class Column(Frozen):
    """One input, in the order of its kind's tensor: texts apart, the rest together."""

    name: str
    kind: Kind
    """How a value is read: as `serving/values.py` has it. What is absent, null or the empty text is
    missing: NaN among the numbers, the empty text among the texts."""
    required: bool


class Proof(Frozen):
    """Rows that nobody sent, since each column is shuffled by itself, and what the model answers."""

    rows: tuple[dict[str, Cell], ...]
    probabilities: tuple[tuple[float, ...], ...] = ()
    values: tuple[float, ...] = ()


class Paper(Frozen):
    """What stands in `device.json`."""

    format: int = 1
    project: str
    target: str
    task: Task
    inputs: tuple[Column, ...]
    columns: tuple[str, ...]
    """Every name that a row may have; the journal keeps what is no input."""
    classes: tuple[str, ...]
    say: dict[str, str]
    decision: Decision
    tolerance: float
    """How far answers to the proof may be off: a probability, or the share of a value's size, or of
    the median size where that is larger."""
    proof: Proof


def read(folder: Path) -> Paper:
    """The specification of a release."""
    return Paper.model_validate_json((folder / PAPER).read_bytes())
