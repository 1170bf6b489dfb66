"""Workbooks: the values as they are stored, and cells without one in quarantine."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import Workbook

from charter import Refusal
from charter.data import ExcelSource, Role
from tasks.sources import opened, rows
from tasks.sources.refused import Spool

Sheets = Mapping[str, list[list[object]]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[pa.Table, list[dict[str, Any]]]]:
    def read(
        content: Sheets | bytes | Workbook,
        sheet: str | None = None,
        roles: Mapping[str, Role] | None = None,
    ) -> tuple[pa.Table, list[dict[str, Any]]]:
        path = tmp_path / "book.xlsx"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            (content if isinstance(content, Workbook) else book(content)).save(path)
        refused = Spool(tmp_path / "refused")
        source = opened(ExcelSource(kind="excel", path=str(path), sheet=sheet), "data.source")
        incoming = rows(source, roles or {}, tmp_path, refused)
        table = pa.Table.from_batches(incoming.batches, incoming.schema)
        return table, [row for batch in refused.batches() for row in batch.to_pylist()]

    return read


Read = Callable[..., tuple[pa.Table, list[dict[str, Any]]]]


def book(sheets: Sheets) -> Workbook:
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, lines in sheets.items():
        sheet = made.create_sheet(title)
        for line in lines:
            sheet.append(line)
    return made


def test_values_keep_their_kind(read: Read) -> None:
    table, refused = read(
        {
            "Sheet": [
                ["id", "code", "share", "at", "day", "flag", "clock", "long", "mixed", "gap"],
                [1, "007", 0.1, datetime(2024, 1, 2, 3, 4, 5), date(2024, 1, 2), True,
                 time(12, 30), timedelta(hours=30), 1, None],
                [2, "010", 3, None, date(2024, 1, 3), False, time(7), timedelta(0), "a", "NA"],
            ]
        }
    )  # fmt: skip
    assert [str(type) for type in table.schema.types] == [
        "int64", "string", "double", "timestamp[us]", "timestamp[us]", "bool", "string", "string",
        "string", "string",
    ]  # fmt: skip
    assert table["code"].to_pylist() == ["007", "010"]
    assert table["share"].to_pylist() == [0.1, 3.0]
    assert table["at"].to_pylist() == [datetime(2024, 1, 2, 3, 4, 5), None]
    assert table["clock"].to_pylist() == ["12:30:00", "07:00:00"]
    assert table["mixed"].to_pylist() == ["1", "a"]
    assert table["gap"].null_count == 2
    assert refused == []


def test_cells_without_a_value_set_their_row_aside(read: Read) -> None:
    table, refused = read(
        {"Sheet": [["a", "b"], [], [1, "=A1+1"], [2, "#N/A"], [], [3, 4], ["x", 5]]},
        roles={"a": "number"},
    )
    assert table.to_pylist() == [{"a": 3, "b": 4}]
    assert [(row["row"], row["reasons"], row["record"][:6]) for row in refused] == [
        (0, ["b: a formula without a stored value"], "row 3:"),
        (1, ["b: #N/A, the error of a formula"], "row 4:"),
        (3, ["a: not a number"], '{"a": '),
    ]


def test_what_a_formula_gave_is_its_value(read: Read, tmp_path: Path) -> None:
    book({"Sheet": [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]]}).save(tmp_path / "new.xlsx")
    content = _replaced(
        tmp_path / "new.xlsx", b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>"
    )  # as Excel stores it
    table, refused = read(content)
    assert table.to_pylist() == [{"a": 1, "b": 2}]
    assert [row["record"] for row in refused] == [
        'row 3: {"a": "2", "b": "a formula without a stored value"}'
    ]


def test_a_size_that_the_sheet_claims_is_not_believed(read: Read, tmp_path: Path) -> None:
    book({"Sheet": [["a", "b"], [1, 2], [3, 4]]}).save(tmp_path / "new.xlsx")
    content = _replaced(tmp_path / "new.xlsx", b'ref="A1:B3"', b'ref="A1:A1"')
    assert read(content)[0].to_pylist() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_the_sheet_is_the_one_that_is_seen_or_named(read: Read) -> None:
    made = book({"One": [["a"], [1]], "Two": [["a"], [2]]})
    with pytest.raises(Refusal, match=r'2 sheets in book\.xlsx \(One, Two\).*sheet: "One"'):
        read(made)
    assert read(made, sheet="Two")[0].to_pylist() == [{"a": 2}]
    with pytest.raises(Refusal, match="Did you mean Two"):
        read(made, sheet="Twoo")
    made["One"].sheet_state = "hidden"
    assert read(made)[0].to_pylist() == [{"a": 2}]


def test_a_table_may_begin_anywhere(read: Read) -> None:
    lines = [[], [None, "a", None, "b"], [None, 1, None, 2]]
    assert read({"Sheet": lines})[0].to_pylist() == [{"a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "found no rows"),
        ([["a", "b"]], "found no rows"),
        ([["a", "a"], [1, 2]], "row 1: found the name a more than once"),
        ([["Sales of 2024"], ["a", "b"], [1, 2]], "row 2: found a value in column B, which has no"),
        ([[None, "a"], [0, 1]], "row 2: found a value in column A"),
        ([[2019, 2020], [1, 2]], "row 1: found 2019, 2020 in the first row"),
        ([["2019", "2020"], [1, 2]], "row 1: found only numbers"),
    ],
    ids=["empty", "header", "twice", "title", "index", "years", "years as texts"],
)
def test_what_is_no_table_is_refused(read: Read, lines: list[list[object]], words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read({"Sheet": lines})
    assert words in str(refusal.value)


def test_merged_cells_are_refused_below_the_names(read: Read) -> None:
    made = book({"Sheet": [["Title"], ["a", "b"], [1, 2], [None, 3]]})
    made["Sheet"].merge_cells("A3:A4")
    made["Sheet"]["A1"] = None
    with pytest.raises(Refusal, match="row 3: found merged cells, A3:A4"):
        read(made)


def test_what_is_no_workbook_is_refused(read: Read, tmp_path: Path) -> None:
    book({"Sheet": [["a"], [1]]}).save(tmp_path / "new.xlsx")
    whole = (tmp_path / "new.xlsx").read_bytes()
    for content, words in (
        (b"", "unreadable as a workbook"),
        (whole[:-400], "unreadable as a workbook"),
        (b"a,b\n1,2\n", "unreadable as a workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an old workbook"),
        (_replaced(tmp_path / "new.xlsx", b"<row r", b"<row <r"), "unreadable as a workbook"),
        (_replaced(tmp_path / "new.xlsx", b"<v>1</v>", b"<v>one</v>"), "unreadable as a workbook"),
    ):
        with pytest.raises(Refusal, match=words):
            read(content)


def _replaced(path: Path, old: bytes, new: bytes) -> bytes:
    """The workbook with other bytes in its sheets."""
    changed = path.with_suffix(".changed")
    found = False
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            found = found or old in content
            copy.writestr(name, content.replace(old, new))
    assert found
    return changed.read_bytes()
