"""The form: one field for each input of the model, in the words of the charter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from serving.form import example
from serving.signature import Input, Signature

CHOICES = 12  # up to so many known texts are a list to choose from; more are suggested while typing
MOMENT = "%Y-%m-%dT%H:%M"

Control = Literal["number", "moment", "choice", "text"]

_CONTROLS: dict[str, Control] = {
    "number": "number",
    "flag": "choice",
    "time": "moment",
    "text": "text",
}
_YES_NO = (("true", "yes"), ("false", "no"))


class Field(NamedTuple):
    """What the form shows for one input."""

    name: str
    label: str
    control: Control
    value: str
    """What stands there at first: the example of the signature."""
    hint: str
    help: str
    """The charter's words for the column; may be empty."""
    required: bool
    choices: tuple[tuple[str, str], ...]
    """Value and text of each; for a `text` control they are suggested."""
    low: float | None
    high: float | None


def fields(signature: Signature, charter: dict[str, Any]) -> list[Field]:
    """One field per input, in the order of the signature."""
    told = charter.get("data", {}).get("columns", {})
    return [_field(column, told.get(column.name) or {}) for column in signature.inputs]


def _field(column: Input, told: dict[str, Any]) -> Field:
    control = _CONTROLS[column.kind]
    choices = _YES_NO if column.kind == "flag" else tuple((text, text) for text in column.levels)
    if column.kind == "text" and 0 < len(choices) <= CHOICES:
        control = "choice"
    return Field(
        column.name, told.get("label") or readable(column.name), control,
        _value(column), _hint(column), told.get("help") or "", column.required, choices,
        column.low, column.high,
    )  # fmt: skip


def readable(name: str) -> str:
    """A column's name as people write."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _value(column: Input) -> str:
    value = example(column)
    if column.kind == "time":
        return _moment(datetime.fromisoformat(str(value)))
    if column.kind == "flag":
        return "true" if value in (True, "true", "True", 1) else "false"
    return spelled(value) if isinstance(value, float) else str(value)


def spelled(value: float) -> str:
    """All digits of a number, which come back as the same number; a whole one has no point."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _moment(moment: datetime) -> str:
    """As a browser's field for date and time takes it, UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime(MOMENT)


def _hint(column: Input) -> str:
    """What the model has seen of the column."""
    low, high = column.low, column.high
    if column.kind == "time":
        seen = ""
        if low is not None and high is not None:
            days = (datetime.fromtimestamp(end, UTC).date() for end in (low, high))
            seen = "; learned from {} to {}".format(*days)
        return f"UTC{seen}"
    if column.kind == "number" and low is not None and high is not None:
        return f"learned from {low:.6g} to {high:.6g}"  # as it may be typed
    if column.kind == "text" and len(column.levels) > CHOICES:
        return f"for example {', '.join(column.levels[:3])}"
    return ""
