"""Which rows nobody may look at, found out before anybody looks."""

from __future__ import annotations

from charter import Charter
from tasks.exploration.store import Array, opened
from tasks.exploration.target import Truth, read_target
from tasks.lake import Table
from tasks.splitting.assignment import assignment


def custody(charter: Charter, table: Table) -> tuple[Truth, Array]:
    """The target, and the rows that the split will hold out (bool, one value per row).

    The task and the names of the classes come from all labels, since the split itself keeps the
    share of each class; of the holdout nothing else is read, and what is told about the data is
    counted without it.
    """
    target = [charter.goal.target.column]
    with opened(table, charter.constraints.memory_gb, columns=target, most=table.rows) as labels:
        truth = read_target(charter, labels)
    # Held out by time are unlabelled rows, too: they are as late as the rows that judge.
    return truth, assignment(charter, table, truth.task).placed.held
