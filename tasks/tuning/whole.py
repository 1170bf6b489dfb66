"""What runs in the sandbox: the final fit on more rows than were drawn for the search.

The steps of preparation are fitted on the drawn rows (medians, scales and levels of a few hundred
thousand rows are those of all) and applied batch by batch. What is prepared waits on disk, since
XGBoost reads its rows four times over; it keeps them as numbers of one byte, so that millions of
rows have room, and where these have none, it keeps pages of them on disk (its external memory),
from which the same trees grow. Every other learner gets as many rows as have room as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tasks.models.base import Family, Value
from tasks.models.threads import spread
from tasks.split import Rows, Training, stream_training

if TYPE_CHECKING:
    from serving.signature import Signature
    from tasks.tuning.bench import Bench

BATCH = 100_000
"""Rows that are prepared at a time, and rows of a page."""
CELL = 2
"""Bytes of a value in memory: its bin, by rows and by columns."""


def streamed(family: Family, params: Mapping[str, Value]) -> bool:
    """Whether its fit takes rows in batches."""
    return family.streams and not params.get("log")


def paged(rows: int, columns: int, room: float) -> bool:
    """Whether so many rows stay on disk, since memory has only `room` bytes for them."""
    return CELL * rows * columns > room


@dataclass(frozen=True)
class Whole:
    """All rows that a final fit may have."""

    training: Training
    held: Rows | None = None
    """The holdout, for a refit."""

    @property
    def rows(self) -> int:
        return self.training.rows + (len(self.held.truth) if self.held else 0)

    def batches(self, signature: Signature) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Raw inputs and truth."""
        from tasks.recipe.inputs import frame

        names = [column.name for column in signature.inputs]
        for rows in stream_training(self.training, names, BATCH):
            yield frame(signature, rows.table), rows.truth
        for first in range(0, len(self.held.truth) if self.held else 0, BATCH):
            assert self.held is not None
            part = slice(first, first + BATCH)
            yield frame(signature, self.held.table.slice(first, BATCH)), self.held.truth[part]


def fit_whole(
    bench: Bench,
    whole: Whole,
    steps: Any,
    family: Family,
    params: Mapping[str, Value],
    rows: int,
    near: Path,
) -> Any:
    """The model fitted on `rows` of all rows, drawn by the seed, prepared by the fitted steps; what
    is prepared waits in a nameless file in the folder `near`."""
    model: Any = family.build(bench.task, params, bench.seed, bench.device)
    spread(model, rows)
    with tempfile.TemporaryFile(dir=near) as file:
        truth, width = _spool(bench, whole, steps, rows, file)
        read = _reader(file, len(truth), width)
        if streamed(family, params):
            with tempfile.TemporaryDirectory(dir=near) as pages:
                on_disk = paged(len(truth), width, bench.room)
                return _streamed(model, truth, bench, read, Path(pages) if on_disk else None)
        X = np.empty((len(truth), width))
        for first, part in read():
            X[first : first + len(part)] = part
        from tasks.tuning.weights import fit

        fit(model, X, truth, None, bench.seed)
    return model


Read = Callable[[], Iterator[tuple[int, np.ndarray]]]


def _spool(bench: Bench, whole: Whole, steps: Any, rows: int, file: IO[bytes]) -> tuple[np.ndarray, int]:  # fmt: skip
    """Prepared rows as float32, which is what the steps round to; their truth, and columns."""
    random = np.random.default_rng(bench.seed)
    left, due, width, kept = whole.rows, min(rows, whole.rows), 0, []
    for inputs, truth in whole.batches(bench.recipe.signature):
        count = int(random.hypergeometric(due, left - due, len(truth)))
        left, due = left - len(truth), due - count
        chosen = np.sort(random.choice(len(truth), count, replace=False))
        if count:
            X = np.asarray(steps.transform(inputs.iloc[chosen]), dtype=np.float32)
            X.tofile(file)
            width = X.shape[1]
            kept.append(truth[chosen])
    file.flush()
    return np.concatenate(kept), width


def _reader(file: IO[bytes], rows: int, width: int) -> Read:
    def read() -> Iterator[tuple[int, np.ndarray]]:
        file.seek(0)
        for first in range(0, rows, BATCH):
            count = min(BATCH, rows - first)
            found = np.fromfile(file, dtype=np.float32, count=count * width)
            yield first, found.reshape(count, width)

    return read


def _streamed(model: Any, truth: np.ndarray, bench: Bench, read: Read, pages: Path | None) -> Any:
    """The booster of rows that come in batches, in the place of one that the model would fit; they
    stay in the folder `pages`, or in memory."""
    import xgboost

    class Batches(xgboost.DataIter):
        def __init__(self) -> None:
            super().__init__(cache_prefix=str(pages / "rows") if pages else None)
            self.parts = read()

        def reset(self) -> None:
            self.parts = read()

        def next(self, input_data: Callable[..., None]) -> bool:
            first, part = next(self.parts, (0, None))
            if part is not None:
                input_data(data=part, label=truth[first : first + len(part)])
            return part is not None

    params = model.get_xgb_params()
    if bench.task == "multiclass":
        params |= {"objective": "multi:softprob", "num_class": bench.classes}
    kind = xgboost.ExtMemQuantileDMatrix if pages else xgboost.QuantileDMatrix
    matrix = kind(Batches(), nthread=params.get("n_jobs"))
    booster = xgboost.train(params, matrix, num_boost_round=model.get_num_boosting_rounds())
    booster.set_param({"device": "cpu"})  # what is kept answers anywhere
    model.load_model(bytearray(booster.save_raw()))
    return model
