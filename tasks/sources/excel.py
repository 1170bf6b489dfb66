"""A sheet of an Excel workbook: the stored values, one row of the sheet at a time."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from charter import Refusal
from charter.data import ExcelSource
from tasks.nearest import suggestion
from tasks.progress import report
from tasks.sources.base import Raw, without
from tasks.sources.cells import Cell, Cells
from tasks.sources.header import check_names
from tasks.sources.paths import OneFile
from tasks.sources.refused import Refused

ENDINGS = (".xlsx", ".xlsm")
OLD = b"\xd0\xcf\x11\xe0"
"""The first bytes of .xls, and of a workbook with a password."""
PORTION = 2**20
REPORTED = 5_000
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell [^>]*?ref=\"([A-Z]+\d+:[A-Z]+\d+)\"")
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, EOFError, InvalidFileException, ParseError, KeyError,
    ValueError, TypeError, IndexError,
)  # fmt: skip
"""What openpyxl raises on files that are no workbooks, or no longer whole."""


class Wrong(str):
    """Why a cell has no value, in words."""

    __slots__ = ()


Held = Mapping[int, Cell | Wrong]
"""The cells of a row that hold something, by their place in it (from 0)."""


def is_workbook(path: Path) -> bool:
    """Told by the name."""
    return path.suffix.lower() in ENDINGS


def sheets(path: Path, where: str) -> list[str]:
    """The sheets that are to be seen, in their order."""
    with _workbook(path, where) as book:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


class ExcelFile(OneFile[ExcelSource]):
    """Dates, numbers and texts as the workbook has them; what it computes as it was last stored."""

    clause: ClassVar[type] = ExcelSource

    def fingerprint(self) -> str:
        return self.hashed(self.source.model_dump_json(exclude={"path"}))

    def raw(self, room: Path, refused: Refused) -> Raw:
        numbers, bad = array("l"), array("l")  # rows of the sheet; positions of those set aside

        def place(row: int) -> str:
            return f"row {numbers[row]}"

        with _workbook(self.path, self.where) as book:
            sheet = self._sheet(book)
            title = sheet.title
            formulas, merged = _scanned(self.path, sheet._worksheet_path)
        lines = self._rows(title, formulas)
        header, first = next(lines, (0, {}))
        names = self._named(first, header)
        self._check_merged(merged, header)
        cells = Cells(room / f"{self.where}.cells", self.where, tuple(names.values()))
        for number, row in lines:
            self._check_within(row, names, number)
            numbers.append(number)
            wrong = {names[at]: cell for at, cell in row.items() if isinstance(cell, Wrong)}
            if not wrong:
                cells.add(
                    {names[at]: cell for at, cell in row.items() if not isinstance(cell, Wrong)}
                )
                continue
            position = len(numbers) - 1
            bad.append(position)
            texts = {
                names[at]: cell if isinstance(cell, Wrong) else cell[1] for at, cell in row.items()
            }
            record = f"{place(position)}: {json.dumps(texts, ensure_ascii=False)}"
            reasons = [f"{name}: {reason}" for name, reason in wrong.items()]
            refused.add(position, reasons, record, place)
        cells.close()
        self.refuse_empty(len(numbers))
        return Raw(
            cells.schema,
            cells.batches,
            readings=cells.readings,
            position=without(bad),
            place=place,
        )

    def _sheet(self, book: Any) -> Any:
        titles = [sheet.title for sheet in book.worksheets]
        wanted = self.source.sheet
        if wanted is None:
            seen = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            if len(seen) != 1:
                raise Refusal(
                    self.where,
                    f"found {len(seen)} sheets in {self.name} ({', '.join(titles[:8])})",
                    "wanted one",
                    "Say which is meant in the charter's source, as in sheet: "
                    f"{json.dumps(titles[0], ensure_ascii=False)}.",
                )
            return seen[0]
        if wanted not in titles:
            raise Refusal(
                f"{self.where}.sheet",
                f"found no sheet {wanted} in {self.name}",
                "wanted one that is there",
                suggestion(wanted, titles),
            )
        return book[wanted]

    def _rows(self, title: str, formulas: bool) -> Iterator[tuple[int, Held]]:
        """Each row that is not blank, with its number; the size that the sheet claims is not believed."""
        with (
            _workbook(self.path, self.where) as stored,
            _workbook(self.path, self.where, data_only=False) as written,
        ):
            stored[title].reset_dimensions()
            written[title].reset_dimensions()
            others = written[title].iter_rows() if formulas else repeat(())
            for number, (row, other) in enumerate(
                zip(stored[title].iter_rows(), others, strict=False), 1
            ):
                held = {
                    at: kind
                    for at, cell in enumerate(row)
                    if (kind := self._held(cell, other[at] if other else cell)) is not None
                }
                if held:
                    yield number, held
                if number % REPORTED == 0:
                    report("ingest", number, 0, f"reading {self.name}")

    def _held(self, cell: Any, written: Any) -> Cell | Wrong | None:
        value = cell.value
        if value is None:
            return Wrong("a formula without a stored value") if written.data_type == "f" else None
        if cell.data_type == "e":
            return Wrong(f"{value}, the error of a formula")
        if isinstance(value, bool):
            return "flag", "true" if value else "false"
        if isinstance(value, int | float):
            return "number", str(value)
        if isinstance(value, datetime):
            return "time", value.isoformat()
        text = str(value)
        return None if text in self.source.missing else ("text", text)

    def _named(self, row: Held, number: int) -> dict[int, str]:
        """The name of each column, by its place in the sheet."""
        if not row:
            self.refuse_empty(0)
        names = {at: str(cell) if isinstance(cell, Wrong) else cell[1] for at, cell in row.items()}
        if all(not isinstance(cell, Wrong) and cell[0] == "text" for cell in row.values()):
            check_names(tuple(names.values()), f"{self.where}, row {number}")
            return names
        kinds = ", ".join(list(names.values())[:8])
        raise Refusal(
            f"{self.where}, row {number}",
            f"found {kinds} in the first row with values",
            "wanted names of columns, which are texts",
            "Write a row with the names above the rows; a year as a name is a text with a ' before it.",
        )

    def _check_within(self, row: Held, names: Mapping[int, str], number: int) -> None:
        beside = [at for at in row if at not in names]
        if beside:
            raise Refusal(
                f"{self.where}, row {number}",
                f"found a value in column {get_column_letter(beside[0] + 1)}, which has no name",
                "wanted a name for each column, in the first row with values",
                "Name it there, or take away what stands above or beside the table.",
            )

    def _check_merged(self, merged: list[str], header: int) -> None:
        """Of merged cells only the first has the value; the others would be read as missing."""
        for reference in merged:
            _, first, _, last = range_boundaries(reference)
            if last is not None and last > header:
                raise Refusal(
                    f"{self.where}, row {first}",
                    f"found merged cells, {reference}",
                    "wanted each row to have its own values",
                    "Take the merge apart in the workbook, and fill in the value where it belongs.",
                )


@contextmanager
def _workbook(path: Path, where: str, data_only: bool = True) -> Iterator[Any]:
    """The workbook, with the stored values or with the formulas."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == OLD:
        raise Refusal(
            where,
            f"found {path.name} to be an old workbook (.xls), or one with a password",
            "wanted an open .xlsx",
            "Save it as .xlsx, without a password.",
        )
    try:
        book = load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
        try:
            yield book
        finally:
            book.close()
    except _DAMAGES as error:
        raise Refusal(
            where,
            f"found {path.name} unreadable as a workbook ({error or type(error).__name__})",
            "wanted a whole .xlsx",
            "Open it in Excel or LibreOffice and save it again.",
        ) from error


def _scanned(path: Path, member: str) -> tuple[bool, list[str]]:
    """Whether the sheet has formulas, and its merged ranges; a look at the bytes is quick."""
    formulas, merged, tail = False, dict[str, None](), b""
    with zipfile.ZipFile(path) as archive, archive.open(member) as content:
        while portion := content.read(PORTION):
            part = tail + portion
            formulas = formulas or _FORMULA.search(part) is not None
            merged.update((found.decode(), None) for found in _MERGED.findall(part))
            tail = part[-200:]
    return formulas, list(merged)
