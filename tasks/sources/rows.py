"""From raw batches to rows: every column one type, by role or by its values, all casts checked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from charter import Refusal
from charter.data import Role
from tasks.sources.base import BATCH_ROWS, Raw, Source
from tasks.sources.guess import READINGS, Guess
from tasks.sources.refused import Refused
from tasks.sources.texts import Reading
from tasks.sources.types import is_number, is_text, settle, settled, spelled, unfit

CORES = os.cpu_count() or 1
Roles = Mapping[str, Role | None]
Fit = tuple[pa.Array, np.ndarray | None]
"""The values, and which of them fit (None: all); those that do not are null."""


@dataclass(frozen=True)
class Rows:
    """A source as the lake takes it."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    """Rows in the order of the source, at most BATCH_ROWS per batch; goes by once."""


@dataclass(frozen=True)
class Plan:
    """How one column is made."""

    name: str
    type: pa.DataType
    wanted: str
    make: Callable[[pa.Array], Fit]


def rows(source: Source, roles: Roles, room: Path, refused: Refused) -> Rows:
    """Open the source: one pass over its texts to learn their types, one to give the rows.

    A row with a cell that does not fit its declared role goes to `refused`.
    """
    raw = source.raw(room, refused)
    guesses = _guessed(source, raw, roles)
    plans = [
        _plan(source, field, roles.get(field.name), guesses.get(field.name))
        for field in raw.schema
        if not (roles.get(field.name) == "ignore" and settled(field.type) is None)
    ]
    schema = pa.schema([(plan.name, plan.type) for plan in plans])
    return Rows(schema, _given(source, raw, plans, schema, refused))


def _guessed(
    source: Source, raw: Raw, roles: Roles
) -> dict[str, tuple[Reading, Callable[[pa.Array], Fit]]]:
    """The meaning of each column of texts that has one, and how they are read."""
    guesses = [
        Guess(field.name, roles.get(field.name), raw.readings(field.name))
        for field in raw.schema
        if is_text(field.type)
    ]
    if any(guess.open for guess in guesses):
        with ThreadPoolExecutor(CORES) as pool:  # Arrow works beside Python
            for batch in raw.batches():
                looking = [guess for guess in guesses if guess.open]
                texts = (batch.column(guess.name) for guess in looking)
                for _ in pool.map(_look, looking, texts):
                    pass
    readings = ((guess, guess.reading(source.where)) for guess in guesses)
    return {
        guess.name: (reading, _again(reading) if guess.fits else _read(reading))
        for guess, reading in readings
        if reading is not None
    }


def _look(guess: Guess, texts: pa.Array) -> None:
    guess.look(settle(texts, pa.string()))


def _plan(
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
    if role in ("text", "category", "identifier"):
        return Plan(field.name, pa.string(), "", _sure(lambda v: spelled(settle(v, natural))))
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


def _again(reading: Reading) -> Callable[[pa.Array], Fit]:
    return lambda values: (reading.again(settle(values, pa.string())), None)


def _read(reading: Reading) -> Callable[[pa.Array], Fit]:
    def make(values: pa.Array) -> Fit:
        texts = settle(values, pa.string())
        try:
            return reading.read(texts), None
        except pa.ArrowInvalid:
            fits = reading.fitting(texts)
            return reading.read(pc.if_else(pa.array(fits), texts, pa.scalar(None))), fits

    return make


def _given(
    source: Source, raw: Raw, plans: list[Plan], schema: pa.Schema, refused: Refused
) -> Iterator[pa.RecordBatch]:
    start = 0
    for whole in raw.batches():
        for offset in range(0, whole.num_rows, BATCH_ROWS):
            batch = whole.slice(offset, BATCH_ROWS)
            made = [_made(source, batch, plan) for plan in plans]
            shaped = pa.RecordBatch.from_arrays([values for values, _ in made], schema=schema)
            misfits = {
                plan.name: ~fits
                for plan, (_, fits) in zip(plans, made, strict=True)
                if fits is not None
            }
            if misfits:
                wrong = np.logical_or.reduce(list(misfits.values()))
                for row in np.flatnonzero(wrong):
                    _refuse(raw, batch, int(row), start, plans, misfits, refused)
                shaped = shaped.filter(pa.array(~wrong))
            start += batch.num_rows
            if shaped.num_rows:
                yield shaped


def _made(source: Source, batch: pa.RecordBatch, plan: Plan) -> Fit:
    column = batch.column(plan.name)
    try:
        return plan.make(column)
    except pa.ArrowInvalid as error:
        raise Refusal(
            f"{source.where}, column {plan.name}",
            f"found a value that {plan.type} cannot hold ({error})",
            f"wanted values of type {column.type} to survive as {plan.type}",
            f"Declare what it is: data.columns: {{{plan.name}: {{role: text}}}}.",
        ) from error


def _refuse(
    raw: Raw,
    batch: pa.RecordBatch,
    row: int,
    start: int,
    plans: list[Plan],
    misfits: dict[str, np.ndarray],
    refused: Refused,
) -> None:
    reasons = [
        f"{plan.name}: {plan.wanted}"
        for plan in plans
        if plan.name in misfits and misfits[plan.name][row]
    ]
    record = json.dumps(batch.slice(row, 1).to_pylist()[0], default=str, ensure_ascii=False)
    refused.add(raw.position(start + row), reasons, record, raw.place)
