"""How the values of one column become those of the lake: by role, by what they mean, or as the table has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from charter import Refusal
from charter.data import Role
from tasks.sources.base import Raw, Source
from tasks.sources.growth import Changed, Held
from tasks.sources.guess import READINGS
from tasks.sources.texts import Reading
from tasks.sources.types import exact, is_number, is_text, settle, settled, spelled, unfit

Fit = tuple[pa.Array, np.ndarray | None]
"""The values, and which of them fit (None: all); those that do not are null."""
TEXTS = ("text", "category", "identifier")


@dataclass(frozen=True)
class Plan:
    """How one column is made."""

    name: str
    type: pa.DataType
    wanted: str
    make: Callable[[pa.Array], Fit]


def plan(
    source: Source,
    field: pa.Field,
    role: Role | None,
    guessed: tuple[Reading, Callable[[pa.Array], Fit]] | None,
) -> Plan:
    natural = settled(field.type)
    if natural is None:
        raise unfit(source.where, field.name, field.type)
    if guessed is not None:
        reading, read = guessed
        return Plan(field.name, reading.type, f"not {reading.means}", read)
    if role in TEXTS:
        whole = exact(field.type)
        assert whole is not None
        return Plan(field.name, pa.string(), "", _sure(lambda v: spelled(settle(v, whole))))
    if role == "flag" and is_number(natural):
        return Plan(field.name, pa.bool_(), "neither 0 nor 1", _zero_or_one)
    if role in ("number", "flag", "time") and not is_text(natural) and not _agrees(role, natural):
        raise Refusal(
            f"{source.where}, column {field.name}",
            f"found values of type {field.type}",
            f"wanted the role {role} ({READINGS[role][-1].means})",
            "Change data.columns (or data.time), or convert the column in the source.",
        )
    if role == "number":
        natural = pa.int64() if pt.is_boolean(natural) else natural
    return Plan(field.name, natural, "", _sure(lambda values: settle(values, natural)))


def kept(source: Source, field: pa.Field, found: pa.Field, raw: Raw, held: Held) -> Plan:
    """How a column is made as the table has it (`field`); Changed where it is of another kind now."""
    name, type, role = field.name, field.type, held.declared(field.name)
    if pt.is_null(found.type):
        return absent(field)
    if name in held.empty and role is None:
        return Plan(name, type, "", _no_value(field))
    if is_text(found.type):
        if type == pa.string():
            return Plan(name, type, "", _sure(lambda values: settle(values, type)))
        usual = raw.readings(name) if role is None else READINGS[role]
        reading = next((one for one in usual if one.type == type), None)
        if reading is not None:
            return Plan(name, type, f"not {reading.means}", checked(reading))
    elif settled(found.type) is not None:
        made = plan(source, found, role, None)
        if made.type == type:
            return made
        if (made.type, type) == (pa.int64(), pa.float64()):
            return Plan(name, type, "", _sure(lambda values: settle(values, type)))
    raise Changed(f"{name} is {found.type} now and {type} in the table")


def _no_value(field: pa.Field) -> Callable[[pa.Array], Fit]:
    """What a column means is to be seen of its first values, together with all others."""

    def make(values: pa.Array) -> Fit:
        if values.null_count < len(values):
            raise Changed(f"{field.name}: the first values of the column")
        return pa.nulls(len(values), field.type), None

    return make


def absent(field: pa.Field) -> Plan:
    """A column of which the new rows have no value."""
    return Plan(field.name, field.type, "", _sure(lambda values: pa.nulls(len(values), field.type)))


def _agrees(role: Role | None, type: pa.DataType) -> bool:
    if role == "number":
        return is_number(type) or bool(pt.is_boolean(type))
    return bool(pt.is_timestamp(type) if role == "time" else pt.is_boolean(type))


def _sure(convert: Callable[[pa.Array], pa.Array]) -> Callable[[pa.Array], Fit]:
    return lambda values: (convert(values), None)


def _zero_or_one(values: pa.Array) -> Fit:
    numbers = settle(values, pa.float64())
    fits = pc.is_in(numbers, pa.array([0.0, 1.0, None]))
    return pc.equal(numbers, 1.0), None if pc.all(fits).as_py() else np.asarray(fits)


def again(reading: Reading) -> Callable[[pa.Array], Fit]:
    return lambda values: (reading.again(settle(values, pa.string())), None)


def checked(reading: Reading) -> Callable[[pa.Array], Fit]:
    def make(values: pa.Array) -> Fit:
        texts = settle(values, pa.string())
        try:
            return reading.read(texts), None
        except pa.ArrowInvalid:
            fits = reading.fitting(texts)
            return reading.read(pc.if_else(pa.array(fits), texts, pa.scalar(None))), fits

    return make
