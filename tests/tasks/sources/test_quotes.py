"""A text behind a closing quote is found wherever the blocks end, and nothing else is."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from charter.data import CsvSource
from tasks.sources import opened, rows
from tasks.sources.quotes import Quotes, is_torn
from tasks.sources.refused import Spool


def _torn(text: str, delimiter: str) -> bool:
    """By the letter: outside, in a plain field, in a quoted one, behind a quote in that."""
    state = "outside"
    for letter in text:
        ends = letter in f"{delimiter}\r\n"
        if state == "quoted":
            state = "behind" if letter == '"' else state
        elif state == "behind" and letter == '"':
            state = "quoted"
        elif state == "behind" and not ends:
            return True
        elif ends:
            state = "outside"
        elif state == "outside":
            state = "quoted" if letter == '"' else "plain"
    return False


@given(st.text('";,\r\nabé', max_size=40), st.sampled_from([",", ";", "|"]), st.integers(1, 9))
def test_every_such_text_is_found(text: str, delimiter: str, size: int) -> None:
    content = text.encode()
    quotes = Quotes(io.BytesIO(content), delimiter)
    assert b"".join(iter(lambda: quotes.read(size), b"")) == content
    assert quotes.torn == _torn(text, delimiter)
    assert is_torn(text, delimiter) == _torn(text, delimiter)


def test_many_rows_around_it_arrive(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [f'{number},"x, ""{number}"" y",5" pipe' for number in range(60_000)]
    lines[7], lines[40_000], lines[40_001] = '7,"a"b,c', '40000,"a" ,c', '40001,"a"b,c,d'
    path.write_text("id,name,size\n" + "".join(f"{line}\n" for line in lines))
    assert path.stat().st_size > 2**20  # more than a block
    refused = Spool(tmp_path / "refused")
    incoming = rows(opened(CsvSource(kind="csv", path=str(path))), {}, tmp_path, refused)
    table = pa.Table.from_batches(incoming.batches, incoming.schema)
    wrong = {7, 40_000, 40_001}
    assert table["id"].to_pylist() == [number for number in range(60_000) if number not in wrong]
    assert table["name"][-1].as_py() == 'x, "59999" y'
    assert table["size"].unique().to_pylist() == ['5" pipe']
    found = {row["row"]: row for batch in refused.batches() for row in batch.to_pylist()}
    assert found.keys() == wrong
    assert found[7]["record"] == 'line 9: 7,"a"b,c'
    assert found[40_000]["reasons"] == ["a text behind a closing quote"]
