"""From rows to the two tensors of the graph; training, scoring and serving pack alike."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from serving.signature import Input, Signature
from serving.values import LARGEST, NUMERIC, BadRow, Unfit, bad, lacking, text

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BadRow", "Packed", "pack_batch", "pack_rows"]

Extra = Literal["ignore", "refuse"]


@dataclass(frozen=True)
class Packed:
    """Rows as the graph takes them."""

    numbers: np.ndarray
    """float64, shape (rows, signature.numbers), C order; NaN is missing."""
    texts: np.ndarray
    """object (str), shape (rows, signature.texts); the empty text is missing."""

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice) -> Packed:
        return Packed(self.numbers[rows], self.texts[rows])


def empty(signature: Signature, rows: int) -> Packed:
    """Rows in which everything is missing."""
    wide = [column.kind for column in signature.inputs].count("text")
    numbers = np.empty((rows, len(signature.inputs) - wide))
    texts = np.empty((rows, wide), dtype=object)
    numbers.fill(np.nan)
    texts.fill("")
    return Packed(numbers, texts)


def pack_rows(
    signature: Signature, rows: Sequence[Mapping[str, object]], extra: Extra = "ignore"
) -> Packed:
    """Pack rows as JSON gives them; an absent key, null and the empty text are missing.

    `extra` says whether a key that is no input is ignored or refused. Raises `BadRow` for the
    first value that does not fit.
    """
    if extra == "refuse":
        _no_strangers(signature, rows)
    packed = empty(signature, len(rows))
    next_number = next_text = 0
    for column in signature.inputs:
        if column.kind == "text":
            _texts(column, rows, packed.texts[:, next_text])
            next_text += 1
        else:
            _numbers(column, rows, packed.numbers[:, next_number])
            next_number += 1
    return packed


def pack_batch(signature: Signature, batch: pa.RecordBatch, first: int = 0) -> Packed:
    """Pack an Arrow batch, column by column; a column that the batch lacks is missing.

    `first` is the number of the batch's first row, for the error. The values are those of
    `pack_rows` for the same rows; raises `BadRow` for a value that does not fit.
    """
    from serving.columns import numbers, texts  # late: a service answers without Arrow

    packed = empty(signature, batch.num_rows)
    named = {column.name: column for column in signature.inputs}
    for i, name in enumerate(signature.numbers):
        numbers(named[name], batch, packed.numbers[:, i], first)
    for i, name in enumerate(signature.texts):
        texts(named[name], batch, packed.texts[:, i], first)
    return packed


def _numbers(column: Input, rows: Sequence[Mapping[str, object]], out: np.ndarray) -> None:
    name, read, plain = column.name, NUMERIC[column.kind], column.kind == "number"
    found: list[float] = []
    for i, row in enumerate(rows):
        value = row.get(name)
        if plain and type(value) is float and -LARGEST <= value <= LARGEST:
            found.append(value)  # what most are, without a call
        elif value is None or value == "":
            found.append(math.nan)
        else:
            try:
                found.append(read(value))
            except Unfit as unfit:
                raise bad(i, column, value, unfit) from None
    out[:] = found
    if column.required and np.isnan(out).any():
        raise lacking(int(np.argmax(np.isnan(out))), column)


def _texts(column: Input, rows: Sequence[Mapping[str, object]], out: np.ndarray) -> None:
    name = column.name
    found: list[str] = []
    for i, row in enumerate(rows):
        value = row.get(name)
        if value is None:
            found.append("")
        else:
            try:
                found.append(text(value))
            except Unfit as unfit:
                raise bad(i, column, value, unfit) from None
    out[:] = found
    if column.required and "" in found:
        raise lacking(found.index(""), column)


def _no_strangers(signature: Signature, rows: Sequence[Mapping[str, object]]) -> None:
    known = {column.name for column in signature.inputs}
    for i, row in enumerate(rows):
        for name in row:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                remedy = f"Did you mean {near[0]}?" if near else "Leave it out."
                raise BadRow(i, name, "found an unknown column", "wanted an input", remedy)
