"""How the groups are treated at run time, where their truth is known and the rows say who they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from charter import Charter
from serving import values
from serving.bundle import Artifact
from tasks.auditing.groups import Axis, groups
from tasks.auditing.rates import Judged
from tasks.auditing.treatment import Treatment, treatment
from tasks.monitoring.performance import clusters
from tasks.monitoring.window import UNTOLD, Answered

RESAMPLES = 200


def treated(
    charter: Charter, artifact: Artifact, axes: Sequence[Axis], kept: Answered
) -> Treatment | None:
    """The rates of each group; None where no row tells its truth and every sensitive column.

    Who sends null for one is in the group `missing`, as in the audit."""
    told = np.array([all(value is not UNTOLD for value in row) for row in kept.people])
    known = kept.only(told.astype(bool) & ~np.isnan(kept.truth))
    if not axes or len(known.truth) < charter.fairness.support:
        return None
    columns = {axis.column: _column(axis, known.people[:, at]) for at, axis in enumerate(axes)}
    task, classes = artifact.signature.task, artifact.signature.classes
    truth = known.truth if task == "regression" else known.truth.astype(np.int64)
    return treatment(
        charter, task, classes, Judged(truth, known.answers, artifact.decision),
        groups(charter, axes, pa.table(columns)), blocks=clusters(known.seconds),
        resamples=RESAMPLES,
    )  # fmt: skip


def _column(axis: Axis, given: np.ndarray) -> pa.Array:
    if not axis.edges:
        return pa.array([None if one is None else values.text(one) for one in given], pa.string())
    return pa.array([_number(value) for value in given], pa.float64())


def _number(value: object) -> float | None:
    try:
        return None if value is None else values.number(value)
    except values.Unfit:
        return None
