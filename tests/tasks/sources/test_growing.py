"""A file cut anywhere into parts that come one by one gives what it gives at once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charter import Refusal
from charter.data import CsvSource, JsonLinesSource, Role
from charter.data import Source as Clause
from tasks.sources import Source, blocks, opened, rows
from tasks.sources.blocks import BLOCK, LOOKS, hashed, unchanged
from tasks.sources.growth import Changed, Growing, Held
from tasks.sources.quotes import whole_records
from tasks.sources.refused import Spool
from tasks.sources.span import header_end

ROLES: dict[str, Role | None] = {"x": "number", "words": "text"}
Bad = tuple[int, list[str], Any]

words = st.text(alphabet='ab,"\n\r ;é', max_size=6)
numbers = st.sampled_from(["1.5", "-2.25", "", "oops"])
breaks = st.sampled_from(["\n", "\r\n", "\n\n"])


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def plain(text: str) -> str:
    """Text as some write it: a quote inside of a field that is not quoted."""
    return "".join(one for one in text if one not in ",\n\r").lstrip('"')


csv_rows = st.one_of(
    st.builds(lambda n, x, text: f"{n},{x},{quoted(text)}", st.integers(0, 9), numbers, words),
    st.builds(lambda n, x, text: f"{n},{x},{plain(text)}", st.integers(0, 9), numbers, words),
    st.builds(lambda text: f"1,{quoted(text)}", words),
    st.builds(lambda text: f'2,1.5,{quoted(text)}b', words),
)  # fmt: skip
csv_files = st.lists(st.tuples(csv_rows, breaks), min_size=1, max_size=12).map(
    lambda found: "n,x,words\n" + "".join(line + end for line, end in found)
)
json_rows = st.one_of(
    st.fixed_dictionaries(
        {"n": st.integers(0, 9), "x": numbers, "words": words},
        optional={"flag": st.sampled_from([True, None])},
    ).map(json.dumps),
    st.sampled_from(["", "{", '{"n": 1, "n": 2}', "[1]", "7"]),
)
json_files = st.lists(json_rows, min_size=1, max_size=12).map(lambda found: "\n".join(found) + "\n")


class Reading:
    """What came of a file so far, as `tasks/ingestion/growth.py` reads it."""

    def __init__(self, clause: Clause) -> None:
        self.clause = clause
        self.forget()

    def forget(self) -> None:
        self.held: Held | None = None
        self.end: Any = None
        self.good: list[dict[str, Any]] = []
        self.bad: list[Bad] = []

    def go_on(self) -> None:
        source = opened(self.clause)
        assert isinstance(source, Growing)
        if self.end is not None and source.end(self.end) == self.end:
            return
        end = source.end(self.end)
        try:
            table, bad, columns = read(
                source.between(self.end, end, self.held), self.held, len(self.good) + len(self.bad)
            )
        except Changed:
            self.forget()
            self.go_on()
            return
        except Refusal:
            assert self.end is None  # a first part without a row that can be used
            return
        if not self.good and not table.num_rows:
            return
        self.good, self.bad, self.end = self.good + table.to_pylist(), self.bad + bad, end
        empty = frozenset(name for name in table.schema.names if not table[name].drop_null())
        empty &= self.held.empty if self.held else empty
        self.held = Held(table.schema, columns, ROLES, empty)


def read(source: Source, held: Held | None = None, before: int = 0) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        refused = Spool(Path(folder) / "refused")
        found = rows(source, ROLES, Path(folder), refused, held, before)
        table = pa.Table.from_batches(found.batches, found.schema)
        source.check_unchanged()
        bad = [row for batch in refused.batches() for row in batch.to_pylist()]
    return table, [_bad(row) for row in bad], frozenset(found.columns)


def _bad(row: dict[str, Any]) -> Bad:
    """What is refused has the columns of its part, in the order of that."""
    record = row["record"]
    if record[0] != "{":
        return row["row"], row["reasons"], record
    filled = {name: cell for name, cell in json.loads(record).items() if cell is not None}
    return row["row"], row["reasons"], filled


def compared(clause: Clause, content: str, cuts: list[float]) -> None:
    path, text = Path(clause.path), content.encode()  # type: ignore[union-attr]
    path.write_bytes(text)
    try:
        table, bad, _ = read(opened(clause))
    except Refusal:
        return
    if not table.num_rows:
        return
    parts = Reading(clause)
    for cut in sorted(cuts):
        path.write_bytes(text[: int(cut * len(text))])
        parts.go_on()
    path.write_bytes(text)
    parts.go_on()
    missing = dict.fromkeys(table.schema.names)
    assert [missing | row for row in parts.good] == table.to_pylist()
    assert sorted(parts.bad, key=str) == sorted(bad, key=str)


places = st.lists(st.floats(0, 1), max_size=5)


def csv_by_parts(content: str, cuts: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compared(CsvSource(kind="csv", path=f"{folder}/rows.csv"), content, cuts)


def json_by_parts(content: str, cuts: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compared(JsonLinesSource(kind="jsonl", path=f"{folder}/rows.jsonl"), content, cuts)


@settings(max_examples=20)
@given(content=csv_files, cuts=places)
def test_a_csv_file_by_parts(content: str, cuts: list[float]) -> None:
    csv_by_parts(content, cuts)


@settings(max_examples=15)
@given(content=json_files, cuts=places)
def test_json_lines_by_parts(content: str, cuts: list[float]) -> None:
    json_by_parts(content, cuts)


@pytest.mark.slow
@settings(max_examples=600)
@given(content=csv_files, cuts=places)
def test_many_csv_files_by_parts(content: str, cuts: list[float]) -> None:
    csv_by_parts(content, cuts)


@pytest.mark.slow
@settings(max_examples=600)
@given(content=json_files, cuts=places)
def test_many_json_lines_by_parts(content: str, cuts: list[float]) -> None:
    json_by_parts(content, cuts)


@pytest.mark.parametrize(
    ("content", "end"),
    [
        ("a,b\n1", 4),
        ('a,"b\n1\n', 0),
        ('a,"b\n"\n1\n"', 9),
        ('a,b" c\n1,2\n', 11),  # a quote inside of a field that is not quoted
        ('"a"b,"c\n"\n3', 10),
        ('a,"b""\n"""\n', 11),
        ("", 0),
    ],
)
def test_where_whole_records_end(content: str, end: int) -> None:
    assert whole_records(content.encode(), ",", b"\n") == end
    assert whole_records(content.replace("\n", "\r").encode(), ",", b"\r") == end


@pytest.mark.parametrize(
    ("content", "end", "line_end"),
    [
        ("a,b\n1,2\n", 4, "\n"),
        ("\n\ra,b\r\n1", 7, "\r\n"),
        ('"a\nb",c\r1', 8, "\r"),
        ("\ufeffa\n1", 5, "\n"),
        ("a,b", 0, ""),
        ('"a\n', 0, ""),
    ],
)
def test_where_the_header_ends(content: str, end: int, line_end: str) -> None:
    assert header_end(content.encode()) == (end, line_end.encode())


def test_a_look_at_what_was_read(tmp_path: Path) -> None:
    file, size = tmp_path / "rows", BLOCK * 2 + 100
    file.write_bytes(b"x" * (size + 50))
    known = hashed(file, size)
    assert len(known) == 3
    assert hashed(file, size + 50, known, size) == hashed(file, size + 50)
    for place in (0, BLOCK + 5, size - 1):
        assert unchanged(file, size, known)
        with file.open("r+b") as opened_file:
            opened_file.seek(place)
            opened_file.write(b"y")
        assert not unchanged(file, size, known)
        with file.open("r+b") as opened_file:
            opened_file.seek(place)
            opened_file.write(b"x")
    file.write_bytes(b"x" * (size - 1))
    assert not unchanged(file, size, known)


def test_a_long_file_is_looked_at_in_few_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.sources.blocks.BLOCK", 10)
    file, size = tmp_path / "rows", 1_000
    file.write_bytes(bytes(range(250)) * 4)
    known = hashed(file, size)
    looked: list[int] = []
    hash_of = blocks._hash

    def seen(content: Any, number: int, stop: int) -> str:
        looked.append(number)
        return hash_of(content, number, stop)

    monkeypatch.setattr(blocks, "_hash", seen)
    assert unchanged(file, size, known)
    assert len(looked) == LOOKS
    assert {0, 99} < set(looked)
    looked.clear()
    assert unchanged(file, size, known, whole=True)
    assert len(looked) == 100
