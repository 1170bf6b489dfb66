"""Training rows for everybody, the holdout in custody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen
from charter.goal import Task
from tasks.explore import Profile
from tasks.lake import Quarantine, Table


class Training(Frozen):
    """The rows that engineering and tuning may see; names no holdout, so neither can reach it."""

    project: str
    where: str
    """Parquet file, relative to the root."""
    rows: int
    fingerprint: str
    target: str
    task: Task
    classes: tuple[str, ...] = ()
    """Class labels; the encoded target counts from 0 in this order."""
    metric: str
    """The charter's metric, `auto` resolved."""
    time: str | None = None
    """The column that orders the rows, where the split is by time."""
    group: str | None = None


class Holdout(Frozen):
    """The rows that only `open_holdout` gives out, each look written down."""

    project: str
    where: str
    rows: int
    seal: str
    """SHA-256 of the file; a changed holdout does not open."""
    target: str
    task: Task
    classes: tuple[str, ...] = ()


class Look(Frozen):
    """One opening of the holdout."""

    at: str
    by: str
    why: str


class Split(Frozen):
    """Both sides of one table."""

    training: Training
    holdout: Holdout
    rule: str
    """How it was made, in words: `by time: the last 14 days, from 2013-03-18`."""
    unlabelled: Quarantine
    """Rows without a label."""


@dataclass(frozen=True)
class Rows:
    """Rows with their truth: the raw columns (target left out) and the encoded target."""

    table: pa.Table
    truth: np.ndarray
    """float64 values (regression) or int64 positions in `classes`; shape (rows,)."""


def split(charter: Charter, table: Table, profile: Profile) -> Split:
    """Issue the holdout once per table version and rule; unlabelled rows go to quarantine."""
    raise NotImplementedError


def load_training(training: Training) -> Rows:
    """The training rows; by time: oldest first."""
    raise NotImplementedError


def folds(charter: Charter, training: Training, rows: Rows) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row positions (fit, test) of each fold, made by the same rule as the holdout."""
    raise NotImplementedError


def open_holdout(holdout: Holdout, by: str, why: str) -> Rows:
    """The holdout rows; the look is logged."""
    raise NotImplementedError


def looks(holdout: Holdout) -> tuple[Look, ...]:
    """Every look at this holdout, oldest first."""
    raise NotImplementedError
