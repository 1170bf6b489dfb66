"""Rows that nobody should send and somebody will."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from serving.packing import BadRow, pack_rows
from serving.signature import Input, Kind, Signature
from serving.values import LARGEST

Row = dict[str, object]
CELLS = 4_000_000
"""Most values of all hostile rows together, each of which has every column."""

NUMBERS: dict[str, object] = {
    "zero": 0, "minus zero": -0.0, "minus one": -1, "tiny": 1e-308, "large": 1e15,
    "largest": LARGEST, "most negative": -LARGEST, "1e308": 1e308, "a text": "12.5",
}  # fmt: skip
FLAGS: dict[str, object] = {"true": True, "false": False, "1": 1, "a text": "True"}
TIMES: dict[str, object] = {
    "year 1": "0001-01-01T00:00:00Z", "year 9999": "9999-12-31T23:59:59.999999Z",
    "before the epoch": "1969-12-31T23:59:59.999999Z", "leap day": "2024-02-29T12:00:00",
    "far zone": "2013-03-10T02:30:00+14:00", "a date": "1900-03-01",
}  # fmt: skip
TEXTS: dict[str, object] = {
    "unseen": "never seen before", "empty": "", "long": "x" * 10_000, "unicode": "Zürich 北京 🛫",
    "combining": "e\u0301", "control": "a\x00b\n\t", "a number": 7, "true": True,
}  # fmt: skip
VALUES: dict[Kind, dict[str, object]] = {
    "number": NUMBERS, "flag": FLAGS, "time": TIMES, "text": TEXTS,
}  # fmt: skip


def hostile(signature: Signature, rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Hostile rows with what is hostile about each: `carrier: unseen`.

    `rows` are ordinary ones, in which one column at a time is made hostile, or several where there
    would be too many rows; values that packing refuses have no answer to compare and are left out.
    """
    found = [one for one in _everything(signature) if _accepted(signature, one[1])]
    for row in rows:
        changes = _changes(signature, row)
        values = len(rows) * sum(map(len, changes.values()))
        for columns in _together(signature, values):
            found += _changed(row, columns, changes)
    return found


def _changes(signature: Signature, row: Row) -> dict[str, dict[str, object]]:
    """Per column, the hostile values that packing takes, by what is hostile about them."""
    found = {}
    for column in signature.inputs:
        alone = signature.model_copy(update={"inputs": (column,)})
        found[column.name] = {
            what: value
            for what, value in _values(column, row)
            if _accepted(alone, {column.name: value})
        }
    return found


def _together(signature: Signature, values: int) -> Iterator[Sequence[str]]:
    """The columns that are made hostile at once."""
    names = [column.name for column in signature.inputs]
    each = max(1, -(-values * len(names) // CELLS))
    for first in range(0, len(names), each):
        yield names[first : first + each]


def _changed(
    row: Row, columns: Sequence[str], changes: dict[str, dict[str, object]]
) -> Iterator[tuple[str, Row]]:
    named = columns[0] if len(columns) == 1 else f"{columns[0]} to {columns[-1]}"
    for what in dict.fromkeys(what for name in columns for what in changes[name]):
        hit = {name: changes[name][what] for name in columns if what in changes[name]}
        yield f"{named}: {what}", {**row, **hit}


def as_table(signature: Signature, rows: Sequence[Row]) -> pa.Table:
    """The same rows as the lake would hold them: numbers as double, the rest as text."""
    columns = {}
    for column in signature.inputs:
        cells = [row.get(column.name) for row in rows]
        if column.kind == "number":
            columns[column.name] = pa.array(map(_double, cells), type=pa.float64())
        else:
            columns[column.name] = pa.array(map(_text, cells), type=pa.string())
    return pa.table(columns)


def _everything(signature: Signature) -> Iterator[tuple[str, Row]]:
    yield "every column absent", {}
    yield "every column null", {column.name: None for column in signature.inputs}
    for what in ("zero", "large", "largest", "most negative"):
        yield (
            f"every number: {what}",
            {column.name: NUMBERS[what] for column in signature.inputs if column.kind == "number"},
        )
    yield (
        "every text unseen",
        {column.name: TEXTS["unseen"] for column in signature.inputs if column.kind == "text"},
    )


def _values(column: Input, row: Row) -> Iterator[tuple[str, object]]:
    yield "missing", None
    yield from VALUES[column.kind].items()
    for what, bound, step in (("below", column.low, -1.0), ("above", column.high, 1.0)):
        if bound is not None and column.kind == "number":
            yield f"{what} what was seen", bound + step * max(1.0, abs(bound))
    value = row.get(column.name)
    if column.kind == "text" and isinstance(value, str) and value:
        yield "other case", value.swapcase()
        yield "padded", f" {value} "


def _accepted(signature: Signature, row: Row) -> bool:
    try:
        pack_rows(signature, [row])
    except BadRow:
        return False
    return True


def _double(cell: object) -> float | None:
    return None if cell is None or cell == "" else float(cell)  # type: ignore[arg-type]


def _text(cell: object) -> str | None:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return None if cell is None else str(cell)
