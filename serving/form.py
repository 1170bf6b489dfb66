"""What a request has to look like, and what is wrong with one that does not.

Values are read by `serving.packing`, as training and scoring read them; this file adds the JSON
around them, the schema for the documentation, and a list of all problems instead of the first.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

import orjson

from charter import Frozen
from serving.identity import exact
from serving.packing import BadRow, Packed, pack_rows
from serving.signature import Input, Kind, Signature
from serving.values import LARGEST, Unfit, bad

MAX_ROWS = 10_000
SHOWN = 20  # problems listed in one answer

Row = dict[str, object]

_TYPES: dict[Kind, dict[str, Any]] = {
    "number": {"type": "number", "minimum": -LARGEST, "maximum": LARGEST},
    "flag": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "text": {"type": "string"},
}
_WORDS: dict[Kind, str] = {
    "number": "A number",
    "flag": "True or false",
    "time": "A time in ISO 8601, UTC unless it names a zone",
    "text": "A text",
}
_ORDINARY: dict[Kind, object] = {
    "number": 1.5,
    "flag": True,
    "time": "2026-01-31T12:00:00Z",
    "text": "abc",
}


class Problem(Frozen):
    """One thing wrong with a request."""

    row: int | None
    """Position of the row, from 0; null where the body as a whole is meant."""
    field: str | None
    found: str
    wanted: str
    remedy: str


def whole(found: str, wanted: str, remedy: str) -> Problem:
    """A problem of the request as a whole."""
    return Problem(row=None, field=None, found=found, wanted=wanted, remedy=remedy)


class Bad(Exception):
    """A request that is refused: what is wrong, and the HTTP status that says so."""

    def __init__(self, problems: list[Problem], status: int = 422) -> None:
        super().__init__(problems)
        self.problems = problems
        self.status = status

    def __str__(self) -> str:
        return "; ".join(map(_sentence, self.problems))


def _sentence(problem: Problem) -> str:
    places = (("row", problem.row), ("column", problem.field))
    where = " ".join(f"{word} {place}" for word, place in places if place is not None)
    said = f"found {problem.found}, wanted {problem.wanted}. {problem.remedy}"
    return f"{where}: {said}" if where else said


class Form:
    """Reads the requests of one model: one row (a JSON object), or many (a list of objects)."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._columns = (*signature.inputs, *signature.carried)
        self._known = {column.name for column in self._columns}
        self._carried = signature.model_copy(update={"inputs": signature.carried})

    @property
    def example(self) -> Row:
        """A row that is answered."""
        return {column.name: example(column) for column in self._signature.inputs}

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of one row."""
        return {
            "title": "Row",
            "type": "object",
            "additionalProperties": False,
            "required": [column.name for column in self._signature.inputs if column.required],
            "properties": {
                **{column.name: _property(column) for column in self._signature.inputs},
                **{column.name: _along(column) for column in self._signature.carried},
            },
            "example": self.example,
        }

    def read(self, body: bytes) -> tuple[Packed, list[Row], bool]:
        """The packed rows of a request, the rows, and whether it is a list; raises `Bad`."""
        rows, many = self.rows(body)
        return self.packed(rows), rows, many

    def packed(self, rows: list[Row]) -> Packed:
        """The packed rows; raises `Bad` with all that is wrong with them."""
        try:
            return self.pack(rows)
        except BadRow as error:
            raise Bad(self._problems(rows)) from error

    def rows(self, body: bytes) -> tuple[list[Row], bool]:
        """The rows of a request, and whether it is a list; raises `Bad`."""
        found = self._json(body)
        rows = found if isinstance(found, list) else [found]
        if len(rows) > MAX_ROWS:
            raise Bad([_too_many(len(rows))], status=413)
        for i, row in enumerate(rows):
            if type(row) is not dict:
                place = i if isinstance(found, list) else None
                raise Bad([self._no_row(place, f"{shown(row)}")])
        return rows, isinstance(found, list)

    def pack(self, rows: list[Row]) -> Packed:
        """Raises `BadRow` for the first value that does not fit. What is carried is read too, so
        that nothing stands in the journal that is no value."""
        packed = pack_rows(self._signature, rows)
        if self._carried.inputs:
            pack_rows(self._carried, rows)
            self._check_names(rows)
        for i, row in enumerate(rows):
            if not row.keys() <= self._known:
                name = next(name for name in row if name not in self._known)
                raise BadRow(i, name, "found an unknown column", "wanted an input", "")
        return packed

    def _check_names(self, rows: list[Row]) -> None:
        """Raises `BadRow` for the first identifier that does not say who it is."""
        hashed = [one for one in self._signature.carried if one.name in self._signature.hashed]
        for i, row in enumerate(rows):
            for column in hashed:
                try:
                    exact(row.get(column.name))
                except Unfit as unfit:
                    raise bad(i, column, row[column.name], unfit) from None

    def _json(self, body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            found = f"no JSON ({error.msg}, line {error.lineno}, column {error.colno})"
            raise Bad([self._no_row(None, found if body.strip() else "an empty body")]) from None

    def _no_row(self, row: int | None, found: str) -> Problem:
        return Problem(
            row=row,
            field=None,
            found=found,
            wanted="one row as a JSON object, or a list of such rows",
            remedy=f"Send rows like {shown(self.example, 2000)}",
        )

    def _problems(self, rows: list[Row]) -> list[Problem]:
        found: list[Problem] = []
        for i, row in enumerate(rows):
            found += [self._unknown(i, name) for name in row if name not in self._known]
            found += [problem for column in self._columns for problem in self._of(i, column, row)]
            if len(found) >= SHOWN:
                break
        return found[:SHOWN]

    def _of(self, i: int, column: Input, row: Row) -> list[Problem]:
        """What is wrong with one field: the field alone is packed, by the code that packs rows."""
        alone = self._signature.model_copy(update={"inputs": (column,)})
        try:
            pack_rows(alone, [row])
            if column.name in self._signature.hashed:
                self._check_names([{column.name: row.get(column.name)}])
        except BadRow as wrong:
            return [
                Problem(
                    row=i,
                    field=column.name,
                    found=shown(row[column.name]) if column.name in row else "no value",
                    wanted=wrong.wanted.removeprefix("wanted "),
                    remedy=f"{wrong.remedy} Example: {shown(example(column))}.",
                )
            ]
        return []

    def _unknown(self, i: int, name: str) -> Problem:
        known = {known.casefold(): known for known in self._known}
        close = get_close_matches(name.casefold(), known, n=1, cutoff=0.5)
        return Problem(
            row=i,
            field=name,
            found="a field that the model does not know",
            wanted=f"only these fields: {', '.join(column.name for column in self._columns)}",
            remedy=f"Did you mean {known[close[0]]}?" if close else "Leave it out.",
        )


def example(column: Input) -> object:
    """A value that the column takes: the signature's, else a frequent one, else any."""
    if column.example is not None:
        return column.example
    return column.levels[0] if column.levels else _ORDINARY[column.kind]


def about(column: Input) -> str:
    """What the field takes and what training saw, in one sentence."""
    said = [_WORDS[column.kind]]
    if column.kind == "number" and column.low is not None and column.high is not None:
        said.append(f"training saw {column.low:g} to {column.high:g}")
    if column.levels:
        more = ", …" if len(column.levels) > 8 else ""
        said.append(f"training saw {', '.join(column.levels[:8])}{more}")
    said.append("required" if column.required else "null or left out where it is missing")
    return "; ".join(said) + "."


def _property(column: Input) -> dict[str, Any]:
    kind: dict[str, Any] = dict(_TYPES[column.kind])
    if not column.required:
        kind["type"] = [kind["type"], "null"]
    return {**kind, "description": about(column), "examples": [example(column)]}


def _along(column: Input) -> dict[str, Any]:
    kind = [_TYPES[column.kind]["type"], "null"]
    return {
        **_TYPES[column.kind], "type": kind,
        "description": f"{_WORDS[column.kind]}; not used by the model, kept for the next training.",
    }  # fmt: skip


def shown(value: object, most: int = 80) -> str:
    """The value as JSON, and no more of it than fits."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else f"{text[:most]}…"


def _too_many(rows: int) -> Problem:
    return Problem(
        row=None,
        field=None,
        found=f"{rows:,} rows",
        wanted=f"at most {MAX_ROWS:,} in one request",
        remedy="Send them in parts, or score a file with `perennial score`.",
    )
