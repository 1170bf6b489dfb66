"""One batch of the journal into the log and the quarantine, exactly once, whatever is killed when.

The append decides: it is one commit under the batch's mark. What it did not take is in quarantine,
whichever rules hold by the time that a batch cut short is folded again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from charter import Charter
from tasks import lake
from tasks.collection.rows import Rows
from tasks.collection.shape import PREDICTION, log_place
from tasks.quarantine import QUARANTINE, Quarantine, quarantine

EARLIER = "a rule that held when the batch was first folded"


@dataclass(frozen=True)
class Folded:
    """What became of the rows of one batch."""

    labelled: int
    unlabelled: int
    corrected: int
    quarantine: Quarantine


def fold(charter: Charter, rows: Rows, reasons: dict[int, list[str]]) -> Folded:
    """Append the rows without a reason against them; the others go to quarantine."""
    where = log_place(charter.name)
    fit = np.ones(len(rows.entries), dtype=bool)
    fit[list(reasons)] = False
    labelled = int((fit & rows.known).sum())
    taken = rows.table.filter(pa.array(fit))
    lake.append(where, charter.name, taken.to_reader(), rows.mark, {"labelled": labelled})
    batches = lake.appended(where, rows.mark, [PREDICTION])
    there = {name for batch in batches for name in batch.column(0).to_pylist()}
    kept = np.array([entry.id in there for entry in rows.entries], dtype=bool)
    refused = quarantine(
        charter.name, "collect", rows.mark, _refused(rows, np.flatnonzero(~kept), reasons)
    )
    return Folded(
        labelled=int((kept & rows.known).sum()),
        unlabelled=int((kept & ~rows.known).sum()),
        corrected=int((kept & rows.correction).sum()),
        quarantine=refused,
    )


def _refused(
    rows: Rows, positions: Sequence[int] | np.ndarray, reasons: dict[int, list[str]]
) -> Iterator[pa.RecordBatch]:
    if not len(positions):
        return
    columns = [
        positions,
        [reasons.get(int(position), [EARLIER]) for position in positions],
        [rows.record(int(position)) for position in positions],
    ]
    arrays = [
        pa.array(values, type=column.type)
        for values, column in zip(columns, QUARANTINE, strict=True)
    ]
    yield pa.RecordBatch.from_arrays(arrays, schema=QUARANTINE)
