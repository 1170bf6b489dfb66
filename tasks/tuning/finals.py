"""Final fits on all training rows, of the winner and of the baselines."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from serving.home import place
from tasks.models.base import Family, Value
from tasks.models.blend import MIXTURES
from tasks.tuning.bench import CACHE_SHARE
from tasks.tuning.climb import Climb
from tasks.tuning.ground import Ground
from tasks.tuning.limits import broken
from tasks.tuning.once import Once
from tasks.tuning.sandbox import Stopped
from tasks.tuning.scale import Weight, finish
from tasks.tuning.search import Entry
from tasks.tuning.whole import CELL, paged, streamed

log = logging.getLogger(__name__)

FEW = 4_000
"""Rows of a baseline whose fit on all of them was stopped."""
GROWN = 1.2
"""Where the search works on drawn rows, the final fit has more if there are so many times more …"""
ROOM = 0.35
"""… with room in this share of the charter's memory."""
COPIES = 3
"""A fit holds its matrix so many times."""
ROW, OUTPUT = 28, 12
"""Bytes of a row and of each number foretold for it, in a fit that is streamed; values beside them only
where they have room."""
PAGED = 3.0
"""So many times as long takes a fit that reads its rows from disk."""


@dataclass(frozen=True)
class Final:
    """A fitted pipeline on the shelf."""

    where: str
    weight: Weight
    note: str = ""
    """What a reader has to know about its rows."""
    rows: int | None = None
    """How many it was fitted on; None: all."""


class Finals:
    """Fits each trial's parameters once."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._restart = ground.clock.run
        """Seconds until a child that was stopped is ready again, as the first one was."""
        self._made: dict[str, Final] = {}
        self.why: dict[str, str] = {}
        """Why the last fit of a family brought none."""

    def broken(self, final: Final) -> str:
        """Which constraint the model breaks, now that all rows are in it."""
        return broken(self._ground.charter.constraints, final.weight)

    def winner(self, climb: Climb | Once, entry: Entry, seconds: float) -> Final | None:
        """The trial's parameters on all rows.

        A fit that was stopped leaves the model of the last fold in its place, where there is one.
        """
        name = climb.family.name
        over = self._ground.clock.spent + seconds
        for rows, kept in self._rows(climb, seconds, streamed(climb.family, entry.params)):
            left = over - kept - self._ground.clock.spent
            try:
                return self._fit(climb.family, entry.params, f"{name}-{entry.number}", rows, left)
            except Stopped as stopped:
                self._note(name, stopped)
        where = self._ground.folder.file(f"models/{name}-fold.skops")
        if climb.best != entry or not place(where).exists():
            return None
        note = "the model of the last fold, since there was no time for a final fit"
        weight = Weight(entry.notes["mb"], entry.notes["row_ms"], 0.0)
        fitted = self._ground.survey.fits[-1]
        return Final(where, weight, note, min(fitted, climb.rows or fitted))

    def _rows(
        self, climb: Climb | Once, seconds: float, streams: bool
    ) -> Iterator[tuple[int | None, float]]:
        """What the fit is tried with, all that it can have first, and the seconds kept for the next;
        where it `streams`, rows need no room of their own."""
        survey, final = self._ground.survey, climb.final_seconds()
        if survey.whole == survey.rows:
            fewer = climb.family.remembers or final > seconds
            yield climb.rows if fewer else None, 0.0
            return
        if survey.streams and not climb.family.remembers:
            kept = final + self._restart
            before = (
                final if streams and climb.family.name in MIXTURES else 0.0
            )  # on the drawn rows
            in_time = int(survey.rows * (seconds - kept - before) / (final + survey.seconds))
            columns = survey.extents[climb.family.style].columns
            most = self._streamed(in_time, columns) if streams else self._in_room(in_time, columns)
            if most > GROWN * survey.rows:
                yield (None if most >= survey.whole else most), kept
        fewer = climb.family.remembers or final > seconds
        yield (climb.rows if fewer and climb.rows else survey.rows), 0.0

    def _streamed(self, rows: int, columns: int) -> int:
        """How many rows can be streamed, where there would be time for so many in memory."""
        memory, training = self._memory, self._ground.training
        outputs = len(training.classes) if training.task == "multiclass" else 1
        each = ROW + OUTPUT * outputs
        rows = min(rows, self._ground.survey.whole, int(ROOM * memory / each))
        if not paged(rows, columns, CACHE_SHARE * memory):
            return rows
        return max(int(rows / PAGED), int(CACHE_SHARE * memory / CELL / columns))

    def _in_room(self, rows: int, columns: int) -> int:
        """How many of these rows have room in memory as they are."""
        return min(rows, int(ROOM * self._memory / (COPIES * 8 * columns)))

    @property
    def _memory(self) -> float:
        """Bytes that the charter allows."""
        return self._ground.charter.constraints.memory_gb * 2**30

    def baseline(self, family: Family, params: Mapping[str, Value], seconds: float) -> Final | None:
        """A model to be beaten: it may be of any size, and of fewer rows where all take too long."""
        survey = self._ground.survey
        for rows in (None if survey.whole == survey.rows else survey.rows, FEW):
            try:
                return self._fit(family, params, f"{family.name}-baseline", rows, seconds)
            except Stopped as stopped:
                self._note(family.name, stopped)
        return None

    def _note(self, name: str, stopped: Stopped) -> None:
        self.why[name] = str(stopped)
        log.info("%s: its final fit %s", name, stopped)

    def _fit(
        self,
        family: Family,
        params: Mapping[str, Value],
        name: str,
        rows: int | None,
        seconds: float,
    ) -> Final:
        where = self._ground.folder.file(f"models/{name}.skops")
        if where not in self._made:
            self._ground.clock.say(f"{family.name}: final fit")
            self._ground.ready()
            weight = self._ground.sandbox.call(finish, family, params, rows, where, seconds=seconds)
            self._made[where] = Final(where, weight, self._words(family, params, rows), rows)
        return self._made[where]

    def _words(self, family: Family, params: Mapping[str, Value], rows: int | None) -> str:
        """What a reader has to know about the rows of a fit; nothing where it has all."""
        survey = self._ground.survey
        of = f" of {survey.whole:,}" if survey.whole > survey.rows else ""
        fitted = rows or survey.whole
        if family.name in MIXTURES and streamed(family, params) and fitted > survey.rows:
            return f"boosting fitted on {fitted:,}{of} rows, other members on {survey.rows:,}"
        return f"fitted on {rows:,}{of} rows" if rows else ""
