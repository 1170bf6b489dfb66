"""Which rows belong together: those of a day, or of an hour, share what happened then.

Resampling them one by one would make intervals too narrow; whole spans are drawn instead (Künsch,
The jackknife and the bootstrap for general stationary observations, 1989).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from charter import Charter
from tasks.splitting.sides import moments

LEAST = 6
"""Fewer days or hours than that say nothing: all of them may agree by luck, 1 in 2^6."""
SPANS = {"days": 86_400.0, "hours": 3_600.0}


def spans(seconds: np.ndarray) -> np.ndarray | None:
    """The day of each row, numbered from 0, shape (rows,); its hour where there are too few days;
    None where these are too few as well."""
    for length in SPANS.values():
        names, numbers = np.unique(np.floor(seconds / length), return_inverse=True)
        if len(names) >= LEAST:
            return numbers
    return None


def seconds(charter: Charter, table: pa.Table) -> np.ndarray | None:
    """Each row's time (seconds since 1970, UTC), or None where the project has none to go by."""
    name = charter.data.time
    if name is None or name not in table.column_names:
        return None
    column = table.column(name)
    if not (pt.is_timestamp(column.type) or pt.is_date(column.type)):
        return None
    found = moments(column, name)
    return found if np.isfinite(found).all() else None
