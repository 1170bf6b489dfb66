"""What a column of texts means, judged by all of its values and not by the first few."""

from __future__ import annotations

from typing import get_args

import pyarrow as pa

from charter import Refusal
from charter.data import Role
from tasks.sources.texts import (
    ANY_DECIMAL,
    ANY_FLAG,
    ANY_WHOLE,
    TIMES,
    Reading,
)

READINGS: dict[Role, tuple[Reading, ...]] = {
    "number": (ANY_WHOLE, ANY_DECIMAL),
    "flag": (ANY_FLAG,),
    "time": TIMES,
    "category": (),
    "text": (),
    "identifier": (),
}
assert READINGS.keys() == {*get_args(Role)} - {"ignore"}


class Guess:
    """Looks at every batch of one column; the readings that are left at the end are right."""

    def __init__(self, name: str, role: Role | None, usual: tuple[Reading, ...]) -> None:
        self.name = name
        self.declared = role is not None and role != "ignore"
        self.role = role
        self._wanted = READINGS[role] if role is not None and role != "ignore" else usual
        self._alive = self._wanted
        self._filled = 0
        self._misfits = 0
        self._example: str | None = None

    @property
    def open(self) -> bool:
        """Whether looking at more values can change anything."""
        return bool(self._alive)

    @property
    def fits(self) -> bool:
        """Whether every value that was looked at has the meaning of the reading."""
        return self._misfits == 0

    def look(self, texts: pa.Array) -> None:
        values = texts.drop_null()
        if not self._alive or len(values) == 0:
            return
        self._filled += len(values)
        alive = tuple(reading for reading in self._alive if reading.fits(values))
        if not alive and self.declared:
            alive = self._look_at_fitting(values)
        self._alive = alive

    def _look_at_fitting(self, values: pa.Array) -> tuple[Reading, ...]:
        """Declared: the misfits are refused one by one, the others decide."""
        masks = [reading.fitting(values) for reading in self._alive]
        widest = max(masks, key=lambda mask: int(mask.sum()))
        self._misfits += int((~widest).sum())
        self._example = self._example or values.filter(pa.array(~widest))[0].as_py()
        fitting = values.filter(pa.array(widest))
        return tuple(reading for reading in self._alive if reading.fits(fitting))

    def reading(self, where: str) -> Reading | None:
        """What the values mean; None: texts. Refused where no value fits the declared role."""
        if self.declared and self._filled and self._misfits == self._filled:
            raise Refusal(
                f"{where}, column {self.name}",
                f"found no value that is {self._wanted[-1].means}, as in {self._example!r}",
                f"wanted the role {self.role}",
                "Change data.columns (or data.time), or name the texts that mean missing.",
            )
        return self._alive[0] if self._alive and self._filled else self._default()

    def _default(self) -> Reading | None:
        return self._wanted[-1] if self.declared and self._alive else None
