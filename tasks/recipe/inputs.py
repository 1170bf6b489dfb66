"""Raw columns as the pipeline takes them, packed by the code that serving uses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from serving.packing import pack_batch
from serving.signature import Signature


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
