"""One expectation, and how it is said in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from charter import Frozen

Kind = Literal["row", "table", "warning"]

BETWEEN = "expect_column_values_to_be_between"
FILLED = "expect_column_values_to_not_be_null"
ONE_OF = "expect_column_values_to_be_in_set"
MATCHES = "expect_column_values_to_match_regex"
UNIQUE = "expect_column_values_to_be_unique"
UNIQUE_TOGETHER = "expect_compound_columns_to_be_unique"
COLUMNS = "expect_table_columns_to_match_set"
ROW_COUNT = "expect_table_row_count_to_be_between"


class Expectation(Frozen):
    """An expectation of Great Expectations, and what follows when it is not met."""

    type: str
    """The name that Great Expectations gives it, as in `expect_column_values_to_be_between`."""
    kwargs: dict[str, Any]
    kind: Kind
    where: str
    """The charter's key or the suite's entry that says it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at; none for an expectation on the table."""
        named = [
            self.kwargs[name] for name in ("column", "column_A", "column_B") if name in self.kwargs
        ]
        return (*named, *self.kwargs.get("column_list", ()))

    @property
    def unique(self) -> bool:
        """Whether rows are compared with each other, which takes the whole table."""
        return self.type in (UNIQUE, UNIQUE_TOGETHER)

    @property
    def kept(self) -> str:
        """What is so when it is met: `distance is between 1 and 6,000`."""
        return self._words[0]

    @property
    def broken(self) -> str:
        """What is so when it is not met: `distance is not between 1 and 6,000`."""
        return self._words[1]

    @property
    def _words(self) -> tuple[str, str]:
        return WORDS.get(self.type, _other(self.type))(self.kwargs)


def listed(values: Sequence[object], shown: int = 6) -> str:
    """The first few values, and how many more there are."""
    more = len(values) - shown
    first = ", ".join(_value(value) for value in values[:shown])
    return f"{first} and {more:,} more" if more > 0 else first


def _value(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.6g}"
    return f"{int(value):,}"


def _interval(kwargs: dict[str, Any]) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is None:
        return f"at most {_value(high)}"
    return (
        f"at least {_value(low)}" if high is None else f"between {_value(low)} and {_value(high)}"
    )


def _between(kwargs: dict[str, Any]) -> tuple[str, str]:
    column, interval = kwargs["column"], _interval(kwargs)
    return f"{column} is {interval}", f"{column} is not {interval}"


def _filled(kwargs: dict[str, Any]) -> tuple[str, str]:
    return f"{kwargs['column']} is filled", f"{kwargs['column']} is missing"


def _one_of(kwargs: dict[str, Any]) -> tuple[str, str]:
    column, values = kwargs["column"], listed(kwargs.get("value_set") or ())
    return f"{column} is one of {values}", f"{column} is not one of {values}"


def _matches(kwargs: dict[str, Any]) -> tuple[str, str]:
    column, regex = kwargs["column"], kwargs["regex"].removeprefix("^(?:").removesuffix(")$")
    return f"{column} matches {regex}", f"{column} does not match {regex}"


def _unique(kwargs: dict[str, Any]) -> tuple[str, str]:
    columns = ", ".join(kwargs.get("column_list") or [kwargs.get("column", "")])
    return f"{columns}: no two rows share it", f"{columns}: an earlier row has the same"


def _columns(kwargs: dict[str, Any]) -> tuple[str, str]:
    columns = kwargs.get("column_set") or ()
    return f"the columns are {listed(columns)}", f"the columns are not {listed(columns)}"


def _row_count(kwargs: dict[str, Any]) -> tuple[str, str]:
    interval = _interval(kwargs)
    return f"the number of rows is {interval}", f"the number of rows is not {interval}"


def _other(type: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    def words(kwargs: dict[str, Any]) -> tuple[str, str]:
        said = type.removeprefix("expect_").replace("_", " ")
        given = ", ".join(f"{name} {value}" for name, value in kwargs.items() if value is not None)
        return f"{said} ({given})", f"not met: {said} ({given})"

    return words


WORDS: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {
    BETWEEN: _between,
    FILLED: _filled,
    ONE_OF: _one_of,
    MATCHES: _matches,
    UNIQUE: _unique,
    UNIQUE_TOGETHER: _unique,
    COLUMNS: _columns,
    ROW_COUNT: _row_count,
}
