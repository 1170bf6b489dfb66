"""Whether something is left: every byte of every file, and what stands packed inside of it."""

from __future__ import annotations

import gzip
import html
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PIECE = 16 * 2**20
PATIENCE = 30.0


def left(root: Path, traces: Iterable[str]) -> tuple[list[Path], int]:
    """The files under the root that hold one of the texts, and how many bytes were looked through."""
    texts = sorted({form for text in traces for form in spelled(text)})
    pattern = re.compile(b"|".join(map(_bounded, texts)))
    overlap = max(len(text.encode()) for text in texts) + 2
    found, size = [], 0
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            size += path.stat().st_size
            if any(pattern.search(piece) for piece in _pieces(path, overlap)):
                found.append(path)
    return found, size


def spelled(text: str) -> set[str]:
    """The text as it may stand in a file: as it is, inside of JSON (that of a row in JSON of its own
    too), and on a page."""
    inside = [json.dumps(text, ensure_ascii=ascii)[1:-1] for ascii in (True, False)]
    twice = [json.dumps(one, ensure_ascii=False)[1:-1] for one in inside]
    return {text, *inside, *twice, html.escape(text), html.escape(text, quote=False)}


def _bounded(text: str) -> bytes:
    """Digits as a word of their own: they also stand inside of longer numbers."""
    if not text.isdecimal():
        return re.escape(text.encode())
    return rb"(?<![0-9A-Za-z])" + re.escape(text.encode()) + rb"(?![0-9A-Za-z])"


def _pieces(path: Path, overlap: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            start = file.read(16)
            unpack = next(
                (read for magic, read in _PACKED.items() if start.startswith(magic)), None
            )
            file.seek(0)
            tail = b""
            while piece := file.read(PIECE):
                yield tail + piece
                tail = piece[-overlap:]
        if unpack is not None:
            yield from unpack(path)
    except FileNotFoundError:  # whoever made it took it away meanwhile
        return


def _parquet(path: Path) -> Iterator[bytes]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for column in batch.columns:
                texts = column.flatten() if pa.types.is_list(column.type) else column
                if pa.types.is_string(texts.type) or pa.types.is_integer(texts.type):
                    yield "\n".join(map(str, texts.unique().to_pylist())).encode()


def _sqlite(path: Path) -> Iterator[bytes]:
    """Long values lie in several pages, so that their bytes alone do not tell."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE)
    try:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            quoted = table.replace('"', '""')
            for row in database.execute(f'SELECT * FROM "{quoted}"'):
                yield b"\n".join(
                    cell if isinstance(cell, bytes) else str(cell).encode() for cell in row
                )
    finally:
        database.close()


def _zip(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield archive.read(name)


def _gzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        yield file.read()


_PACKED: dict[bytes, Callable[[Path], Iterator[bytes]]] = {
    b"PAR1": _parquet,
    b"SQLite format 3": _sqlite,
    b"PK\x03\x04": _zip,
    b"\x1f\x8b": _gzip,
}
