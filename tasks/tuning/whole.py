"""What runs in the sandbox: the final fit on more rows than were drawn for the search.

The steps of preparation are fitted on the drawn rows (medians, scales and levels of a few hundred
thousand rows are those of all) and applied batch by batch. What is prepared waits on disk, since
XGBoost reads its rows four times over; it keeps them as numbers of one byte, so that millions of
rows have room, and where these have none, it keeps pages of them on disk (its external memory),
from which the same trees grow. In a mixture so do those members that can. Every other learner gets
as many rows as have room as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tasks.models import family as by_name
from tasks.models.base import Family, Value
from tasks.models.blend import MIXTURES, Member, members
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
    """Whether its fit, or that of a member of it, takes rows in batches."""
    if family.name in MIXTURES:
        return any(_streams(one) for one in members(params))
    return family.streams and not params.get("log")


def _streams(member: Member) -> bool:
    return streamed(by_name(member.family), member.params)


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
    is prepared waits in a nameless file in the folder `near`. Of a mixture those members have these
    rows that take them in batches, the others keep to the drawn ones."""
    from tasks.tuning.bench import fitted
    from tasks.tuning.weights import fit

    model: Any = family.build(bench.task, params, bench.seed, bench.device)
    with tempfile.TemporaryFile(dir=near) as file:
        spooled = Spooled(file, *_spool(bench, whole, steps, rows, file))
        if not streamed(family, params):
            spread(model, rows)
            fit(model, spooled.all(), spooled.truth, None, bench.seed)
        elif family.name in MIXTURES:
            drawn = np.asarray(steps.transform(bench.frame))
            model = fitted(bench, family, params, drawn, bench.truth, None)
            for at, one in enumerate(members(params)):
                if _streams(one):
                    side = slice(*model.sides_[model.scaled[at]])
                    model.members_[at] = _boosted(model.members[at], bench, spooled, side, near)
        else:
            model = _boosted(model, bench, spooled, slice(None), near)
    return model


@dataclass(frozen=True)
class Spooled:
    """Prepared rows in a file, as float32, which is what the steps round to."""

    file: IO[bytes]
    truth: np.ndarray
    width: int

    def parts(self, side: slice) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Some columns, and the truth, of one batch after the other."""
        self.file.seek(0)
        for first in range(0, len(self.truth), BATCH):
            truth = self.truth[first : first + BATCH]
            found = np.fromfile(self.file, dtype=np.float32, count=len(truth) * self.width)
            yield found.reshape(len(truth), self.width)[:, side], truth

    def all(self) -> np.ndarray:
        """Every row and column at once."""
        X = np.empty((len(self.truth), self.width))
        for at, (part, _) in enumerate(self.parts(slice(None))):
            X[at * BATCH : at * BATCH + len(part)] = part
        return X


def _spool(bench: Bench, whole: Whole, steps: Any, rows: int, file: IO[bytes]) -> tuple[np.ndarray, int]:  # fmt: skip
    """Writes the prepared rows; their truth, and columns."""
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


def _boosted(model: Any, bench: Bench, spooled: Spooled, side: slice, near: Path) -> Any:
    """The model with the booster of rows that come in batches, in the place of one that it would fit
    itself; they wait in memory, or in pages in the folder `near`."""
    import xgboost

    spread(model, len(spooled.truth))
    columns = len(range(spooled.width)[side])
    on_disk = paged(len(spooled.truth), columns, bench.room)
    params = model.get_xgb_params()
    if bench.task == "multiclass":
        params |= {"objective": "multi:softprob", "num_class": bench.classes}
    if on_disk:  # a device has no pages on disk
        params["device"] = "cpu"
    with tempfile.TemporaryDirectory(dir=near) as pages:

        class Batches(xgboost.DataIter):
            def __init__(self) -> None:
                super().__init__(cache_prefix=f"{pages}/rows" if on_disk else None)
                self.parts = spooled.parts(side)

            def reset(self) -> None:
                self.parts = spooled.parts(side)

            def next(self, input_data: Callable[..., None]) -> bool:
                for part, truth in self.parts:
                    input_data(data=part, label=truth)
                    return True
                return False

        kind = xgboost.ExtMemQuantileDMatrix if on_disk else xgboost.QuantileDMatrix
        matrix = kind(Batches(), nthread=params.get("n_jobs"))
        booster = xgboost.train(params, matrix, num_boost_round=model.get_num_boosting_rounds())
        del matrix  # before its pages go
    booster.set_param({"device": "cpu"})  # what is kept answers anywhere
    model.load_model(bytearray(booster.save_raw()))
    return model
