"""How the columns of the data differ from those of the suite: new, missing, renamed, retyped."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from charter import Charter, Frozen
from tasks import lake
from tasks.lake import Table
from tasks.validation.rules import is_number, is_text
from tasks.validation.suite import Suite
from tasks.validation.whole import quoted, stored

ALIKE_NAMES = 0.7
ALIKE_VALUES = 0.8
LEVELS = 1_000
QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]


class Change(Frozen):
    """One column that is not as the suite has it."""

    kind: Literal["missing", "renamed", "retyped", "new"]
    column: str
    """Its name in the suite; of a new column the one in the data."""
    type: str
    """What it holds now; of a missing column what it held."""
    was: str = ""
    """What the suite says that it holds, where it holds something else now."""
    name: str = ""
    """What a renamed column is called now."""
    evidence: str = ""
    """Why the two are thought to be one."""

    @property
    def words(self) -> str:
        return {
            "missing": f"{self.column} is missing",
            "renamed": f"{self.column} is missing, and {self.name} is new and looks like it "
            f"({self.evidence})",
            "retyped": f"{self.column} holds {self.type}, not {self.was}",
            "new": f"{self.column} ({self.type}) is new",
        }[self.kind]


def changes(charter: Charter, table: Table, suite: Suite) -> tuple[Change, ...]:
    """All of them, in the order of the suite, new columns last; none where it names no columns."""
    if not suite.columns:
        return ()
    schema = lake.dataset(table).schema
    there = set(schema.names)
    gone = [name for name in suite.columns if name not in there]
    target = charter.goal.target.column
    new = [name for name in schema.names if name not in suite.columns and name != target]
    renamed = _renamed(charter, table, suite, gone, new)
    found = []
    for name, wanted in suite.columns.items():
        if name in renamed:
            found.append(renamed[name])
        elif name in gone:
            found.append(Change(kind="missing", column=name, type=wanted))
        elif not _fits(table, schema.field(name), wanted):
            kind = str(schema.field(name).type)
            found.append(Change(kind="retyped", column=name, type=kind, was=wanted))
    taken = {change.name for change in renamed.values()}
    for name in new:
        if name not in taken:
            found.append(Change(kind="new", column=name, type=str(schema.field(name).type)))
    return tuple(found)


def _fits(table: Table, column: pa.Field, wanted: str) -> bool:
    """Whether it holds that type, or what says nothing else: whole numbers, or nothing at all."""
    if str(column.type) == wanted:
        return True
    if types.is_integer(column.type) and wanted in ("double", "float"):
        return True
    return _empty(table, column.name)


def _empty(table: Table, name: str) -> bool:
    batches = lake.read(table, columns=[name])
    return all(pc.count(batch.column(0)).as_py() == 0 for batch in batches)


def _renamed(
    charter: Charter, table: Table, suite: Suite, gone: list[str], new: list[str]
) -> dict[str, Change]:
    """Pairs of a missing and a new column of one type, alike by name or by values; best first."""
    schema = lake.dataset(table).schema
    pairs = []
    for old in gone:
        for name in new:
            if str(schema.field(name).type) != suite.columns[old]:
                continue
            names = SequenceMatcher(None, _plain(old), _plain(name)).ratio()
            values = _values_alike(charter, table, schema.field(name), old)
            if names >= ALIKE_NAMES or (values is not None and values >= ALIKE_VALUES):
                pairs.append((names + (values or 0.0), old, name, names, values))
    found: dict[str, Change] = {}
    for _, old, name, names, values in sorted(pairs, reverse=True):
        if old not in found and name not in {change.name for change in found.values()}:
            said = ", ".join(_evidence(names, values))
            found[old] = Change(
                kind="renamed", column=old, name=name, type=suite.columns[old], evidence=said
            )
    return found


def _evidence(names: float, values: float | None) -> Iterator[str]:
    yield "same type"
    if names >= ALIKE_NAMES:
        yield "similar name"
    if values is not None:
        yield f"values alike to {values:.0%}"


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _values_alike(charter: Charter, table: Table, column: pa.Field, old: str) -> float | None:
    """From 0 to 1, against the last rows that were found fit; None where nothing can be said."""
    before = lake.latest(f"tables/{charter.name}/table", charter.name)
    if before is None or before.rows == 0 or table.rows == 0:
        return None
    if old not in lake.dataset(before).schema.names:
        return None
    if is_text(column.type) or types.is_boolean(column.type):
        return _shared(_levels(charter, before, old), _levels(charter, table, column.name))
    if is_number(column.type) or types.is_temporal(column.type):
        return _near(_quantiles(charter, before, old), _quantiles(charter, table, column.name))
    return None


def _levels(charter: Charter, table: Table, column: str) -> dict[Any, float]:
    """The most frequent values with their shares."""
    with stored(charter, table) as rows:
        found = rows.execute(
            f"SELECT {quoted(column)}, count(*) FROM rows WHERE {quoted(column)} IS NOT NULL "
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {LEVELS}"
        ).fetchall()
    return {value: count / table.rows for value, count in found}


def _shared(old: dict[Any, float], new: dict[Any, float]) -> float:
    """The mass that two distributions have in common, of what the old one has in its levels."""
    return sum(min(share, new.get(value, 0.0)) for value, share in old.items()) / max(
        sum(old.values()), 1e-9
    )


def _quantiles(charter: Charter, table: Table, column: str) -> np.ndarray | None:
    number = f"{quoted(column)}::DOUBLE"
    with stored(charter, table) as rows:
        if types.is_temporal(lake.dataset(table).schema.field(column).type):
            number = f"epoch({quoted(column)})"
        asked = f"SELECT approx_quantile({number}, {QUANTILES}) FROM rows WHERE isfinite({number})"
        (found,) = rows.execute(asked).fetchall()[0]
    return None if found is None else np.asarray(found, dtype=float)


def _near(old: np.ndarray | None, new: np.ndarray | None) -> float | None:
    """How near the quantiles lie, as a share of the old span."""
    if old is None or new is None:
        return None
    span = float(old[-1] - old[0])
    if span <= 0:
        return 1.0 if np.array_equal(old, new) else 0.0
    return max(0.0, 1.0 - float(np.abs(old - new).mean()) / span)
