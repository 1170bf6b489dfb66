"""What a query gives: read once, by a cursor that streams, into a spool that both hash and rows come from."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from charter import Refusal
from charter.data import SqlSource
from tasks.scratch import scratch_of
from tasks.sources.base import OneMoment, Raw
from tasks.sources.cells import Cell, Cells
from tasks.sources.paths import located
from tasks.sources.refused import Refused

PORTION = 10_000
"""Rows that the cursor brings at a time."""
Portions = Iterable[Sequence[Sequence[Any]]]


class SqlQuery(OneMoment):
    """One pass in a transaction that reads only; a second look would see another moment."""

    clause: ClassVar[type] = SqlSource

    def __init__(self, source: SqlSource, where: str) -> None:
        self.source = source
        self.where = where

    @property
    def name(self) -> str:
        return f"the query on {self._url.render_as_string(hide_password=True)}"

    def fingerprint(self) -> str:
        return self._cells.digest()

    def raw(self, room: Path, refused: Refused) -> Raw:
        cells = self._cells
        if cells.rows == 0:
            raise Refusal(
                self.where, f"found no rows from {self.name}", "wanted some", "Look at the query."
            )
        return Raw(cells.schema, self._batches, readings=cells.readings)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        return self._cells.batches()

    @cached_property
    def _url(self) -> URL:
        text, where = self.source.url, f"{self.where}.url"
        if text.startswith("env:"):
            name = text.removeprefix("env:")
            text = os.environ.get(name, "")
            if not text:
                raise Refusal(
                    where,
                    f"found no {name} in the environment",
                    "wanted the address of the database there",
                    f"export {name}=postgresql://USER:PASSWORD@HOST/DATABASE",
                )
        try:
            url = make_url(text)
        except sa.exc.ArgumentError:  # its words would show the password
            raise Refusal(
                where,
                "found no address of a database",
                "wanted one as SQLAlchemy has it",
                "For example sqlite:///shop.db, or postgresql://shop@localhost/shop.",
            ) from None
        if url.drivername in ("postgresql", "postgres"):
            return url.set(drivername="postgresql+psycopg")
        return url

    @cached_property
    def _cells(self) -> Cells:
        with self.result(plain(self.source.query)) as (names, portions):
            cells = Cells(scratch_of(self, "sql") / "cells", self.where, names)
            for portion in portions:
                for row in portion:
                    cells.add(cells_of(names, row))
            cells.close()
            return cells

    @contextmanager
    def result(self, text: str, **values: object) -> Iterator[tuple[tuple[str, ...], Portions]]:
        """The names of the columns, and the rows as they stream; `text` may hold :parameters."""
        with self._explained(), self._engine() as engine, engine.connect() as connection:
            reading = connection.execution_options(
                stream_results=True, yield_per=PORTION, postgresql_readonly=True
            )
            if engine.dialect.name == "sqlite":
                reading.exec_driver_sql("PRAGMA query_only = ON")
            with reading.execute(sa.text(text), values) as result:
                if not result.returns_rows:
                    raise self._refusal("found a statement that gives no rows", "Write one SELECT.")
                names = tuple(result.keys())
                self._check_names(names)
                yield names, result.partitions(PORTION)

    @contextmanager
    def _engine(self) -> Iterator[sa.Engine]:
        url, where = self._url, f"{self.where}.url"
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            located(str(url.database), where)  # SQLite would make it
        try:
            engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        except (sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
            raise Refusal(
                where,
                f"found no driver for {url.drivername} ({error})",
                "wanted one that SQLAlchemy can load",
                "Install the driver's package, or name another one: postgresql+psycopg://",
            ) from error
        try:
            yield engine
        finally:
            engine.dispose()

    def _check_names(self, names: tuple[str, ...]) -> None:
        wrong = sorted({name for name in names if not name.strip() or names.count(name) > 1})
        if wrong:
            raise self._refusal(
                f"found the name {', '.join(map(repr, wrong))} more than once, or blank",
                "Name each column: SELECT a.id AS id, b.id AS other_id …",
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A query that cannot be right is refused; a database that is away is a fault."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            said = str(error.orig).strip().splitlines()[0]
            local = self._url.get_backend_name() == "sqlite" and "locked" not in said
            wrong = sa.exc.ProgrammingError | sa.exc.DataError | sa.exc.InternalError
            if local or isinstance(error, wrong):
                raise self._refusal(
                    f"found that the database refuses it ({said})", "Try it by hand."
                ) from error
            raise

    def _refusal(self, found: str, remedy: str) -> Refusal:
        return Refusal(f"{self.where}.query", found, "wanted a query that reads rows", remedy)


def plain(query: str) -> str:
    """A query as SQLAlchemy takes it: colons are no parameters in it, but casts and times of the day."""
    return query.replace(":", r"\:")


def cells_of(names: tuple[str, ...], row: Sequence[Any]) -> dict[str, Cell | None]:
    """A row of the database as exact texts."""
    return dict(zip(names, map(_cell, row), strict=True))


def _number(value: float | Decimal) -> Cell | None:
    return None if math.isnan(value) else ("number", str(value))


_CELLS: dict[type, Callable[[Any], Cell | None]] = {
    bool: lambda value: ("flag", "true" if value else "false"),
    int: lambda value: ("number", str(value)),
    float: _number,
    Decimal: _number,
    str: lambda value: ("text", value),
    UUID: lambda value: ("text", str(value)),
    datetime: lambda value: ("time", value.isoformat()),
    date: lambda value: ("time", value.isoformat()),
}


def _cell(value: object) -> Cell | None:
    if value is None:
        return None
    made = _CELLS.get(type(value))
    if made is not None:
        return made(value)
    return (
        ("nested", "")
        if isinstance(value, bytes | memoryview | list | dict)
        else ("text", str(value))
    )
