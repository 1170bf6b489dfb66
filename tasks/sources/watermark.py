"""A query that grows: rows whose watermark is larger than the last one are new, and some with the same.

Rows that share the last watermark may have come before or after the look, so they are told apart by
what they hold. A row that comes later with a smaller watermark is never seen: the charter vouches
that there is none.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Self

from charter import Refusal
from tasks.nearest import suggestion
from tasks.sources.base import OneMoment, Raw, without
from tasks.sources.cells import Cells, Row, fitting, misfits
from tasks.sources.growth import Changed, Held, Place
from tasks.sources.refused import Refused
from tasks.sources.sql import SqlQuery, cells_of, plain

WHERE = "data.watermark"
MOST_TIED = 10_000
"""Rows with the same watermark that are told apart by what they hold."""
DIGITS = 16
KINDS: dict[str, Any] = {
    "int": int,
    "float": float,
    "Decimal": Decimal,
    "str": str,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}


class Watermarked(OneMoment):
    """The rows of a query, from one watermark to another."""

    clause: ClassVar[type] = SqlQuery.clause

    def __init__(self, query: SqlQuery, column: str) -> None:
        self.query, self.column = query, column
        self.where = query.where
        self._start: Place | None = None
        self._end: Place | None = None
        self._held: Held | None = None

    @property
    def name(self) -> str:
        return self.query.name

    def fingerprint(self) -> str:
        return self.query.fingerprint()

    def waiting(self, end: Place) -> int:
        return 0

    def end(self, before: Place | None) -> Place:
        self._check_column()
        if before is not None:
            tied = Counter(self._tied(_value(before)))
            if lost := Counter[str](before["tied"]) - tied:
                raise Changed(
                    f"{lost.total():,} rows with the {self.column} {before['text']} are gone "
                    f"from {self.name}, or others"
                )
        highest = self._one("max({column})")
        if highest is None:
            return {"kind": "", "text": "", "tied": {}}
        kind = type(highest).__name__
        if kind not in KINDS:
            raise Refusal(
                WHERE, f"found values of {self.column} of type {kind}",
                "wanted numbers, texts or times", "Name another column.",
            )  # fmt: skip
        text = highest.isoformat() if isinstance(highest, date) else str(highest)
        return {"kind": kind, "text": text, "tied": dict(self._tied(highest))}

    def between(self, start: Place | None, end: Place, held: Held | None) -> Self:
        part = copy.copy(self)
        part._start, part._end, part._held = start, end, held
        return part

    def raw(self, room: Path, refused: Refused) -> Raw:
        bad: list[int] = []
        position, cells = 0, None
        wanted = fitting(self._held)
        for names, row in self._rows():
            cells = cells or Cells(room / "cells", self.where, names)
            if row is None:
                continue
            if wrong := misfits(row, wanted):
                bad.append(position)
                told = {name: cell and cell[1] for name, cell in row.items()}
                record = json.dumps(told, ensure_ascii=False)
                refused.add(position, wrong, record, lambda number: f"row {number + 1}")
            else:
                cells.add(row)
            position += 1
        assert cells is not None
        cells.close()
        if position == 0 and self._start is None:
            raise Refusal(
                self.where, f"found no rows from {self.name}", "wanted some", "Look at the query."
            )
        if self._held is not None:
            self._held.check_gone(cells.schema.names)
        return Raw(cells.schema, cells.batches, readings=cells.readings, position=without(bad))

    def _rows(self) -> Iterator[tuple[tuple[str, ...], Row | None]]:
        """The names of the columns (with no row), then each row of the part."""
        assert self._end is not None
        ends = _Ends(self._start, self._end)
        condition = " AND ".join(f"{{column}} {sign} :{name}" for name, sign in ends.signs.items())
        sql = self._sql("*", condition or "1 = 0", ordered=True)
        with self.query.result(sql, **ends.values) as (names, found):
            yield names, None
            place = names.index(self.column)
            for portion in found:
                for one in portion:
                    row = cells_of(names, one)
                    if ends.holds(one[place], row):
                        yield names, row

    def _tied(self, value: Any) -> Counter[str]:
        """The rows that have this watermark, by what they hold."""
        tied = Counter[str]()
        with self.query.result(self._sql("*", "{column} = :value"), value=value) as (names, found):
            for portion in found:
                tied.update(_digest(cells_of(names, row)) for row in portion)
        if tied.total() > MOST_TIED:
            raise Refusal(
                WHERE, f"found {tied.total():,} rows with the {self.column} {value}",
                f"wanted at most {MOST_TIED:,} that share one",
                "Name a finer column: the row's number, or the time to the second.",
            )  # fmt: skip
        return tied

    def _check_column(self) -> None:
        with self.query.result(self._sql("*", "1 = 0")) as (names, _):
            if self.column not in names:
                raise Refusal(
                    WHERE, f"found no column {self.column} in {self.name}",
                    "wanted one of the query", suggestion(self.column, names),
                )  # fmt: skip
        if self._one("count(*)", "{column} IS NULL"):
            raise Refusal(
                WHERE, f"found rows without a {self.column}",
                "wanted a value in each, which says whether the row is new",
                f"Leave them out in the query: WHERE {self.column} IS NOT NULL.",
            )  # fmt: skip

    def _one(self, what: str, condition: str = "1 = 1") -> Any:
        with self.query.result(self._sql(f"{what} AS found", condition)) as (_, found):
            rows: list[Sequence[Any]] = [row for portion in found for row in portion]
        return rows[0][0]

    def _sql(self, what: str, condition: str, ordered: bool = False) -> str:
        query = self.query.source.query.strip().rstrip(";")
        column = plain('"' + self.column.replace('"', '""') + '"')
        text = f"SELECT {what} FROM (\n{{query}}\n) AS grown WHERE {condition}"
        text += " ORDER BY {column}" if ordered else ""
        return text.format(query=plain(query), column=column)


class _Ends:
    """The two ends of a part; of rows that have the watermark of one, those are counted off that
    belong to it."""

    def __init__(self, start: Place | None, end: Place) -> None:
        self.values = {"high": _value(end)} if end["kind"] else {}
        self._before, self._after = Counter[str](), Counter[str](end["tied"])
        if start is not None and start["kind"]:
            self.values["low"] = _value(start)
            self._before.update(start["tied"])

    @property
    def signs(self) -> dict[str, str]:
        """How the watermark compares with each of them."""
        return {name: "<=" if name == "high" else ">=" for name in self.values}

    def holds(self, value: Any, row: Row) -> bool:
        first, last = (value == self.values.get(name, _NONE) for name in ("low", "high"))
        if not first and not last:
            return True
        digest = _digest(row)
        if last:
            self._after[digest] -= 1
        if first and self._before[digest]:
            self._before[digest] -= 1
            return False
        return not last or self._after[digest] >= 0


_NONE = object()


def _value(place: Place) -> Any:
    return KINDS[place["kind"]](place["text"])


def _digest(row: Row) -> str:
    """What a row holds; a column that has come since, and has no value in it, is no other row."""
    filled = {name: cell for name, cell in row.items() if cell is not None}
    return hashlib.sha256(json.dumps(filled, sort_keys=True).encode()).hexdigest()[:DIGITS]
