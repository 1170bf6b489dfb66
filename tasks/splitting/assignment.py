"""The side of every row, before any row is given out: exploration and the split ask here alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Refusal
from charter.evaluation import ByGroup, ByTime, ByValue
from charter.goal import Task
from tasks.lake import Table, dataset, read
from tasks.splitting.labels import labelled
from tasks.splitting.sides import Facts, Sides, codes_of, hashed, sides

TRAINING_ROWS = 50
HOLDOUT_ROWS = 10
SHARED = 0.01
"""From this share of the holdout on, twins on both sides are a warning."""
WHERE = "charter.evaluation.split"


@dataclass(frozen=True)
class Assignment:
    """Both sides of one table; arrays of shape (rows,)."""

    labels: np.ndarray
    """Which rows have a label; bool."""
    placed: Sides

    @property
    def held(self) -> np.ndarray:
        """The holdout; bool."""
        held: np.ndarray = self.placed.held & self.labels
        return held

    @property
    def training(self) -> np.ndarray:
        """bool"""
        training: np.ndarray = ~self.placed.held & self.placed.placed & self.labels
        return training


def assignment(charter: Charter, table: Table, task: Task) -> Assignment:
    """Decide for every row; refuses sides that nothing can be learnt from or judged on.

    Hangs on the table, the rule, the seed, the key and the labels alone, so that whoever asks gets
    the same answer.
    """
    column, target = _by(charter, table), charter.goal.target.column
    names = [target] if column in (None, target) else [target, column]
    schema = pa.schema([dataset(table).schema.field(name) for name in names])
    facts = pa.Table.from_batches(read(table, names), schema=schema)
    labels = labelled(facts.column(target))
    classes = None if task == "regression" else codes_of(facts.column(target))
    found = Assignment(
        labels,
        sides(
            charter.split,
            Facts(
                known=labels,
                column=facts.column(column) if column else None,
                identity=lambda: hashed(_identities(charter, table), charter.evaluation.seed),
                labels=classes[1] if classes else None,
                seed=charter.evaluation.seed,
                time=charter.data.time,
            ),
        ),
    )
    _enough(charter, found)
    if classes:
        _every_class(found, *classes)
    return found


def _by(charter: Charter, table: Table) -> str | None:
    """The column that the rule goes by."""
    rule = charter.split
    if not isinstance(rule, ByTime | ByGroup | ByValue):
        return None
    name = rule.column if isinstance(rule, ByGroup | ByValue) else charter.data.time
    if name is None or name not in dataset(table).schema.names:
        raise Refusal(
            WHERE,
            f"found by: {rule.by}, and no column {name or 'for the time'} in the data",
            "wanted a column to go by",
            "Name it in evaluation.split.column or data.time (time), or split at random.",
        )
    return name


def _identities(charter: Charter, table: Table) -> Iterator[str]:
    """The key of each row, or all its values where the charter names no key."""
    names = list(charter.data.key) or dataset(table).schema.names
    for batch in read(table, names):
        texts = [pc.fill_null(_texts(column), "\0") for column in batch.columns]
        yield from pc.binary_join_element_wise(*texts, "\x1f").to_pylist()


def _texts(column: pa.Array) -> pa.Array:
    """Each value as text; times, which are slow to write, once for each that comes back."""
    if not pa.types.is_temporal(column.type):
        return column.cast(pa.string())
    coded = column.dictionary_encode()
    return coded.dictionary.cast(pa.string()).take(coded.indices)


def _enough(charter: Charter, found: Assignment) -> None:
    rule = charter.split
    for rows, least, side in (
        (int(found.training.sum()), TRAINING_ROWS, "training"),
        (int(found.held.sum()), HOLDOUT_ROWS, "holdout"),
    ):
        if rows < least:
            other = "larger" if side == "holdout" else "smaller"
            remedy = f"Set a {other} evaluation.split.holdout, or bring more rows."
            if isinstance(rule, ByValue):
                remedy = f"Name a value of {rule.column} in evaluation.split.holdout that more rows have."
            raise Refusal(
                WHERE,
                f"found {rows:,} labelled rows for the {side} ({found.placed.rule})",
                f"wanted at least {least}",
                remedy,
            )


def _every_class(found: Assignment, names: list[object], codes: np.ndarray) -> None:
    trained, tested = np.unique(codes[found.training]), np.unique(codes[found.held])
    unseen = [names[code] for code in tested if code not in trained]
    if unseen:
        said = ", ".join(map(str, unseen))
        raise Refusal(
            WHERE,
            f"found the class {said} in the holdout and in no training row",
            "wanted every class among the training rows",
            "Set a smaller evaluation.split.holdout, split by: random, or bring more rows of it.",
        )
    for side, words in ((trained, "training rows"), (tested, "holdout")):
        if len(side) < 2:
            raise Refusal(
                WHERE,
                f"found one class only among the {words}: {', '.join(str(names[c]) for c in side)}",
                "wanted at least two",
                "Change evaluation.split.holdout, split by: random, or look at goal.target.",
            )
