"""The suite's first draft, read off all rows that meet the charter's rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as types

from charter import Charter
from tasks import lake
from tasks.ingest import Ingested
from tasks.validation.expectation import (
    BETWEEN,
    COLUMNS,
    FILLED,
    ONE_OF,
    ROW_COUNT,
    Expectation,
    Kind,
)
from tasks.validation.numeric import Seen, possible
from tasks.validation.rules import is_number, is_text
from tasks.validation.suite import Suite
from tasks.validation.whole import connected, quoted

LEVELS = 128
"""Most values of a category that are written down."""
WIDE, PART = 128, 200
"""Of a table with more columns, this many at a time are read into a table of their own: each question
takes as long as the table that it is asked of is wide."""
ROWS_PER_LEVEL = 10
"""A column with fewer rows per value than this is no category."""


def infer(charter: Charter, ingested: Ingested, rules: Sequence[Expectation]) -> Suite:
    """What was normal: columns and types, filled columns, possible numbers, known categories."""
    rows = lake.dataset(ingested.table)
    with connected(charter, rows) as connection:
        connection.execute(f"CREATE TEMP VIEW good AS SELECT * FROM rows WHERE {_good(rules)}")
        draft = _Draft(charter, ingested, rules, rows.schema, connection)
        expectations = tuple(draft.expectations())
    return Suite(
        name=charter.name,
        rows=draft.rows,
        columns={field.name: str(field.type) for field in draft.source},
        expectations=expectations,
    )


def infer_columns(
    charter: Charter, ingested: Ingested, rules: Sequence[Expectation], names: Sequence[str]
) -> tuple[Expectation, ...]:
    """What was normal in these columns."""
    rows = lake.dataset(ingested.table)
    with connected(charter, rows) as connection:
        connection.execute(f"CREATE TEMP VIEW good AS SELECT * FROM rows WHERE {_good(rules)}")
        draft = _Draft(charter, ingested, rules, rows.schema, connection)
        return tuple(draft.columns(names))


class _Draft:
    def __init__(
        self,
        charter: Charter,
        ingested: Ingested,
        rules: Sequence[Expectation],
        schema: pa.Schema,
        connection: Any,
    ) -> None:
        self.charter = charter
        derived = charter.goal.target.made is not None
        self.source = [
            field for field in schema if not (derived and field.name == charter.goal.target.column)
        ]
        """The columns that the data bring; what the charter derives is the charter's matter."""
        self.connection = connection
        self.asked = "good"
        self.ruled = {(rule.type, column) for rule in rules for column in rule.columns}
        self.joined = {name for join in ingested.joins for name in join.added}
        self.rows = int(self._ask("SELECT count(*) FROM good")[0][0])
        # Rule of three: what was never seen in n rows is in at most 3/n of them, with 95 % certainty.
        # A rule on fewer rows could throw out more than the charter allows.
        self.firm = self.rows > 0 and 3 / self.rows <= charter.data.quarantine_share

    def expectations(self) -> Iterator[Expectation]:
        columns = {"column_set": [field.name for field in self.source], "exact_match": False}
        yield self._expectation(COLUMNS, columns, "table")
        if self.rows > 1:
            yield self._expectation(ROW_COUNT, {"min_value": self.rows // 2}, "warning")
        yield from self.columns([field.name for field in self.source])

    def columns(self, names: Sequence[str]) -> Iterator[Expectation]:
        wanted = set(names)
        fields = [
            field
            for field in self.source
            if field.name in wanted
            and self._role(field.name) != "ignore"
            and field.name not in self.charter.features.drop
        ]
        for part in self._parts(fields):
            for field in part:
                yield from self._column(field)

    def _parts(self, fields: Sequence[pa.Field]) -> Iterator[Sequence[pa.Field]]:
        """The columns, few at a time where there are many; `asked` is where they are."""
        if len(self.source) <= WIDE:
            yield fields
            return
        for first in range(0, len(fields), PART):
            part = fields[first : first + PART]
            picked = ", ".join(quoted(field.name) for field in part)
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE part AS SELECT {picked} FROM good"
            )
            self.asked = "part"
            yield part

    def _column(self, field: pa.Field) -> Iterator[Expectation]:
        kind = self._kind(field.name)
        filled, distinct = self._ask(
            "SELECT count({0}), approx_count_distinct({0}) FROM {1}", field.name
        )[0]
        if filled == 0:
            return
        if filled == self.rows and self._may_be_missing(field.name):
            maybe = "warning" if field.name in self.joined else kind
            yield self._expectation(FILLED, {"column": field.name}, maybe)
        if is_number(field.type) and self._role(field.name) in (None, "number"):
            yield from self._range(field, filled, distinct, kind)
        elif is_text(field.type) and self._role(field.name) in (None, "category"):
            yield from self._levels(field.name, filled, distinct)

    def _range(
        self, field: pa.Field, filled: int, distinct: int, kind: Kind
    ) -> Iterator[Expectation]:
        if (BETWEEN, field.name) in self.ruled or (ONE_OF, field.name) in self.ruled:
            return
        span = possible(self._seen(field, filled, distinct))
        if span is not None:
            low, high = (int(bound) if bound.is_integer() else bound for bound in span)
            bounds = {"column": field.name, "min_value": low, "max_value": high}
            yield self._expectation(BETWEEN, bounds, kind)

    def _levels(self, name: str, filled: int, distinct: int) -> Iterator[Expectation]:
        if (ONE_OF, name) in self.ruled or distinct > 2 * LEVELS:
            return
        asked = "SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY 1 LIMIT "
        levels = [level for (level,) in self._ask(asked + str(LEVELS + 1), name)]
        if len(levels) <= LEVELS and len(levels) * ROWS_PER_LEVEL <= filled:
            known = {"column": name, "value_set": levels}
            yield self._expectation(ONE_OF, known, "warning")

    def _seen(self, field: pa.Field, filled: int, distinct: int) -> Seen:
        numbers = (
            "SELECT min({0})::DOUBLE, approx_quantile({0}, 0.5)::DOUBLE, max({0})::DOUBLE, "
            "count(*) FILTER ({0} = 0) FROM {1} WHERE isfinite({0}::DOUBLE)"
        )
        low, median, high, zeros = self._ask(numbers, field.name)[0]
        return Seen(
            name=field.name,
            whole=types.is_integer(field.type),
            rows=filled,
            distinct=distinct,
            low=0.0 if low is None else low,
            median=0.0 if median is None else median,
            high=0.0 if high is None else high,
            zeros=zeros,
            lowest=self._extremes(field.name, "ASC"),
            highest=self._extremes(field.name, "DESC"),
        )

    def _extremes(self, name: str, order: str) -> tuple[tuple[float, int], ...]:
        asked = (
            "SELECT {0}::DOUBLE, count(*) FROM {1} WHERE isfinite({0}::DOUBLE) "
            f"GROUP BY 1 ORDER BY 1 {order} LIMIT 4"
        )
        return tuple((value, rows) for value, rows in self._ask(asked, name))

    def _may_be_missing(self, name: str) -> bool:
        """Whether a row without it is worth a word: a row without a label is left to `split`."""
        if name == self.charter.goal.target.column or (FILLED, name) in self.ruled:
            return False
        allowed = [rule for rule in self.charter.data.rules if rule.not_null is False]
        return not any(name in rule.names for rule in allowed)

    def _kind(self, name: str) -> Kind:
        """Extreme labels are what a model has to learn, so they are never thrown out."""
        return "row" if self.firm and name != self.charter.goal.target.column else "warning"

    def _role(self, name: str) -> str | None:
        if name in self.charter.privacy.identifiers:
            return "identifier"
        column = self.charter.data.columns.get(name)
        return column.role if column else None

    def _expectation(self, type: str, kwargs: dict[str, Any], kind: Kind) -> Expectation:
        return Expectation(type=type, kwargs=kwargs, kind=kind, where="suite")

    def _ask(self, sql: str, column: str = "") -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.execute(
            sql.replace("{1}", self.asked).replace("{0}", quoted(column))
        ).fetchall()
        return rows


def _good(rules: Sequence[Expectation]) -> str:
    """The SQL condition of a row that meets the charter's rules, as far as SQL can say them."""
    conditions = ["true"]
    for rule in rules:
        column = quoted(str(rule.kwargs.get("column", "")))
        if rule.type == BETWEEN:
            low, high = rule.kwargs["min_value"], rule.kwargs["max_value"]
            conditions.append(f"({column} IS NULL OR {column} BETWEEN {low!r} AND {high!r})")
        elif rule.type == FILLED:
            conditions.append(f"{column} IS NOT NULL")
        elif rule.type == ONE_OF:
            values = ", ".join(_literal(value) for value in rule.kwargs["value_set"])
            conditions.append(f"({column} IS NULL OR {column} IN ({values}))")
    return " AND ".join(conditions)


def _literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
