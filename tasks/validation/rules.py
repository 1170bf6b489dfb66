"""The charter's rules and key as expectations, checked against the columns that are there."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pyarrow.types as types

from charter import Charter, Refusal
from charter.data import Rule
from tasks.validation.expectation import (
    BETWEEN,
    FILLED,
    MATCHES,
    ONE_OF,
    UNIQUE,
    UNIQUE_TOGETHER,
    Expectation,
)

Kwargs = dict[str, Any]


def charter_expectations(charter: Charter, schema: pa.Schema) -> tuple[Expectation, ...]:
    """What the charter asks of each row; a rule that does not fit its column is refused."""
    expectations = []
    for position, rule in enumerate(charter.data.rules):
        where = f"charter.data.rules[{position}]"
        for name in rule.names:
            column = field(schema, name, where)
            for type, kwargs in _conditions(rule, column, where):
                expectations.append(Expectation(type=type, kwargs=kwargs, kind="row", where=where))
    return (*expectations, *_key(charter, schema))


def field(schema: pa.Schema, name: str, where: str) -> pa.Field:
    """The column of this name; refused with the nearest one where there is none."""
    if (at := schema.get_field_index(name)) >= 0:
        return schema.field(at)
    near = get_close_matches(name, schema.names, 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(schema.names)}."
    raise Refusal(where, f"the data have no column {name}", "wanted the name of a column", hint)


def is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _conditions(rule: Rule, column: pa.Field, where: str) -> Iterator[tuple[str, Kwargs]]:
    name: Kwargs = {"column": column.name}
    if rule.between is not None:
        _wants_number(column, where)
        low, high = (_whole(bound) for bound in rule.between)
        yield BETWEEN, name | {"min_value": low, "max_value": high}
    if rule.one_of is not None:
        _wants_same_kind(rule, column, where)
        yield ONE_OF, name | {"value_set": list(rule.one_of)}
    if rule.matches is not None:
        _wants_text(column, where)
        yield MATCHES, name | {"regex": f"^(?:{rule.matches})$"}
    if rule.not_null:
        yield FILLED, name


def _key(charter: Charter, schema: pa.Schema) -> Iterator[Expectation]:
    where = "charter.data.key"
    names = [field(schema, name, where).name for name in charter.data.key]
    if len(names) == 1:
        yield Expectation(type=UNIQUE, kwargs={"column": names[0]}, kind="row", where=where)
    elif names:
        together = {"column_list": names}
        yield Expectation(type=UNIQUE_TOGETHER, kwargs=together, kind="row", where=where)


def _wants_number(column: pa.Field, where: str) -> None:
    if not is_number(column.type):
        raise Refusal(
            f"{where}.between",
            f"{column.name} holds {column.type}",
            "wanted a column of numbers",
            f"Use one_of or matches, or set charter.data.columns.{column.name}.role to number.",
        )


def _wants_text(column: pa.Field, where: str) -> None:
    if not is_text(column.type):
        raise Refusal(
            f"{where}.matches",
            f"{column.name} holds {column.type}",
            "wanted a column of text",
            f"Use between or one_of, or set charter.data.columns.{column.name}.role to text.",
        )


def _wants_same_kind(rule: Rule, column: pa.Field, where: str) -> None:
    fits: type | tuple[type, ...]
    if is_text(column.type):
        fits, wanted = str, "texts"
    elif types.is_boolean(column.type):
        fits, wanted = bool, "true and false"
    elif is_number(column.type):
        fits, wanted = (int, float), "numbers"
    else:
        fits, wanted = (), "between or not_null for a column of this kind"
    for value in rule.one_of or ():
        if not isinstance(value, fits) or (isinstance(value, bool) and fits is not bool):
            raise Refusal(
                f"{where}.one_of",
                f"{value!r}, but {column.name} holds {column.type}",
                f"wanted {wanted}",
                "In YAML, quotes make a text: '1' is a text, 1 is a number.",
            )


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
