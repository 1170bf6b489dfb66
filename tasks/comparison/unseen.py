"""The rows of the challenger's holdout that the champion did not train on either."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter
from serving.bundle import Manifest
from tasks import lake
from tasks.lake import Table
from tasks.split import Rows
from tasks.splitting import spans
from tasks.splitting.sides import hashed

LEAST = 50
"""Rows below which nothing is decided."""


@dataclass(frozen=True)
class Unseen:
    """Rows that judge both fairly."""

    rows: Rows
    rule: str
    """Which rows these are, in words."""
    timed: bool
    blocks: np.ndarray | None = None
    """The day or hour of each row, numbered from 0: rows within one belong together."""

    @property
    def truth(self) -> np.ndarray:
        return self.rows.truth

    @property
    def count(self) -> int:
        return len(self.rows.truth)

    @property
    def drawn(self) -> int | None:
        """How many days or hours there are; None where there is no time to go by."""
        return None if self.blocks is None else int(self.blocks.max()) + 1

    @property
    def lacks(self) -> str:
        """Why nothing can be decided on them; empty where it can."""
        if self.count < LEAST:
            return f"only {self.count} rows are {self.rule}, wanted at least {LEAST}"
        if self.timed and self.blocks is None:
            return f"the rows {self.rule} are of fewer than {spans.LEAST} days, and hours"
        return ""

    def fewer(self, most: int) -> Unseen:
        """At most so many rows, evenly spread."""
        if self.count <= most:
            return self
        places = np.unique(np.linspace(0, self.count - 1, most).astype(int))
        blocks = self.blocks
        if blocks is not None:
            blocks = np.unique(blocks[places], return_inverse=True)[1]
        rows = Rows(self.rows.table.take(pa.array(places)), self.truth[places])
        return replace(self, rows=rows, blocks=blocks)


def unseen(charter: Charter, rows: Rows, champion: Manifest) -> Unseen:
    """By time: later than everything that the champion was trained on. Without a time: rows that
    its table did not have."""
    seconds = spans.seconds(charter, rows.table)
    if seconds is not None and champion.until is not None:
        return _of(rows, seconds > champion.until, seconds, "later than the champion's training")
    made = _table(charter, champion)
    if made is None or not lake.is_whole(made):  # a person was erased from it
        later = np.zeros(len(rows.truth), dtype=bool)
    else:
        names = _names(charter, rows.table.schema.names, lake.dataset(made).schema.names)
        known = _hashes(lake.read(made, names))
        later = ~np.isin(_hashes(rows.table.select(names).to_batches()), known)
    return _of(rows, later, seconds, "that the champion's table did not have")


def _of(rows: Rows, mask: np.ndarray, seconds: np.ndarray | None, rule: str) -> Unseen:
    kept = Rows(rows.table.filter(pa.array(mask)), rows.truth[mask])
    blocks = None if seconds is None else spans.spans(seconds[mask])
    return Unseen(kept, rule, seconds is not None, blocks)


def _table(charter: Charter, champion: Manifest) -> Table | None:
    """What the champion's rows came from, held out or not."""
    if not champion.tables:
        return None
    where, version = list(champion.tables.items())[-1]  # the last is what the others went into
    return Table(project=charter.name, where=where, version=version, rows=0, fingerprint="")


def _names(charter: Charter, ours: list[str], theirs: list[str]) -> list[str]:
    """What tells rows apart: the key, or everything but the truth, which may be corrected."""
    target = charter.goal.target.column
    both = [name for name in ours if name in theirs and name != target]
    return [name for name in charter.data.key if name in both] or both


def _hashes(batches: Iterable[pa.RecordBatch]) -> np.ndarray:
    texts = (
        text
        for batch in batches
        for text in pc.binary_join_element_wise(
            *(pc.fill_null(column.cast(pa.string()), "\0") for column in batch.columns), "\x1f"
        ).to_pylist()
    )
    return hashed(texts, 0)
