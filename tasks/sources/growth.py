"""What a source that grows can do besides: say where it ends, and give what lies between two ends.

Where a source ends is a `Place`, plain JSON of the source's own, which is kept in the commit that
lands the rows (`tasks/ingestion/past.py`). A place is never behind a row that may still change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from charter.data import Role
from tasks.sources.base import Source
from tasks.sources.refused import Refused

Place = Mapping[str, Any]


class Changed(Exception):
    """What landed before is not in the source any more as it was; the words say what is not."""


@dataclass(frozen=True)
class Held:
    """The columns of the table that rows are added to."""

    schema: pa.Schema
    """Those that come from the source, as the lake has them."""
    known: frozenset[str]
    """Every column that the source had, those that are ignored included."""
    roles: Mapping[str, Role | None]
    empty: frozenset[str] = frozenset()
    """Those that no row had a value of, so that nothing is known of what they mean."""

    def declared(self, name: str) -> Role | None:
        """The role that decides how a text is read."""
        role = self.roles.get(name)
        return None if role == "ignore" else role

    def check_new(self, names: list[str]) -> None:
        """A column that no row had before changes the shape of the table."""
        new = [name for name in names if name not in self.known]
        if new:
            raise Changed(f"{', '.join(new[:8])}: a column that no row had before")

    def check_gone(self, names: list[str]) -> None:
        gone = sorted(self.known - set(names))
        if gone:
            raise Changed(f"{', '.join(gone[:8])}: a column that is gone")


@runtime_checkable
class Growing(Source, Protocol):
    """A source of which the new rows can be told from the old ones."""

    def end(self, before: Place | None) -> Place:
        """Where the source ends now; the same place where nothing is new.

        `Changed` where the rows up to `before` are not there any more.
        """
        ...

    def between(self, start: Place | None, end: Place, held: Held | None) -> Source:
        """The rows behind `start` (None: all) up to `end`, again and again the same."""
        ...

    def waiting(self, end: Place) -> int:
        """Bytes behind the end that are not a whole row yet."""
        ...


class Further:
    """Refused rows of a part, counted from the first row of the whole."""

    def __init__(self, refused: Refused, before: int) -> None:
        self._refused = refused
        self._before = before

    def add(
        self, row: int, reasons: Sequence[str], record: str, place: Callable[[int], str]
    ) -> None:
        before = self._before
        self._refused.add(row + before, reasons, record, lambda number: place(number - before))
