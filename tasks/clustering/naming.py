"""Names that last: a group is called as the live release calls most of its rows."""

from __future__ import annotations

from string import ascii_uppercase

import numpy as np
import pyarrow as pa

from charter import Charter
from serving import releases
from serving.home import home
from serving.packing import pack_batch
from serving.predictor import Predictor


def letters(charter: Charter, rows: pa.Table, groups: np.ndarray, count: int) -> list[str]:
    """The name of each of `count` groups; `groups` are their numbers on `rows`, shape (rows,).

    Names are given out so that as many rows as possible keep theirs (Kuhn, The Hungarian method,
    1955); a group with none, and all groups where nothing is live, get letters, the largest first.
    """
    sizes = np.bincount(groups, minlength=count)
    kept = _kept(charter, rows, groups, count)
    taken = set(kept.values())
    free = iter(letter for letter in ascii_uppercase if letter not in taken)
    new = {int(at): next(free) for at in np.argsort(-sizes, kind="stable") if int(at) not in kept}
    return [(kept | new)[at] for at in range(count)]


def _kept(charter: Charter, rows: pa.Table, groups: np.ndarray, count: int) -> dict[int, str]:
    """Of groups that the live release knows, its names."""
    from scipy.optimize import linear_sum_assignment

    live = releases.live(home() / "releases" / charter.name)
    if live is None:
        return {}
    predictor = Predictor(home() / "releases" / charter.name / str(live.release))
    asked = {one.name for one in predictor.signature.inputs}
    known = predictor.signature.classes
    if not asked <= set(rows.column_names) or not set(known) <= set(ascii_uppercase):
        return {}
    batch = rows.combine_chunks().to_batches()[0]
    named = predictor.predict(pack_batch(predictor.signature, batch)).labels or []
    overlap = np.zeros((count, len(known)))
    for at, name in zip(groups, named, strict=True):
        overlap[at, known.index(name)] += 1
    pairs = zip(*linear_sum_assignment(-overlap), strict=True)
    return {int(at): known[to] for at, to in pairs if overlap[at, to] > 0}
