"""How a file is to be read, told by its first bytes."""

from __future__ import annotations

import codecs
from pathlib import Path

from charter import Refusal
from charter.data import CsvSource, ExcelSource, FileSource, JsonLinesSource, ParquetSource
from tasks.sources.excel import is_workbook, sheets
from tasks.sources.jsonl import is_json_lines
from tasks.sources.paths import located
from tasks.sources.unpacked import unpacked

HEAD = 2**20
DELIMITERS = ",;\t|"
DATABASES = (".db", ".sqlite", ".sqlite3")
OTHER_FORMATS = {
    ".xls": "an old Excel workbook",
    ".xlsb": "a binary Excel workbook",
    ".ods": "a spreadsheet",
    ".json": "JSON",
}


def described(data: Path) -> FileSource:
    """The section `data.source` for this file; formats without a source are refused."""
    where = data.as_posix() if str(data).startswith("package:") else _seen_from_here(data)
    path = located(where, "--data")
    with path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return ParquetSource(kind="parquet", path=where)
    if path.suffix.lower() in DATABASES:
        raise Refusal(
            f"--data {data}",
            "found a database",
            "wanted one file of rows",
            f"Draft from an export of its rows, then set source: {{kind: sql, url: 'sqlite:///{where}', "
            "query: SELECT …}.",
        )
    if is_json_lines(path):
        return JsonLinesSource(kind="jsonl", path=where)
    if is_workbook(path):
        seen = sheets(path, "--data")
        return ExcelSource(kind="excel", path=where, sheet=seen[0] if len(seen) > 1 else None)
    if (other := OTHER_FORMATS.get(path.suffix.lower())) is not None:
        raise Refusal(
            f"--data {data}",
            f"found {other}",
            "wanted CSV or JSON lines (plain, gzip or zip), Parquet, or .xlsx",
            "Save it as .xlsx or CSV, or give a python source in the charter that reads it.",
        )
    with unpacked(path, "--data") as (content, _):
        head = content.read(HEAD)
    encoding = _encoding(head)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    return CsvSource(kind="csv", path=where, delimiter=_delimiter(text), encoding=encoding)


def _seen_from_here(data: Path) -> str:
    """Relative where the file lies under the working directory, as the charter may move with it."""
    path = data.expanduser().absolute()
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """The one that splits the first line into most fields, quoted parts left out."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=lambda mark: (bare.count(mark), -DELIMITERS.index(mark)))
