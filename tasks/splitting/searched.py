"""Which training rows a search works on: all, or so many of them, drawn once, that stand for all.

A rung is judged as well by a few hundred thousand rows as by millions, and a fit on each of five
folds has to find room and time. Whoever follows the search (the learning curve, mitigations, the
scorecard's out-of-fold rows) asks here, and so has the same rows.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from charter import Charter
from serving.home import place
from tasks.split import Training
from tasks.splitting.labels import positions
from tasks.splitting.sidefiles import settle

_log = logging.getLogger(__name__)

MOST, LEAST = 500_000, 100_000
"""Rows that are drawn however many minutes there are, and where there are next to none; …"""
A_MINUTE = 125_000
"""… in between, so many for each minute."""
ROOM = 0.1
"""Share of the charter's memory that the rows may take as numbers of eight bytes."""
RARE = 20
"""A class keeps at least so many rows, where it has them."""
BATCH = 131_072


def searched(charter: Charter, training: Training) -> Training:
    """The training rows that the search works on: `training` itself where it is not too large.

    Drawn without replacement by the charter's seed, of every class as large a share, in the order
    of the file; memory is bounded by a batch.
    """
    path = place(training.where)
    most = _most(charter, path)
    if training.rows <= most:
        return training
    seed = charter.evaluation.seed
    where = training.where.removesuffix(".parquet") + f"-searched-{most}-{seed}.parquet"
    if not place(where).exists():
        draft = place(where).with_name(f".{place(where).name}.{os.getpid()}")
        try:
            _draw(training, most, seed, draft)
            settle(draft, place(where))
        finally:
            draft.unlink(missing_ok=True)
    rows = pq.read_metadata(place(where)).num_rows
    _log.info("%d of %d training rows were drawn to search on", rows, training.rows)
    return training.model_copy(update={"where": where, "rows": rows})


def _most(charter: Charter, path: Path) -> int:
    limits = charter.constraints
    in_time = min(MOST, max(LEAST, int(A_MINUTE * limits.train_minutes)))
    in_room = int(ROOM * limits.memory_gb * 2**30 / (8 * len(pq.read_schema(path))))
    return min(in_time, in_room)


def _draw(training: Training, most: int, seed: int, to: Path) -> None:
    """One pass to count the classes, one to draw from each batch what is due of each class."""
    path = place(training.where)
    left = Counter[int]()
    for codes in _codes(training, path):
        left.update(dict(enumerate(np.bincount(codes).tolist())))
    share = most / left.total()
    due = {code: max(min(RARE, rows), round(share * rows)) for code, rows in left.items()}
    random = np.random.default_rng(seed)
    with pq.ParquetFile(path) as file, pq.ParquetWriter(to, file.schema_arrow, compression="zstd") as sink:  # fmt: skip
        batches = file.iter_batches(BATCH)
        for batch, codes in zip(batches, _codes(training, path), strict=True):
            chosen = [_due(codes, code, left, due, random) for code in np.unique(codes).tolist()]
            sink.write_batch(batch.take(pa.array(np.sort(np.concatenate(chosen)))))


def _due(
    codes: np.ndarray,
    code: int,
    left: Counter[int],
    due: dict[int, int],
    random: np.random.Generator,
) -> np.ndarray:
    """Rows of this class in the batch that are drawn: each is as likely as any other of its class."""
    mine = np.flatnonzero(codes == code)
    count = int(random.hypergeometric(due[code], left[code] - due[code], len(mine)))
    left[code] -= len(mine)
    due[code] -= count
    return np.asarray(random.choice(mine, count, replace=False))


def _codes(training: Training, path: Path) -> Iterator[np.ndarray]:
    """The class of each row, batch by batch; 0 where the target is a number."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=[training.target]):
            if training.task == "regression":
                yield np.zeros(batch.num_rows, dtype=np.int64)
            else:
                column = pa.chunked_array([batch.column(0)])
                yield positions(column, training.classes)
