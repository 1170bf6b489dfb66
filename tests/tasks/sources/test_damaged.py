"""Tables that are written, then damaged: every good row arrives unchanged, every other one is in quarantine."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from charter.data import CsvSource, JsonLinesSource
from charter.data import Source as Clause
from tasks.sources import opened, rows
from tasks.sources.refused import Spool

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WHOLE = st.integers(-(2**53), 2**53)
DAMAGES = {
    "csv": ("a field more", "a field less", "no number", "behind a quote"),
    "jsonl": ("torn", "no object", "a name twice", "no number", "no JSON"),
}


@dataclass(frozen=True)
class Line:
    """A row as it was meant, and what happened to it."""

    number: int | None
    name: str
    share: float
    damage: str | None


def lines(kind: str) -> st.SearchStrategy[list[Line]]:
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    damage = st.none() | st.sampled_from(DAMAGES[kind])
    line = st.builds(Line, st.none() | WHOLE, TEXTS, numbers, damage)
    good = st.builds(Line, WHOLE, TEXTS, numbers, st.none())
    return st.tuples(good, st.lists(line, max_size=30)).map(lambda pair: [pair[0], *pair[1]])


def _read(
    suffix: str, content: bytes, clause: Callable[[str], Clause]
) -> tuple[list[dict[str, Any]], list[int]]:
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / f"rows.{suffix}"
        path.write_bytes(content)
        refused = Spool(Path(room) / "refused")
        roles = {"number": "number", "name": "text", "share": "number"}
        incoming = rows(opened(clause(str(path))), roles, Path(room), refused)  # type: ignore[arg-type]
        found = pa.Table.from_batches(incoming.batches, incoming.schema).to_pylist()
        places = [row["row"] for batch in refused.batches() for row in batch.to_pylist()]
    return found, sorted(places)


def _check(
    found: tuple[list[dict[str, Any]], list[int]],
    written: Sequence[Line],
    missing: tuple[str, ...],
) -> None:
    arrived, refused = found
    assert arrived == [
        {
            "number": line.number,
            "name": None if line.name in missing else line.name,
            "share": line.share,
        }
        for line in written
        if line.damage is None
    ]
    assert refused == [at for at, line in enumerate(written) if line.damage is not None]


def _cell(text: str, delimiter: str) -> str:
    """Quoted by RFC 4180; Python's csv leaves a lone carriage return bare before 3.13."""
    if any(mark in text for mark in (delimiter, '"', "\r", "\n")):
        return _quoted(text)
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@given(
    lines("csv"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_csv(written: list[Line], end: str, delimiter: str, encoding: str, zipped: bool) -> None:
    table = [["number", "name", "share"]]
    for line in written:
        number = "" if line.number is None else str(line.number)
        number = "nought" if line.damage == "no number" else number
        cells = [number, _cell(line.name, delimiter), repr(line.share)]
        cells[1] = f'{_quoted(line.name)}b"' if line.damage == "behind a quote" else cells[1]
        cells = cells[:2] if line.damage == "a field less" else cells
        table.append([*cells, "more"] if line.damage == "a field more" else cells)
    text = "".join(delimiter.join(row) + end for row in table)
    content = text.encode(encoding)
    found = _read(
        "csv.gz" if zipped else "csv",
        gzip.compress(content) if zipped else content,
        lambda path: CsvSource(
            kind="csv", path=path, delimiter=delimiter, encoding=encoding.removesuffix("-sig")
        ),
    )
    _check(found, written, MISSING)


@given(lines("jsonl"), st.sampled_from(["\n", "\r\n", "\n\n"]), st.booleans())
def test_json_lines(written: list[Line], end: str, ascii: bool) -> None:
    texts = []
    for line in written:
        number = "nought" if line.damage == "no number" else line.number
        row = {"number": number, "name": line.name, "share": line.share}
        text = json.dumps(row, ensure_ascii=ascii)
        texts.append(
            {
                "torn": text[:-3],
                "no object": f"[{text}]",
                "a name twice": f'{{"name": "", {text[1:]}',
                "no JSON": f"{text[:-1]},}}",
            }.get(line.damage or "", text)
        )
    content = "".join(text + end for text in texts).encode()
    found = _read("jsonl", content, lambda path: JsonLinesSource(kind="jsonl", path=path))
    _check(found, written, ())
