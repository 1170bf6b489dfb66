"""Raw columns as the pipeline takes them, packed by the code that serving uses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from serving.packing import pack_batch
from serving.signature import Signature

ANSWERED = 100_000
"""Rows that are prepared and answered at a time."""


def frames(signature: Signature, table: pa.Table) -> Iterator[pd.DataFrame]:
    """`frame` of a few rows after the others, at least once; so a long table needs no more room."""
    for first in range(0, max(1, table.num_rows), ANSWERED):
        yield frame(signature, table.slice(first, ANSWERED))


def frame(signature: Signature, table: pa.Table) -> pd.DataFrame:
    """Float64 columns (numbers, flags, times in seconds; NaN is missing), then texts ("").

    Row order is the table's, column order the signature's; columns that are no input are left out.
    """
    names = [column.name for column in signature.inputs]
    packed = [pack_batch(signature, batch) for batch in table.select(names).to_batches()]
    numbers = [part.numbers for part in packed]
    texts = [part.texts for part in packed]
    left = np.concatenate(numbers) if numbers else np.empty((0, len(signature.numbers)))
    right = np.concatenate(texts) if texts else np.empty((0, len(signature.texts)), dtype=object)
    columns = {name: left[:, i] for i, name in enumerate(signature.numbers)}
    words = {name: pd.Series(right[:, i], dtype="str") for i, name in enumerate(signature.texts)}
    return pd.DataFrame({**columns, **words})
