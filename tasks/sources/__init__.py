"""The family of sources: `opened(clause, where)` gives the member for a section of the charter."""

from __future__ import annotations

from charter.data import Source as Clause
from tasks.sources.base import Raw, Source
from tasks.sources.csv import CsvFile
from tasks.sources.delta import DeltaRows
from tasks.sources.excel import ExcelFile
from tasks.sources.growth import Growing
from tasks.sources.jsonl import JsonLines
from tasks.sources.parquet import ParquetFile
from tasks.sources.python import PythonCall
from tasks.sources.rows import Roles, Rows, rows
from tasks.sources.sql import SqlQuery
from tasks.sources.watermark import Watermarked

__all__ = ["CATALOGUE", "Raw", "Roles", "Rows", "Source", "growing", "opened", "rows"]

CATALOGUE = (CsvFile, JsonLines, ExcelFile, ParquetFile, DeltaRows, SqlQuery, PythonCall)


def opened(clause: Clause, where: str = "data.source") -> Source:
    """The source that the section describes; nothing is read yet."""
    member: type = next(member for member in CATALOGUE if member.clause is type(clause))
    source: Source = member(clause, where)
    return source


def growing(source: Source, watermark: str | None) -> Growing | None:
    """The source as one that grows; None where nothing tells what is new in it."""
    if isinstance(source, SqlQuery) and watermark is not None:
        return Watermarked(source, watermark)
    return source if isinstance(source, Growing) else None
