"""What was asked while a canary was tried, answered by both releases.

Which of them was asked is chance, so every row with a truth says something about both: each answers
all of them here, with its own preprocessing, whichever gave the answer then. That a given answer
changes what happens cannot be seen so; how each did on the rows that it really answered stands beside.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from serving.journal import Journal, Seen
from serving.packing import pack_rows
from serving.predictor import Predictor
from tasks.comparison.answers import raw
from tasks.monitoring.window import fitting, lenient, moment_of, truth_of

MOST = 200_000
"""Rows that are remembered; of more of them an even share, chosen by id."""


@dataclass(frozen=True)
class Stream:
    """Rows with their truth, answered by both."""

    ours: np.ndarray
    """The canary: probabilities, shape (rows, its classes), or values (rows,)."""
    theirs: np.ndarray
    """The live release: the same in its own classes."""
    truth: np.ndarray
    """Places in the classes of the canary, or values. float64."""
    seconds: np.ndarray
    """When each row was, as the charter tells time."""
    tried: np.ndarray
    """Whether the canary was the one that was asked. bool."""
    sums: np.ndarray
    """A checksum of each id."""

    def __len__(self) -> int:
        return len(self.truth)

    def only(self, rows: np.ndarray) -> Stream:
        """Some of the rows."""
        parts = (self.ours, self.theirs, self.truth, self.seconds, self.tried, self.sums)
        return Stream(*(part[rows] for part in parts))


@dataclass
class Asked:
    """The requests of the time."""

    stream: Stream
    answered: int = 0
    """By the live release."""
    tried: int = 0
    """By the canary."""


def gather(
    journal: Journal,
    ours: tuple[int, Predictor],
    theirs: tuple[int, Predictor],
    since: float,
    until: float,
    time: str | None,
) -> Asked:
    """One pass over what was answered from `since` until `until`; `time` is the charter's column."""
    found = Asked(_scored([], ours, theirs, time))
    parts = [found.stream]
    step, rows = 1, 0
    for batch in journal.window(since, until):
        found.tried += sum(seen.release == ours[0] for seen in batch)
        found.answered += sum(seen.release == theirs[0] for seen in batch)
        known = [seen for seen in batch if seen.release in (ours[0], theirs[0]) and seen.truth is not None]  # fmt: skip
        part = _scored(_every(step, known), ours, theirs, time)
        parts, rows = [*parts, part], rows + len(part)
        while rows > MOST:
            step *= 2
            parts = [one.only(one.sums % step == 0) for one in parts]
            rows = sum(map(len, parts))
    found.stream = _together(parts)
    return found


def _every(step: int, batch: Iterable[Seen]) -> list[Seen]:
    return [seen for seen in batch if _sum(seen) % step == 0]


def _scored(
    batch: Sequence[Seen],
    ours: tuple[int, Predictor],
    theirs: tuple[int, Predictor],
    time: str | None,
) -> Stream:
    rows = [orjson.loads(seen.row) for seen in batch]
    signatures = [lenient(predictor.signature) for _, predictor in (ours, theirs)]
    fit = sorted(set(fitting(signatures[0], rows)) & set(fitting(signatures[1], rows)))
    batch, rows = [batch[at] for at in fit], [rows[at] for at in fit]
    answers = [
        raw(predictor.predict(pack_rows(signature, rows))) if rows else _none(predictor)
        for (_, predictor), signature in zip((ours, theirs), signatures, strict=True)
    ]
    found = Stream(
        answers[0], answers[1],
        truth=np.array([truth_of(signatures[0], seen.truth) for seen in batch], dtype=float),
        seconds=np.array(
            [moment_of(row, seen.at, time) for row, seen in zip(rows, batch, strict=True)], dtype=float
        ),
        tried=np.array([seen.release == ours[0] for seen in batch], dtype=bool),
        sums=np.array([_sum(seen) for seen in batch], dtype=np.int64),
    )  # fmt: skip
    return found.only(~np.isnan(found.truth))


def _none(predictor: Predictor) -> np.ndarray:
    classes = len(predictor.signature.classes)
    return np.empty((0, classes) if classes else 0)


def _together(parts: Sequence[Stream]) -> Stream:
    names = ("ours", "theirs", "truth", "seconds", "tried", "sums")
    return Stream(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _sum(seen: Seen) -> int:
    return zlib.crc32(seen.id.encode())
