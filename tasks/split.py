"""Training rows for everybody, the holdout in custody."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from charter import Charter, Frozen, Refusal
from charter.evaluation import ByGroup, ByTime
from charter.goal import Task
from serving.home import place
from tasks.explore import Profile
from tasks.lake import Table
from tasks.metrics import resolve
from tasks.quarantine import Quarantine
from tasks.splitting import custody, folding
from tasks.splitting.issued import issue, known
from tasks.splitting.labels import positions
from tasks.splitting.sides import codes_of, moments

_log = logging.getLogger(__name__)


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
    """Rows that belong to neither side: without a label, or without the time or group to go by."""
    shared: int = 0
    """Rows of the holdout with a twin among the training rows, as exploration counted them."""


@dataclass(frozen=True)
class Rows:
    """Rows with their truth: the raw columns (target left out) and the encoded target."""

    table: pa.Table
    truth: np.ndarray
    """float64 values (regression) or int64 positions in `classes`; shape (rows,)."""


def split(charter: Charter, table: Table, profile: Profile) -> Split:
    """Issue the holdout once per table version and rule; unlabelled rows go to quarantine.

    By time, the last whole hours or days are held out. At random and by group, the side hangs on
    the row's own values (its key, where the charter names one) and the seed, never on its position.
    """
    target = charter.goal.target.column
    metric = resolve(charter.evaluation.metric, profile.task)
    fingerprint = _fingerprint(charter, table, profile)
    where = f"splits/{charter.name}/{fingerprint[:16]}"
    issued = known(where) or issue(charter, table, profile, fingerprint, where)
    answer = {"target": target, "task": profile.task, "classes": profile.classes}
    rule = charter.split
    return Split(
        training=Training(
            project=charter.name, where=f"{where}/training.parquet", rows=issued.training_rows,
            fingerprint=fingerprint, metric=metric, **answer,
            time=charter.data.time if isinstance(rule, ByTime) else None,
            group=rule.column if isinstance(rule, ByGroup) else None,
        ),
        holdout=Holdout(
            project=charter.name, where=f"{where}/holdout.parquet", rows=issued.holdout_rows,
            seal=issued.holdout_seal, **answer,
        ),
        rule=issued.rule,
        unlabelled=issued.unlabelled,
        shared=profile.shared,
    )  # fmt: skip


def load_training(training: Training, content: bytes | None = None) -> Rows:
    """The training rows; by time: oldest first. `content` is that of their file, where that is not here."""
    file = place(training.where) if content is None else pa.BufferReader(content)
    rows = _rows(pq.read_table(file), training)
    if training.time is None:
        return rows
    order = np.argsort(moments(rows.table.column(training.time), training.time), kind="stable")
    if np.array_equal(order, np.arange(len(order))):
        return rows
    return Rows(rows.table.take(pa.array(order)), rows.truth[order])


def stream_training(training: Training, columns: Sequence[str], rows: int) -> Iterator[Rows]:
    """These columns of the training rows, at most `rows` at a time, in the order of the file."""
    with pq.ParquetFile(place(training.where)) as file:
        for batch in file.iter_batches(rows, columns=[*columns, training.target]):
            yield _rows(pa.Table.from_batches([batch]), training)


def folds(charter: Charter, training: Training, rows: Rows) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row positions (fit, test) of each fold, made by the same rule as the holdout.

    Each fold has rows on both sides and every class among those it fits; where the rows do not
    give as many, there are fewer, and none at all is refused.
    """
    truth = None if training.task == "regression" else rows.truth
    count, seed = charter.evaluation.folds, charter.evaluation.seed
    if training.time is not None:
        made = folding.forward(moments(rows.table.column(training.time), training.time), count)
    elif training.group is not None:
        _, codes = codes_of(rows.table.column(training.group))
        made = folding.grouped(codes, count, seed)
    else:
        made = folding.stratified(truth, len(rows.truth), count, seed)
    kept = folding.complete(made, truth)
    if not kept:
        raise Refusal(
            "charter.evaluation.folds",
            f"found no way to make {count} folds of {len(rows.truth):,} training rows",
            "wanted at least one fold with rows on both sides and every class in its earlier part",
            "Bring more rows, a smaller holdout, or another evaluation.split.",
        )
    return kept


def open_holdout(holdout: Holdout, by: str, why: str) -> Rows:
    """The holdout rows; the look is logged."""
    path = place(holdout.where)
    content = custody.opened(path, holdout.seal, holdout.where)
    custody.log(path, by, why)
    _log.info("holdout of %s opened by %s: %s", holdout.project, by, why)
    return _rows(pq.read_table(pa.BufferReader(content)), holdout)


def looks(holdout: Holdout) -> tuple[Look, ...]:
    """Every look at this holdout, oldest first."""
    return tuple(Look.model_validate(line) for line in custody.logged(place(holdout.where)))


def _fingerprint(charter: Charter, table: Table, profile: Profile) -> str:
    """What decides which rows are held out; the encoding of the target does not."""
    said = [
        charter.name, charter.split.model_dump(), charter.evaluation.seed, charter.data.time,
        charter.data.key, charter.goal.target.column, profile.task == "regression",
        table.where, table.fingerprint,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _rows(table: pa.Table, side: Training | Holdout) -> Rows:
    column = table.column(side.target)
    if side.task == "regression":
        truth = column.cast(pa.float64()).to_numpy()
    else:
        truth = positions(column, side.classes)
    return Rows(table.drop_columns([side.target]), truth)
