"""What a source is: something with a fingerprint that gives raw batches, again and again.

To add one: a section with its own `kind` in `charter/data.py`, a file here with a class that keeps
this protocol, and the class in `CATALOGUE`. The conformance suite in
`tests/contracts/test_sources.py` picks it up. One whose new rows can be told from its old ones keeps
`Growing` too (`growth.py`), and is tried by `tests/contracts/test_growing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa

from tasks.sources.refused import Refused
from tasks.sources.texts import Reading

BATCH_ROWS = 131_072


def row_number(position: int) -> str:
    """How a row is named in a source without lines."""
    return f"row {position + 1}"


def same(position: int) -> int:
    return position


def without(missing: Sequence[int]) -> Callable[[int], int]:
    """From the n-th row given to its position, where the positions `missing` (ascending) are not given."""
    before = np.asarray(missing, dtype=np.int64) - np.arange(len(missing))
    return lambda row: row + int(np.searchsorted(before, row, "right"))


def as_they_are(column: str) -> tuple[Reading, ...]:
    """Texts stay texts."""
    return ()


@dataclass(frozen=True)
class Raw:
    """Batches as the source has them, before columns get the types of the lake."""

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]
    """The rows in the order of the source; can be called again."""
    readings: Callable[[str], tuple[Reading, ...]] = as_they_are
    """What the texts of a column may mean where the charter says nothing of it."""
    position: Callable[[int], int] = same
    """The place in the source (from 0, refused rows counted) of the n-th row given."""
    place: Callable[[int], str] = row_number
    """Such a position in words."""


class OneMoment:
    """A source that gives what it saw when it was first looked at."""

    def check_unchanged(self) -> None:
        """Nothing that happens meanwhile changes it."""


class Source(Protocol):
    """A member of the family."""

    clause: ClassVar[type]
    """The section of the charter that it reads."""
    where: str
    """The charter's key, for refusals: `data.source`."""

    @property
    def name(self) -> str:
        """What people call it: the name of the file or function."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of the source's bytes and of the options that change what is read from them."""
        ...

    def check_unchanged(self) -> None:
        """Refuse a source that is no longer what `fingerprint` saw."""
        ...

    def raw(self, room: Path, refused: Refused) -> Raw:
        """Open it; lines that are no rows go to `refused`, scratch files into `room`."""
        ...
