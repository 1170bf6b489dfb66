"""JSON lines, plain, gzip or zip: one object per line, and lines that are none set aside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import numpy as np

from charter import Refusal
from charter.data import JsonLinesSource
from tasks.progress import report
from tasks.sources.appended import Appended, FileEnd
from tasks.sources.base import Raw, without
from tasks.sources.cells import Cell, Cells, Row, fitting, misfits
from tasks.sources.refused import Refused
from tasks.sources.span import last_end

LONGEST = 2**24
"""Bytes of a line; more is no line."""
REPORTED = 10_000
PLACES = 14
"""Up to here a number with an exponent is written out; beyond, digits would look exact that are not."""
_EXPONENT = re.compile(r"[eE](?=[0-9])")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def is_json_lines(path: Path) -> bool:
    """Told by the name, as in `rows.jsonl` or `rows.ndjson.gz`."""
    return any(suffix.lower() in (".jsonl", ".ndjson") for suffix in path.suffixes)


class JsonLines(Appended[JsonLinesSource]):
    """Numbers keep every digit: they come as they are written and are typed with the whole column."""

    clause: ClassVar[type] = JsonLinesSource

    def fingerprint(self) -> str:
        return self.hashed("jsonl")

    def raw(self, room: Path, refused: Refused) -> Raw:
        cells = Cells(room / f"{self.where}.cells", self.where)
        before, wanted = 0 if self.span is None else self.span.lines, fitting(self.held)
        bad: list[int] = []
        blank: list[int] = []
        """Of every blank line, the position of the row that comes next."""

        def place(row: int) -> str:
            return f"line {before + row + 1 + int(np.searchsorted(blank, row, 'right'))}"

        position = 0
        for line in self._lines(self.path):
            if not line.strip():
                blank.append(position)
                continue
            try:
                row = _row(line)
                if wrong := misfits(row, wanted):
                    raise _NoRow("; ".join(wrong))
                cells.add(row)
            except _NoRow as no_row:
                bad.append(position)
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                refused.add(position, [str(no_row)], f"{place(position)}: {text}", place)
            position += 1
        cells.close()
        self.refuse_empty(position)
        return Raw(
            cells.schema,
            cells.batches,
            readings=cells.readings,
            position=without(bad),
            place=place,
        )

    def last_end(self, path: Path, known: FileEnd | None, size: int) -> FileEnd:
        start, lines = (0, 0) if known is None else (known.bytes, known.lines)
        found = last_end(
            path, start, size,
            lambda records: records.rfind(b"\n") + 1,
            lambda records: records.count(b"\n"), LONGEST,
        )  # fmt: skip
        return FileEnd(head=0, head_lines=0, bytes=found.stop, lines=lines + found.lines, blocks=())

    def _lines(self, path: Path) -> Iterator[bytes]:
        size, number = path.stat().st_size, 0 if self.span is None else self.span.lines
        with self.content() as (content, file):
            while line := content.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise Refusal(
                        f"{self.where}, line {number}",
                        f"found a line longer than {LONGEST // 2**20} MB in {self.name}",
                        "wanted one JSON object per line",
                        "Look for a file that is no JSON lines, or has lost its line ends.",
                    )
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                    self._check_no_array(line)
                if number % REPORTED == 0:
                    report("ingest", file.tell(), size, f"reading {self.name}")
                yield line

    def _check_no_array(self, line: bytes) -> None:
        if line.lstrip().startswith(b"["):
            raise Refusal(
                f"{self.where}, line 1",
                f"found that {self.name} begins a JSON array",
                "wanted one JSON object per line",
                "Take it apart: jq -c '.[]' FILE > FILE.jsonl",
            )


class _NoRow(Exception):
    """Why a line is no row, in words."""


class _Object(list[tuple[str, object]]):
    """The pairs of a JSON object, a repeated name included."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _constant(name: str) -> None:
    if name != "NaN":  # Python writes it for a missing number
        raise _NoRow(f"{name}, which is no number of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_constant
)


def _row(line: bytes) -> Row:
    try:
        found = _DECODER.decode(line.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        raise _NoRow(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        torn = "" if line.endswith(b"\n") else "; the file ends in the middle of it"
        raise _NoRow(
            f"no JSON ({error.msg.removesuffix(' starting at')} at character {error.pos + 1}){torn}"
        ) from None
    except RecursionError:
        raise _NoRow("too many objects inside of each other") from None
    if not isinstance(found, _Object):
        raise _NoRow("JSON, but no object with names and values")
    row: dict[str, Cell | None] = {}
    for name, value in found:
        if name in row:
            raise _NoRow(f"{name} stands there twice")
        if not name.strip():
            raise _NoRow("a value without a name")
        row[name] = _cell(value)
    if _SURROGATE.search(line):
        _check_text(row)
    return row


def _cell(value: object) -> Cell | None:
    if value is None:
        return None
    if isinstance(value, _Number):
        return "number", _written_out(value)
    if isinstance(value, bool):
        return "flag", "true" if value else "false"
    if isinstance(value, str):
        return "text", value
    return "nested", ""


def _written_out(number: str) -> str:
    """Without an exponent, or with its sign: `1e5` may be a code where the column is text."""
    if "e" not in number.lower():
        return str(number)
    value = Decimal(number)
    if abs(value.adjusted()) <= PLACES:
        return format(value, "f")
    return _EXPONENT.sub("e+", number)


def _check_text(row: Row) -> None:
    """Half a surrogate pair can be written in JSON, but is no text."""
    for name, cell in row.items():
        try:
            (name + (cell[1] if cell else "")).encode()
        except UnicodeEncodeError:
            raise _NoRow(f"{name}: half of a surrogate pair, which is no text") from None
