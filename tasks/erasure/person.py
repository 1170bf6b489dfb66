"""What the stores know of one person, gathered before it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pyarrow.types as pt

from charter import Charter
from serving.home import place
from serving.identity import identity
from serving.pseudonyms import Pseudonyms
from tasks import lake

TABLES = ("landed", "table", "protected", "found", "renewed", "collected")
LEAST = 6
"""Characters of a text from which on it is looked for; shorter ones are everywhere."""


@dataclass
class Person:
    """Somebody to forget; never shown."""

    column: str
    name: str = field(repr=False)
    forms: tuple[str, ...] = field(repr=False)
    """Every hash that the name has had."""
    rows: list[pa.Table] = field(default_factory=list, repr=False)
    """The rows of the newest tables."""
    alone: set[str] = field(default_factory=set, repr=False)
    """Texts that no other person has."""

    @property
    def names(self) -> set[str]:
        """What stands for the person, as far as it can be looked for."""
        said = {self.name, identity(self.name)}
        return {*self.forms, *(name for name in said if len(name) >= LEAST)}

    @property
    def traces(self) -> set[str]:
        """Every text that stands for this person alone."""
        return self.names | self.alone

    def is_in(self, row: dict[str, object]) -> bool:
        """Whether the row is theirs."""
        return identity(row.get(self.column)) in (identity(self.name), *self.forms)

    @property
    def theirs(self) -> pc.Expression:
        """The rows of a table with the column."""
        listed = pa.array([self.name, identity(self.name), *self.forms], pa.string())
        return pc.coalesce(pc.field(self.column).isin(listed), pc.scalar(False))

    @property
    def named(self) -> pc.Expression:
        """The rows in quarantine that have a trace."""
        found = [
            pc.coalesce(pc.match_substring(pc.field("record"), trace), pc.scalar(False))
            for trace in sorted(self.traces)
        ]
        whole = found[0]
        for one in found[1:]:
            whole = whole | one
        return whole


def person(charter: Charter, hashes: Pseudonyms, name: str) -> Person:
    """Everything about the person that the newest tables say."""
    column = charter.privacy.person
    assert column is not None
    found = Person(column, name, hashes.all(column, name))
    newest = [lake.latest(f"tables/{charter.name}/{kind}", charter.name) for kind in TABLES]
    whole = [lake.dataset(table) for table in newest if table is not None and lake.is_whole(table)]
    told = [rows for rows in whole if column in rows.schema.names]
    for rows in told:
        _gather(found, rows)
    for rows in told:
        found.alone -= _shared(found, rows)
    return found


def _gather(found: Person, rows: ds.Dataset) -> None:
    mine = rows.to_table(filter=found.theirs)
    if not mine.num_rows:
        return
    found.rows.append(mine)
    for one in mine.schema:
        if pt.is_string(one.type):
            values = mine.column(one.name).unique().to_pylist()
            found.alone.update(value for value in values if value and len(value) >= LEAST)


def _shared(found: Person, rows: ds.Dataset) -> set[str]:
    """Which of the person's texts somebody else has too."""
    texts = pa.array(sorted(found.alone), pa.string())
    shared: set[str] = set()
    for one in rows.schema if len(texts) else ():
        if pt.is_string(one.type):
            same = pc.coalesce(pc.field(one.name).isin(texts), pc.scalar(False)) & ~found.theirs
            for batch in rows.to_batches(columns=[one.name], filter=same):
                shared.update(batch.column(0).unique().to_pylist())
    return shared - set(found.forms)


def files_of(where: str, known: Person) -> set[str]:
    """The files of the table, of whatever version, that hold the person."""
    found = set()
    for path in place(where).glob("*.parquet"):
        schema = pq.read_schema(path)
        condition = known.theirs if known.column in schema.names else None
        condition = known.named if "record" in schema.names else condition
        if condition is None:
            continue
        if ds.dataset(str(path), format="parquet").count_rows(filter=condition):
            found.add(path.name)
    return found
