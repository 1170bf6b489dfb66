"""Of a table that grows, only the rows that are new are judged one by one.

What was found in the others stands in the commit that brought the rows that were fit. Numbers over
all rows, keys across rows and the spread of values are asked of the whole table each time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from charter import Charter, Frozen
from tasks import increment, lake
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.quarantine import Quarantine, is_kept
from tasks.validation.expectation import Expectation
from tasks.validation.sift import Sifting, whole
from tasks.validation.tally import Tally


class Judged(Frozen):
    """What a commit of the validated table says of itself, and of all rows up to it."""

    law: str
    """SHA-256 of what the rows were judged by."""
    since: int
    """The version that had all rows judged, and that the later ones add to."""
    landed: str
    """Fingerprint of the table that was judged."""
    start: int
    """Rows of that table that an earlier commit had judged."""
    rows: int
    refused: int
    """Rows that this commit refused."""
    refused_rows: int
    """Rows that were refused so far."""
    reasons: dict[str, int]
    tallies: tuple[dict[str, Any] | None, ...]
    """Of each expectation that parts of the table can answer, in their order."""


class Standing:
    """How far the validated table has judged the landed one, by the same law."""

    def __init__(
        self, charter: Charter, ingested: Ingested, asked: Sequence[Expectation], law: str
    ) -> None:
        self.charter, self.landed, self.law = charter, ingested.table, law
        self.grows = increment.grown(ingested.table) is not None
        self.table = lake.latest(f"tables/{charter.name}/table", charter.name)
        self.before = self._before() if self.grows else None
        self.tallies = _tallies(asked, self.before)
        """What was found so far, for each expectation."""

    def _before(self) -> Judged | None:
        """None where all rows have to be judged."""
        said = None if self.table is None else increment.grown(self.table)
        if self.table is None or said is None or not lake.is_whole(self.table):
            return None
        before = Judged.model_validate_json(said)
        same = before.law == self.law
        kept = same and increment.still_first(self.landed, before.landed, before.rows)
        return before if kept else None

    @property
    def start(self) -> int:
        """The first row that nobody has judged."""
        return self.before.rows if self.before else 0

    @property
    def cut_short(self) -> tuple[int, int] | None:
        """The rows of a run that was killed before it could keep what it had refused of them."""
        if self.before is None or self.table is None or not self.before.refused:
            return None
        if is_kept(self.charter.name, "validate", self.table.fingerprint):
            return None
        return self.before.start, self.before.rows

    def write(self, sifting: Sifting, fingerprint: str) -> Table:
        """The rows that are fit, behind those that were there, or as the whole table."""
        if self.before is None or self.table is None:
            where, name = f"tables/{self.charter.name}/table", self.charter.name
            said = (lambda: self.said(sifting)) if self.grows else None
            table = lake.write(where, name, sifting.fit(), fingerprint, said)
        elif self.before.landed == self.landed.fingerprint:
            table = self.table
        else:
            added = increment.add(
                self.table, sifting.fit(), fingerprint, lambda: self.said(sifting)
            )  # fmt: skip
            if added is None:
                raise TimeoutError(f"{self.table.where} was written by another run meanwhile")
            table = added
        sifting.finish()  # where the table was there already
        return table

    def said(self, sifting: Sifting) -> str:
        """What the commit of these rows says."""
        before = self.before
        version = 1 if self.table is None else self.table.version + 1
        reasons = Counter(before.reasons if before else {}) + sifting.reasons
        return Judged(
            law=self.law, since=before.since if before else version,
            landed=self.landed.fingerprint, start=before.rows if before else 0,
            rows=self.landed.rows, refused=sifting.refused,
            refused_rows=sifting.refused + (before.refused_rows if before else 0),
            reasons=dict(reasons), tallies=tuple(_state(tally) for tally in sifting.tallies),
        ).model_dump_json()  # fmt: skip


def together(refused: Quarantine, table: Table) -> Quarantine:
    """The rows refused by this commit and by those that it adds to."""
    said = increment.grown(table)
    if said is None:
        return refused
    judged = Judged.model_validate_json(said)
    reasons = dict(Counter(judged.reasons).most_common())
    return refused.model_copy(update={"rows": judged.refused_rows, "reasons": reasons})


def _tallies(asked: Sequence[Expectation], before: Judged | None) -> list[Tally]:
    if before is None:
        return [Tally(one) for one in asked]
    return [
        Tally(one) if state is None else Tally(one, **state | {"values": Counter(state["values"])})
        for one, state in zip(asked, before.tallies, strict=True)
    ]


def _state(tally: Tally) -> dict[str, Any] | None:
    if whole(tally.expectation):
        return None
    state = {name: value for name, value in vars(tally).items() if name != "expectation"}
    found: dict[str, Any] = json.loads(json.dumps(state, default=float))
    return found
