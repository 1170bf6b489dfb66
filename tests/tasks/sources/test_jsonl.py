"""JSON lines as they come: exact values, and lines that are no rows in quarantine."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter import Refusal
from charter.data import JsonLinesSource, Role
from tasks.sources import opened, rows
from tasks.sources.cells import BATCH_ROWS
from tasks.sources.jsonl import _row
from tasks.sources.refused import Spool, Strict

Read = Callable[..., tuple[pa.Table, list[dict[str, Any]]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(
        content: str | bytes, roles: Mapping[str, Role] | None = None
    ) -> tuple[pa.Table, list[dict[str, Any]]]:
        path = tmp_path / "file.jsonl"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        refused = Spool(tmp_path / "refused")
        source = opened(JsonLinesSource(kind="jsonl", path=str(path)))
        incoming = rows(source, roles or {}, tmp_path, refused)
        table = pa.Table.from_batches(incoming.batches, incoming.schema)
        return table, [row for batch in refused.batches() for row in batch.to_pylist()]

    return read


@pytest.mark.parametrize(
    ("values", "type", "wanted"),
    [
        (["1", "-2"], "int64", [1, -2]),
        (["1", "2.5", "1e3"], "double", [1.0, 2.5, 1000.0]),
        (["true", "null", "false"], "bool", [True, None, False]),
        (['"1"', '"2"'], "string", ["1", "2"]),  # text on purpose
        (['"01"', "1.50"], "string", ["01", "1.50"]),  # a mixture keeps every digit
        (["9007199254740993"], "string", ["9007199254740993"]),
        (["12345678901234567890123"], "string", ["12345678901234567890123"]),
        (["1", "NaN"], "int64", [1, None]),
        (['"é\\n\\u00e9"', '"\\ud83d\\ude00"'], "string", ["é\né", "😀"]),
    ],
)
def test_values_keep_their_kind_and_every_digit(
    read: Read, values: list[str], type: str, wanted: list[object]
) -> None:
    table, refused = read("".join(f'{{"a": {value}}}\n' for value in values))
    assert (str(table.schema.field("a").type), table["a"].to_pylist()) == (type, wanted)
    assert refused == []


def test_times_are_read_and_a_declared_role_decides(read: Read) -> None:
    line = '{"at": "2024-02-03T04:05:06Z", "day": "2024-02-03", "code": "7"}\n'
    table, _ = read(line, {"code": "number"})
    assert [str(type) for type in table.schema.types] == [
        "timestamp[us, tz=UTC]", "timestamp[us]", "int64",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "the file ends in the middle of it"),
        ("plain", "no JSON (Expecting value at character 1)"),
        ("[1, 2]", "JSON, but no object"),
        ("3", "JSON, but no object"),
        ('{"a": 1, "a": 2}', "a stands there twice"),
        ('{"": 1}', "a value without a name"),
        ('{"a": Infinity}', "Infinity, which is no number"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ('{"a": ' + "[" * 100_000, "too many objects inside of each other"),
        (b'{"a": "\xe9"}', "byte 8 is not UTF-8"),
    ],
)
def test_a_line_that_is_no_row_is_set_aside_with_its_number(
    read: Read, line: str | bytes, reason: str
) -> None:
    bad = line.encode() if isinstance(line, str) else line
    table, refused = read(b'\n{"a": 5}\r\n\n' + bad)
    assert table.to_pylist() == [{"a": 5}]
    assert [row["row"] for row in refused] == [1]
    assert reason in refused[0]["reasons"][0]
    assert refused[0]["record"].startswith("line 4: ")


def test_a_misfit_of_a_declared_role_is_named_by_its_line(read: Read, tmp_path: Path) -> None:
    content = '{"a": 1}\nbroken\n\n{"a": "one"}\n{"a": 2}\n'
    table, refused = read(content, {"a": "number"})
    assert table["a"].to_pylist() == [1, 2]
    assert [(row["row"], row["reasons"]) for row in refused] == [
        (1, ["no JSON (Expecting value at character 1)"]),
        (2, ["a: not a number"]),
    ]
    source = opened(JsonLinesSource(kind="jsonl", path=str(tmp_path / "file.jsonl")), "input")
    with pytest.raises(Refusal, match=r"file\.jsonl, line 2"):
        rows(source, {"a": "number"}, tmp_path, Strict(source.name))


def test_fields_that_come_late_are_null_before(read: Read) -> None:
    first = '{"a": 1}\n' * (BATCH_ROWS + 1)
    table, _ = read(first + '{"b": "x", "a": 2}\n')
    assert table.num_rows == BATCH_ROWS + 2
    assert table["b"].null_count == BATCH_ROWS + 1
    assert table.slice(BATCH_ROWS + 1).to_pylist() == [{"a": 2, "b": "x"}]


def test_values_inside_of_values_are_refused_unless_left_out(read: Read) -> None:
    content = '{"a": 1, "b": {"c": 2}}\n{"a": 2, "b": null}\n'
    with pytest.raises(Refusal, match=r"column b.*role: ignore"):
        read(content)
    assert read(content, {"b": "ignore"})[0].to_pylist() == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "found no rows"),
        ("\n\n", "found no rows"),
        ('[{"a": 1}]', "begins a JSON array"),
        (b'{"a": "' + b"x" * (2**24 + 10), "a line longer than 16 MB"),
        (gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-10], "damaged"),
        (
            "{" + ",".join(f'"k{number}": 1' for number in range(10_001)) + "}\n",
            "different names of fields",
        ),
    ],
    ids=["empty", "blank", "array", "long line", "torn gzip", "many names"],
)
def test_what_is_no_file_of_rows_is_refused(read: Read, content: str | bytes, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        read(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), JSON))
def test_every_object_is_a_row_with_its_very_values(found: dict[str, Any]) -> None:
    import json

    found = {name: value for name, value in found.items() if name.strip()}
    row = _row(json.dumps(found).encode())
    assert list(row) == list(found)
    for name, value in found.items():
        cell = row[name]
        if value is None:
            assert cell is None
        elif isinstance(value, list | dict):
            assert cell == ("nested", "")
        elif isinstance(value, str):
            assert cell == ("text", value)
        else:
            assert cell is not None
            assert json.loads(cell[1]) == value
