"""Names that last: a group is called as most of its rows were when the live release was trained."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np
import pyarrow as pa

from charter import Charter
from serving import releases
from serving.bundle import load
from serving.home import home
from tasks import lake
from tasks.clusterings import Found
from tasks.finding.columns import Preparation


def letters(
    charter: Charter, where: str, preparation: Preparation, found: Found, sizes: Sequence[int],
    most: int,
) -> list[str]:  # fmt: skip
    """The name of each group; `where` is the table of groups, of which at most `most` old rows are
    looked at, and `sizes` are the groups' rows in a draw.

    Names are given out so that as many of the old rows as possible keep theirs (Kuhn, The Hungarian
    method, 1955); a group with none, and all groups where nothing is live, get letters, the largest
    first.
    """
    kept = _kept(charter, where, preparation, found, most)
    taken = set(kept.values())
    free = iter(letter for letter in ascii_uppercase if letter not in taken)
    order = np.argsort(-np.asarray(sizes), kind="stable").tolist()
    new = {at: next(free) for at in order if at not in kept}
    return [(kept | new)[at] for at in range(found.groups)]


def _kept(
    charter: Charter, where: str, preparation: Preparation, found: Found, most: int
) -> dict[int, str]:
    """Of groups that have rows which the live release knows, their names there."""
    from scipy.optimize import linear_sum_assignment

    old = _old(charter, where, preparation, most)
    if old is None:
        return {}
    names = [str(one) for one in old.column(charter.goal.target.column).to_pylist()]
    known = sorted(set(names))
    overlap = np.zeros((found.groups, len(known)))
    for at, name in zip(found.assign(preparation.rows(old)), names, strict=True):
        overlap[at, known.index(name)] += 1
    pairs = zip(*linear_sum_assignment(-overlap), strict=True)
    return {int(at): known[to] for at, to in pairs if overlap[at, to] > 0}


def _old(charter: Charter, where: str, preparation: Preparation, most: int) -> pa.Table | None:
    """Rows that the live release was trained on, an even sample of many."""
    live = releases.live(home() / "releases" / charter.name)
    if live is None:
        return None
    folder = home() / "releases" / charter.name / str(live.release)
    version = load(folder).manifest.tables.get(where)
    table = None if version is None else lake.at(where, charter.name, version)
    if table is None or not lake.is_whole(table):
        return None
    asked = [*preparation.names, charter.goal.target.column]
    if not set(asked) <= set(lake.dataset(table).schema.names):
        return None
    step = max(1, table.rows // most)
    parts, start = [], 0
    for batch in lake.read(table, asked):
        parts.append(batch.take(pa.array(range(-start % step, batch.num_rows, step), pa.int64())))
        start += batch.num_rows
    return pa.Table.from_batches(parts)
