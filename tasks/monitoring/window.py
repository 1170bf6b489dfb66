"""One pass over the journal: what a window asked, what it was answered, what turned out."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from serving import values
from serving.bundle import Artifact
from serving.journal import Journal, Seen
from serving.packing import BadRow, Packed, pack_rows
from serving.signature import Signature
from tasks.monitoring.answers import answered
from tasks.monitoring.reference import Reference
from tasks.monitoring.tally import Tally

KEPT = 50_000
"""Answers that are remembered one by one; of more of them an even share, chosen by id."""

Row = Mapping[str, object]


UNTOLD = object()
"""Of a row that does not say who it is about; a null says that the value is missing."""


@dataclass(frozen=True)
class Answered:
    """Answers of the live release, with the truth where it is known."""

    answers: np.ndarray
    """Probabilities (rows, classes) or values (rows,)."""
    truth: np.ndarray
    """Class positions or values; NaN where not known yet. float64."""
    seconds: np.ndarray
    recent: np.ndarray
    """Whether the row lies in the window; the others only waited for their truth. bool."""
    people: np.ndarray
    """The values of the sensitive columns, UNTOLD where the row does not carry them: objects,
    (rows, columns)."""

    def only(self, rows: np.ndarray) -> Answered:
        parts = (self.answers, self.truth, self.seconds, self.recent, self.people)
        return Answered(*(part[rows] for part in parts))


@dataclass
class Gathered:
    """Everything that a look needs of the journal."""

    inputs: Tally | None
    """None where the release has no reference."""
    answers: Tally | None
    kept: Answered
    rows: int = 0
    """Rows of the window."""
    answered: int = 0
    """Those that the live release answered."""
    labelled: int = 0
    """Answers of the live release whose truth is known, also those before the window."""
    unreadable: int = 0
    """Rows that came without the service and do not fit the signature."""


@dataclass(frozen=True)
class Question:
    """Which rows, and how to read them."""

    artifact: Artifact
    release: int
    time: str | None
    """The charter's time column: the day of a row, where a row carries it."""
    since: float
    until: float
    wait: float
    """Seconds before the window from which late truths are still taken."""
    sensitive: tuple[str, ...] = ()
    """Columns by whose groups the answers are compared."""


def gather(journal: Journal, asked: Question, reference: Reference | None) -> Gathered:
    """Count the window and keep the answers; memory is a batch and `KEPT` answers."""
    signature = asked.artifact.signature
    shape = (0,) if signature.task == "regression" else (0, len(signature.classes))
    empty = np.empty(0)
    found = Gathered(
        inputs=Tally(reference.inputs) if reference else None,
        answers=Tally(reference.answers) if reference else None,
        kept=Answered(
            np.empty(shape), empty, empty, empty.astype(bool), _nobody(0, asked.sensitive)
        ),
    )
    kept = _Kept()
    for batch in journal.window(asked.since - asked.wait, asked.until):
        _count_inputs(found, asked, [seen for seen in batch if seen.at >= asked.since])
        mine = [seen for seen in batch if seen.release == asked.release and seen.answer]
        if mine:
            part = _answered(asked, mine)
            found.answered += int(part.recent.sum())
            found.labelled += int((~np.isnan(part.truth)).sum())
            _count_answers(found, asked, part.only(part.recent))
            kept.add([seen.id for seen in mine], part)
    found.kept = kept.whole() or found.kept
    return found


class _Kept:
    """An even share of the answers: those whose id has enough trailing zeros in its checksum."""

    def __init__(self) -> None:
        self._parts: list[tuple[np.ndarray, Answered]] = []
        self._rows = 0
        self._step = 1

    def add(self, names: Sequence[str], part: Answered) -> None:
        self._parts.append((np.array([zlib.crc32(name.encode()) for name in names]), part))
        self._thin()
        while self._rows > KEPT:
            self._step *= 2
            self._thin()

    def whole(self) -> Answered | None:
        parts = [part for _, part in self._parts]
        if not parts:
            return None
        return Answered(
            np.concatenate([part.answers for part in parts]),
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.seconds for part in parts]),
            np.concatenate([part.recent for part in parts]),
            np.concatenate([part.people for part in parts]),
        )

    def _thin(self) -> None:
        chosen = [(sums % self._step == 0, sums, part) for sums, part in self._parts]
        self._parts = [(sums[keep], part.only(keep)) for keep, sums, part in chosen]
        self._rows = sum(len(sums) for sums, _ in self._parts)


def _count_inputs(found: Gathered, asked: Question, batch: list[Seen]) -> None:
    found.rows += len(batch)
    if found.inputs is None or not batch:
        return
    signature = lenient(asked.artifact.signature)
    rows = [orjson.loads(seen.row) for seen in batch]
    fit = fitting(signature, rows)
    found.unreadable += len(rows) - len(fit)
    if fit:
        packed = pack_rows(signature, [rows[at] for at in fit])
        seconds = [moment_of(rows[at], batch[at].at, asked.time) for at in fit]
        found.inputs.add(_columns(signature, packed), np.array(seconds))


def _count_answers(found: Gathered, asked: Question, part: Answered) -> None:
    if found.answers is None or not len(part.truth):
        return
    artifact = asked.artifact
    found.answers.add(answered(artifact.signature, artifact.decision, part.answers), part.seconds)


def _answered(asked: Question, batch: list[Seen]) -> Answered:
    signature = asked.artifact.signature
    given = [orjson.loads(seen.answer or "{}") for seen in batch]
    if signature.task == "regression":
        answers = np.array([one["prediction"] for one in given], dtype=np.float64)
    else:
        answers = np.array(
            [[one["probabilities"][label] for label in signature.classes] for one in given]
        )
    needed = bool(asked.time or asked.sensitive)
    rows = [orjson.loads(seen.row) if needed else {} for seen in batch]
    inputs = {one.name for one in signature.inputs}
    people = _nobody(len(rows), asked.sensitive)
    for at, name in enumerate(asked.sensitive):
        silent = None if name in inputs else UNTOLD
        people[:, at] = [row.get(name, silent) for row in rows]
    return Answered(
        answers=answers,
        truth=np.array([truth_of(signature, seen.truth) for seen in batch]),
        seconds=np.array(
            [moment_of(row, seen.at, asked.time) for row, seen in zip(rows, batch, strict=True)]
        ),
        recent=np.array([seen.at >= asked.since for seen in batch]),
        people=people,
    )


def _nobody(rows: int, sensitive: tuple[str, ...]) -> np.ndarray:
    return np.full((rows, len(sensitive)), None, dtype=object)


def truth_of(signature: Signature, truth: object) -> float:
    """A value, or the place of a label; NaN where there is none that the model knows."""
    try:
        if truth is None:
            return np.nan
        if signature.task == "regression":
            return values.number(truth)
        return float(signature.classes.index(values.text(truth)))
    except (values.Unfit, ValueError):
        return np.nan


def moment_of(row: Row, at: float, name: str | None) -> float:
    """When the row was, as the charter tells time; else when it was answered."""
    try:
        return values.time(row[name]) if name and row.get(name) else at
    except values.Unfit:
        return at


def lenient(signature: Signature) -> Signature:
    """The same inputs, each of which may be missing."""
    inputs = tuple(column.model_copy(update={"required": False}) for column in signature.inputs)
    return signature.model_copy(update={"inputs": inputs})


def fitting(signature: Signature, rows: Sequence[Row]) -> list[int]:
    """Places of the rows that can be packed; those of the service always can."""
    try:
        pack_rows(signature, rows)
        return list(range(len(rows)))
    except BadRow:
        return [at for at, row in enumerate(rows) if _fits(signature, row)]


def _fits(signature: Signature, row: Row) -> bool:
    try:
        pack_rows(signature, [row])
        return True
    except BadRow:
        return False


def _columns(signature: Signature, packed: Packed) -> dict[str, np.ndarray]:
    numbers = {name: packed.numbers[:, at] for at, name in enumerate(signature.numbers)}
    return numbers | {name: packed.texts[:, at] for at, name in enumerate(signature.texts)}
