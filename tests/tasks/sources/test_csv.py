"""CSV files as they come: what is read, what goes to quarantine, what is refused and how."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from charter import Refusal
from charter.data import CsvSource, Role
from tasks.sources import opened, rows
from tasks.sources.refused import Spool, Strict

Read = Callable[..., tuple[pa.Table, list[dict[str, Any]]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write the content to a file and read it: the rows, and those refused."""

    def read(
        content: str | bytes, roles: Mapping[str, Role] | None = None, **options: Any
    ) -> tuple[pa.Table, list[dict[str, Any]]]:
        path = tmp_path / "file.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        refused = Spool(tmp_path / "refused")
        source = opened(CsvSource(kind="csv", path=str(path), **options))
        incoming = rows(source, roles or {}, tmp_path, refused)
        table = pa.Table.from_batches(incoming.batches, incoming.schema)
        return table, [row for batch in refused.batches() for row in batch.to_pylist()]

    return read


@pytest.mark.parametrize(
    ("texts", "type", "last"),
    [
        (["1", "-2", "300"], "int64", 300),
        (["1", "2.5", "1e3", "+7"], "double", 7.0),
        (["1", " 2"], "int64", 2),
        (["true", "False", "TRUE"], "bool", True),
        (["true", "0"], "string", "0"),
        (["2013-01-02", "2013-01-02 03:04"], "timestamp[us]", dt.datetime(2013, 1, 2, 3, 4)),
        (
            ["2013-01-02T03:04:05Z", "2013-01-02 03:04:05+02:00"],
            "timestamp[us, tz=UTC]",
            dt.datetime(2013, 1, 2, 1, 4, 5, tzinfo=dt.UTC),
        ),
        (["2013-01-02", "2013-01-02T03:04:05Z"], "string", "2013-01-02T03:04:05Z"),
        (["01234", "56789"], "string", "56789"),
        (["007", "2.5"], "string", "2.5"),
        (["0.5", "0", "-0.25"], "double", -0.25),
        (["9007199254740993", "1"], "string", "1"),
        (["9007199254740992", "1"], "int64", 1),
        (["12345678901234567890", "1"], "string", "1"),
        (["1", "inf"], "string", "inf"),
        (["0x10", "16"], "string", "16"),
        (["1", "oops"], "string", "oops"),
        (["2013-02-30", "2013-01-01"], "string", "2013-01-01"),
        (["NA", ""], "string", None),
        (["1", "NA", "null"], "int64", None),
        (['"a\nb"', '"say ""hi"""'], "string", 'say "hi"'),
    ],
)
def test_types_are_read_off_the_values(
    read: Read, texts: list[str], type: str, last: object
) -> None:
    table, refused = read("column,other\n" + "".join(f"{text},x\n" for text in texts))
    assert (str(table["column"].type), table["column"].to_pylist()[-1]) == (type, last)
    assert refused == []


def test_a_value_late_in_the_file_decides_too(read: Read) -> None:
    table, _ = read("a,b,c\n" + "1,1,1\n" * 300_000 + "1.5,x,\n")
    assert [str(type) for type in table.schema.types] == ["double", "string", "int64"]
    assert table.slice(300_000).to_pylist() == [{"a": 1.5, "b": "x", "c": None}]


def test_ragged_lines_go_to_quarantine_with_their_line(read: Read) -> None:
    table, refused = read('a,b,c\n1,2,3\n1,2\n\n1,"x\ny",3\n4,5,6,7\n1,NA,3\n')
    assert table["b"].to_pylist() == ["2", "x\ny", None]
    assert refused == [
        {"row": 1, "reasons": ["2 fields where the header has 3"], "record": "line 3: 1,2"},
        {"row": 3, "reasons": ["4 fields where the header has 3"], "record": "line 7: 4,5,6,7"},
    ]


def test_cells_that_do_not_fit_their_role_go_to_quarantine(read: Read) -> None:
    content = (
        "n,f,t,c\n007,1,2013-01-01,1\nabc,yes,2013-02-30,2\nbad\n3.5,maybe,,3\n,NO,2014-01-01,4\n"
    )
    roles: dict[str, Role] = {"n": "number", "f": "flag", "t": "time", "c": "category"}
    table, refused = read(content, roles)
    assert table.to_pylist() == [
        {"n": 7.0, "f": True, "t": dt.datetime(2013, 1, 1), "c": "1"},
        {"n": None, "f": False, "t": dt.datetime(2014, 1, 1), "c": "4"},
    ]
    assert [(row["row"], row["reasons"]) for row in refused] == [
        (2, ["1 field where the header has 4"]),
        (1, ["n: not a number", "t: not a time without zone, such as 2024-01-31 09:30"]),
        (3, ["f: not true or false"]),
    ]
    assert refused[1]["record"] == '{"n": "abc", "f": "yes", "t": "2013-02-30", "c": "2"}'


def test_scoring_refuses_the_line_instead(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_text('n,s\n1,"a\nb"\nx,c\n')
    source = opened(CsvSource(kind="csv", path=str(tmp_path / "file.csv")))
    incoming = rows(source, {"n": "number"}, tmp_path, Strict("file.csv"))
    with pytest.raises(Refusal, match=r"file\.csv, line 4: .*n: not a number"):
        list(incoming.batches)


def test_options_are_followed(read: Read) -> None:
    table, _ = read("a;b\n1;-\n2;x\n", delimiter=";", missing=("-",))
    assert table["b"].to_pylist() == [None, "x"]
    assert read("a\ncafé\n".encode("latin-1"), encoding="latin-1")[0]["a"].to_pylist() == ["café"]
    assert read("a,b\n1,2\n".encode("utf-16"), encoding="utf-16")[0].to_pylist() == [
        {"a": 1, "b": 2}
    ]
    assert read(b"\xef\xbb\xbfa,b\r\n1,2\r\n")[0].to_pylist() == [{"a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("content", "found", "remedy"),
    [
        ("", "empty", "Export it again"),
        ("\n \n", "empty", "Export it again"),
        ("a,b\n", "no rows", "Export it again"),
        ("a,b,a\n1,2,3\n", "the name a more than once", "Rename or remove"),
        ("a,,b\n1,2,3\n", "no name for column 2 of 3", "Name it"),
        ("a;b\n1;2\n", "one column, 'a;b'", 'semicolon: set delimiter: ";"'),
        ("a\tb\n1\t2\n", "one column", "tab: set delimiter"),
        (b"a,b\n1,2\n1,caf\xe9\n", "not utf-8", "encoding: latin-1"),
        (b"caf\xe9,b\n1,2\n", "not utf-8", "encoding: latin-1"),
        ("a,b\n1,2\n".encode("utf-16"), "not utf-8", "encoding: utf-16"),
        ('a,b\n1,"2\n1,2\n1,2\n', "quote that is opened", "Close it"),
        ('a,b\n"1,2\n1,2\n1,2\n', "quote that is opened", "Close it"),
        ('a,b\n1,"' + "x,y\n" * 1_000_000, "a row longer than", "quote that is not closed"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 99_999)[:-99], "damaged", "Fetch or compress it again"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "-",
)  # fmt: skip
def test_what_is_no_csv_is_refused_in_words(
    read: Read, content: str | bytes, found: str, remedy: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        read(content)
    assert found in refusal.value.found
    assert remedy in refusal.value.remedy
    assert refusal.value.where.startswith("data.source")


def test_the_line_is_named(read: Read) -> None:
    with pytest.raises(Refusal, match=r"data\.source, line 3: "):
        read(b"a,b\n1,2\n1,caf\xe9\n")
    with pytest.raises(Refusal, match=r"data\.source, line 4 of file\.csv: "):
        read('a,b\n1,2\n1,"2\n3"\n1,"2\n'.replace("1,2\n1", "1", 1))


def test_a_role_that_no_value_fits_is_refused(read: Read) -> None:
    with pytest.raises(Refusal, match=r"column n: .*'x'.*Change data\.columns"):
        read("n\nx\ny\n", {"n": "number"})


@pytest.mark.parametrize("names", [[], ["a.csv", "b.csv"]])
def test_a_zip_holds_one_file(read: Read, names: list[str]) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("folder/", "")
        for name in names:
            archive.writestr(name, "a\n1\n")
    with pytest.raises(
        Refusal, match=f"{len(names)} files in the zip" if names else "damaged|0 files"
    ):
        read(content.getvalue())


def test_a_folder_and_a_locked_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "inside.csv").write_text("a\n1\n")
    with pytest.raises(Refusal, match=r"Name a file in it: inside\.csv"):
        opened(CsvSource(kind="csv", path=str(tmp_path))).fingerprint()
    with pytest.raises(Refusal, match="There is no folder"):
        opened(CsvSource(kind="csv", path=str(tmp_path / "no" / "x.csv"))).fingerprint()
